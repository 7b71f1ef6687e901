"""Guidance: what a person makes known besides clicks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click, check_clicks
from fewclicks.errors import InputError, ShapeError

GuidanceKind: TypeAlias = Literal["depth", "references", "exemplar"]
"""What only some methods take; every method takes excluded pixels."""

_TAKERS: Final[dict[GuidanceKind, str]] = {
    "depth": "m2n2v2",
    "references": "refcut or fewclicks",
    "exemplar": "icmformer_pp or fewclicks",
}


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Reference:
    """Another picture, on which somebody marked what is meant.

    Parameters
    ----------
    image : (h, w, 3)
        In [0, 255]; of any size.
    positive : (h, w), optional
        True on the parts that are meant.
    negative : (h, w), optional
        True on the parts that are not.

    Raises
    ------
    InputError
        If the picture or a mask is none, or neither mask has a pixel.
    ShapeError
        If a mask is not of the picture's size.

    References
    ----------
    .. [1] RefCut, section 3.2.
    """

    image: RgbImage
    positive: BoolMask | None = None
    negative: BoolMask | None = None

    def __post_init__(self) -> None:
        _check_type("reference image", self.image, np.uint8, "(h, w, 3) and uint8", "read_image")
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ShapeError(f"reference image has shape {self.image.shape}; needs (h, w, 3).")
        masks = {"positive": self.positive, "negative": self.negative}
        given = {name: mask for name, mask in masks.items() if mask is not None}
        for name, mask in given.items():
            _check_type(f"reference {name} mask", mask, np.bool_, "bool", "read_mask")
            if mask.shape != self.image.shape[:2]:
                raise ShapeError.differs(
                    f"reference {name} mask", mask.shape, needed=self.image.shape[:2],
                    of="the reference picture",
                )  # fmt: skip
        if not any(mask.any() for mask in given.values()):
            raise InputError(
                "The reference marks no pixel; needs a mask with at least one pixel of what is "
                "meant, or of what is not."
            )

    @property
    def checksum(self) -> str:
        """Name the reference by what it shows and marks, wherever its arrays lie."""
        digest = hashlib.blake2b(digest_size=20)
        for array in (self.image, self.positive, self.negative):
            digest.update(b"none" if array is None else str(array.shape).encode())
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Exemplar:
    """One finished object of the picture, which stands for all of its kind.

    Parameters
    ----------
    mask : (H, W)
        True on the object.
    clicks
        How it was found; without negative ones that lie on others of its kind.

    Raises
    ------
    InputError
        If the mask is none or has no pixel, or a click is outside it.

    References
    ----------
    .. [1] iCMFormer++, section 3.1.
    """

    mask: BoolMask
    clicks: tuple[Click, ...] = ()

    def __post_init__(self) -> None:
        _check_type("exemplar mask", self.mask, np.bool_, "bool", "read_mask")
        if not self.mask.any():
            raise InputError("The exemplar has no pixel; needs the mask of one finished object.")
        height, width = self.mask.shape
        check_clicks(self.clicks, height=height, width=width)


def is_same_exemplar(one: Exemplar | None, other: Exemplar | None) -> bool:
    """Whether two say the same, so that what was found out of one holds for the other."""
    if one is None or other is None:
        return one is other
    return one.clicks == other.clicks and np.array_equal(one.mask, other.mask)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Guidance:
    """What a person makes known besides clicks.

    Parameters
    ----------
    excluded : (H, W), optional
        True where the object cannot be: finished objects, the outside of a box.
    depth : (H, W), optional
        How near each pixel is: measured inverse depth in [0, 1], 1 is nearest. It takes the place
        of what the method's own source of depth says.
    references
        Other pictures, on which the same parts are marked; several are averaged.
    exemplar, optional
        One object of the picture; what is asked for is then all objects of its kind.
    """

    excluded: BoolMask | None = None
    depth: FloatMap | None = None
    references: tuple[Reference, ...] = ()
    exemplar: Exemplar | None = None

    def check(self, shape: tuple[int, int], *, takes: Sequence[GuidanceKind] = ()) -> None:
        """Refuse guidance that does not fit the picture, or that the method has no use for.

        Parameters
        ----------
        shape
            Height and width of the picture.
        takes
            What the method can use besides excluded pixels.

        Raises
        ------
        InputError
            If there is guidance that the method has no use for.
        ShapeError
            If an array is not of the picture's size.
        """
        given: dict[GuidanceKind, bool] = {
            "depth": self.depth is not None,
            "references": bool(self.references),
            "exemplar": self.exemplar is not None,
        }
        for kind, is_given in given.items():
            if is_given and kind not in takes:
                raise InputError(
                    f"This method takes no {kind.removesuffix('s')}; leave it out, or choose a "
                    f"method that takes it: {_TAKERS[kind]}."
                )
        arrays = {
            "excluded": self.excluded,
            "depth": self.depth,
            "exemplar mask": None if self.exemplar is None else self.exemplar.mask,
        }
        for name, array in arrays.items():
            if array is not None and array.shape != shape:
                raise ShapeError.differs(name, array.shape, needed=shape, of="the image")


def _check_type(name: str, array: object, dtype: type, needed: str, reader: str) -> None:
    """Refuse what would be taken for something else: a path, or a mask in grey levels."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(
            f"{name} is of type {kind}; needs {needed}; fewclicks.{reader} reads files that way."
        )
