"""Guidance on the command line: references from other pictures, and an exemplar of the same one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from fewclicks.errors import InputError, StorageError

if TYPE_CHECKING:
    from fewclicks.arrays import BoolMask, RgbImage
    from fewclicks.methods.base import AnyMethod
    from fewclicks.methods.guidance import GuidanceKind, Reference
    from fewclicks.session.session import Session

_LABEL: Final = "object"  # what the references of a command stand for

ReferencePictures: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--reference",
        metavar="PICTURE",
        help="Another picture on which the same parts are marked; for a folder, one for all. "
        "Repeatable, with its masks in the same order; several are averaged.",
    ),
]
ReferenceMasks: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--reference-mask", metavar="MASK", help="Not black on what is meant, on the reference."
    ),
]
ReferenceNegatives: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--reference-negative", metavar="MASK", help="Not black on what is not meant, likewise."
    ),
]
ExemplarMask: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--exemplar",
        metavar="MASK",
        help="One object of the picture, not black; all others of its kind are looked for. Needs "
        "no click. Of a folder: the folder with NAME.png for the pictures that have one.",
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidanceFiles:
    """What was typed.

    Parameters
    ----------
    references, masks, negatives
        In the same order.
    exemplar
        A mask; of a folder of pictures, a folder of masks.
    """

    references: tuple[Path, ...] = ()
    masks: tuple[Path, ...] = ()
    negatives: tuple[Path, ...] = ()
    exemplar: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is read, files and folders."""
        exemplars = () if self.exemplar is None else (self.exemplar,)
        return (*self.references, *self.masks, *self.negatives, *exemplars)

    def check(self, method: str, *, of_folder: bool) -> None:
        """Refuse what does not fit together, or what the method has no use for.

        Raises
        ------
        InputError
            If the method takes no such guidance.
        typer.TyperException
            If a number of masks differs.
        StorageError
            If the exemplar of a folder is no folder.
        """
        if self.masks or self.negatives or self.references:
            _check_taken(method, "references")
        if self.exemplar is not None:
            _check_taken(method, "exemplar")
            if of_folder and not self.exemplar.is_dir():
                raise StorageError(
                    f"{self.exemplar} is no folder; needs one with a mask NAME.png for the "
                    "pictures that have an exemplar."
                )
        count = len(self.references)
        if (self.masks or self.negatives) and not count:
            raise typer.TyperException(
                "A reference mask was given without its picture; needs --reference."
            )
        if count and not (self.masks or self.negatives):
            raise typer.TyperException(
                f"{self.references[0]} is a reference without a mask; needs --reference-mask, "
                "--reference-negative, or both."
            )
        for option, files in (("mask", self.masks), ("negative", self.negatives)):
            if files and len(files) != count:
                raise typer.TyperException(
                    f"There are {count} --reference and {len(files)} --reference-{option}; needs "
                    "one for each, in the same order."
                )

    def read_references(self) -> tuple[Reference, ...]:
        """Read the references, once for all pictures.

        Raises
        ------
        InputError
            If a mask marks nothing, or is not of its picture's size.
        StorageError
            If a file cannot be read.
        """
        from fewclicks.images.reading import read_image
        from fewclicks.methods.guidance import Reference

        references = []
        for number, path in enumerate(self.references):
            image = read_image(path)
            references.append(
                Reference(
                    image=image,
                    positive=_read_marks(self.masks, number, image, path),
                    negative=_read_marks(self.negatives, number, image, path),
                )
            )
        return tuple(references)

    def exemplar_of(self, picture: str) -> Path | None:
        """Name the exemplar of a folder's picture; None, which is told, where it has none."""
        if self.exemplar is None:
            return None
        found = self._place_of(picture)
        if found.exists():
            return found
        typer.echo(f"{picture}: there is no exemplar {found}; clicked without one.", err=True)
        return None

    def pictures_shown(self, folder: Path) -> list[str]:
        """List the pictures of a folder that have an exemplar.

        Raises
        ------
        InputError
            If none has.
        """
        from fewclicks.images.folders import list_pictures

        found = [name for name in list_pictures(folder) if self._place_of(name).exists()]
        if not found:
            raise InputError(
                f"{self.exemplar} has no exemplar for any picture of {folder}; needs NAME.png."
            )
        return found

    def _place_of(self, picture: str) -> Path:
        assert self.exemplar is not None
        return self.exemplar / f"{Path(picture).stem}.png"


def open_session(
    method: AnyMethod,
    image: RgbImage,
    references: tuple[Reference, ...],
    exemplar: BoolMask | None,
) -> Session:
    """Sit down to a picture, guided; what the exemplar leads to is proposed at once."""
    from fewclicks.session.session import Session

    if not references:
        session = Session(method, image)
    else:
        session = Session(method, image, references={_LABEL: references})
        session.aim_at(_LABEL)
    if exemplar is not None:
        session.correct(exemplar)
        session.finish_object("exemplar")
        session.others.of(0)
    return session


def read_exemplar(path: Path, image: RgbImage) -> BoolMask:
    """Read the mask of one object of a picture.

    Raises
    ------
    InputError
        If it marks nothing, or is not of the picture's size.
    StorageError
        If it cannot be read.
    """
    return _read_mask(path, image, "picture")


def _read_marks(
    files: tuple[Path, ...], number: int, image: RgbImage, picture: Path
) -> BoolMask | None:
    return _read_mask(files[number], image, f"reference {picture}") if files else None


def _read_mask(path: Path, image: RgbImage, owner: str) -> BoolMask:
    from fewclicks.images.reading import read_mask

    mask = read_mask(path)
    if mask.shape != image.shape[:2]:
        height, width = image.shape[:2]
        raise InputError(
            f"{path} is {mask.shape[1]} x {mask.shape[0]}, but the {owner} is {width} x {height}; "
            "needs a mask of that very picture."
        )
    if not mask.any():
        raise InputError(f"{path} marks no pixel; needs a mask that is not black on the object.")
    return mask


def _check_taken(method: str, kind: GuidanceKind) -> None:
    from fewclicks.methods.registry import METHODS, find_method

    if kind in find_method(method).takes:
        return
    known = ", ".join(entry.name for entry in METHODS if kind in entry.takes)
    raise InputError(
        f"Method '{method}' takes no {kind.removesuffix('s')}; choose one of: {known}."
    )
