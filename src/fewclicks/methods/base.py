"""The contract between a method and everything above it.

A method has no memory. ``prepare`` is slow and runs once for each picture; ``condition`` is cheap
and brings in what arrives later; ``predict`` is pure: the same prepared picture, clicks and
previous prediction give the same answer, in any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

import numpy as np

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.guidance import Exemplar, Guidance, Reference


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A picture as its method wants it; methods add what they computed.

    Parameters
    ----------
    image : (H, W, 3)
        The picture that was prepared.
    excluded : (H, W), optional
        Where the object cannot be; never part of a prediction's mask.
    depth : (H, W), optional
        As guidance gave it; None where there was none, whatever the method's own source says.
    references, exemplar
        As guidance gave them.
    """

    image: RgbImage
    excluded: BoolMask | None = None
    depth: FloatMap | None = None
    references: tuple[Reference, ...] = ()
    exemplar: Exemplar | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.image.shape[1])


PreparedT = TypeVar("PreparedT", bound=Prepared)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """A method's answer to the clicks so far.

    Parameters
    ----------
    probability : (H, W) float32
        In [0, 1], of belonging to the object.
    threshold
        The mask is where the probability is above it.
    state
        What a stateful rule wants back with the next click (a zoom region, say); frozen, and
        read by the method that wrote it only.
    """

    probability: FloatMap
    threshold: float = 0.5
    state: object = None

    @property
    def mask(self) -> BoolMask:
        """(H, W) True on the object."""
        return np.asarray(self.probability > self.threshold)

    @classmethod
    def from_mask(cls, mask: BoolMask) -> Prediction:
        """Take a person's mask as if a method had answered with it."""
        if mask.ndim != 2:
            raise ShapeError(f"mask has shape {mask.shape}; needs (height, width).")
        return cls(probability=np.asarray(mask, dtype=bool).astype(np.float32))


class Method(Protocol[PreparedT]):
    """What every method can do; see the module's first lines."""

    config_type: ClassVar[type]
    config: Any

    def prepare(self, image: RgbImage) -> PreparedT:
        """Compute everything that depends on the picture only."""
        ...

    def condition(self, prepared: PreparedT, guidance: Guidance) -> PreparedT:
        """Bring in guidance without looking at the picture again; it replaces earlier guidance."""
        ...

    def predict(
        self, prepared: PreparedT, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Answer all clicks so far, given the answer before the newest one."""
        ...


AnyMethod: TypeAlias = Method[Any]
"""A method whose prepared picture its user passes on and does not look into."""


def exclude(prepared: PreparedT, guidance: Guidance) -> PreparedT:
    """Condition on excluded pixels alone, the `condition` of methods that know no more.

    Raises
    ------
    InputError
        If there is guidance that such a method has no use for.
    ShapeError
        If the excluded mask is not of the picture's size.
    """
    guidance.check(prepared.shape)
    return replace(prepared, excluded=guidance.excluded)


def check_image(image: RgbImage) -> None:
    """Refuse what is no (H, W, 3) uint8 picture with at least one pixel.

    Raises
    ------
    InputError
        Naming the shape and type that came.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise InputError(
            f"image has shape {image.shape} and type {image.dtype}; needs (height, width, 3) "
            "and uint8; fewclicks.read_image reads files that way."
        )
