"""Annotated picture: what every format writes, and what those that can be read give back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fewclicks.arrays import BoolMask
from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths, decode_rle, encode_rle
from fewclicks.images.reading import MAX_MEGAPIXELS


def check_size(height: int, width: int, *, where: str) -> None:
    """Refuse, before anything is drawn, a size that no picture can have.

    Raises
    ------
    InputError
        If there is no pixel, or more than a picture that is read may have.
    """
    if min(height, width) < 1 or height * width > MAX_MEGAPIXELS * 1e6:
        raise InputError(
            f"{where}: a picture of {width} x {height} pixels; needs 1 or more, and at most "
            f"{MAX_MEGAPIXELS:g} million."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotatedObject:
    """One object of a picture.

    Parameters
    ----------
    label
        What it is called.
    rle
        Its mask, as compressed run lengths.
    """

    label: str
    rle: RunLengths

    @property
    def mask(self) -> BoolMask:
        """(H, W) True on the object; decoded on each call."""
        return decode_rle(self.rle)

    @classmethod
    def of(cls, label: str, mask: BoolMask) -> AnnotatedObject:
        """Take a mask as it is."""
        return cls(label=label, rle=encode_rle(mask))


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotatedPicture:
    """A picture and its objects.

    Parameters
    ----------
    name
        Its path in the folder, with ``/`` between the parts.
    height, width
        In pixels.
    objects
        Where two share a pixel, the later one lies on top.
    path, optional
        Where the picture can be read, for formats that need its pixels.
    """

    name: str
    height: int
    width: int
    objects: tuple[AnnotatedObject, ...] = ()
    path: Path | None = None

    def __post_init__(self) -> None:
        for one in self.objects:
            if list(one.rle["size"]) != [self.height, self.width]:
                height, width = one.rle["size"]
                raise InputError(
                    f"{self.name} is {self.width} x {self.height}, but a mask of its "
                    f"'{one.label}' is {width} x {height}; needs masks of the picture's size."
                )


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """All that one export holds.

    Parameters
    ----------
    pictures
        In the order they are written.
    labels
        In the order their numbers are given; those that objects have and that are not in it
        come after, sorted.
    folder
        Names of all pictures that lie beside these, written or not: files are named so that none
        can be taken for another's.

    Attributes
    ----------
    stems
        By a picture's name, see `stem`.
    """

    pictures: Sequence[AnnotatedPicture]
    labels: tuple[str, ...] = ()
    folder: Collection[str] = ()
    stems: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        known = dict.fromkeys(self.labels)
        used = {one.label for picture in self.pictures for one in picture.objects}
        known.update(dict.fromkeys(sorted(used - known.keys())))
        object.__setattr__(self, "labels", tuple(known))
        names = dict.fromkeys([*self.folder, *(picture.name for picture in self.pictures)])
        object.__setattr__(self, "stems", _stems(names))

    def stem(self, picture: AnnotatedPicture) -> str:
        """Name a file of the picture's own, without extension; folders stay folders.

        ``a/dog.jpg`` becomes ``a/dog``, unless ``a/dog.png`` is there too: then ``a/dog_jpg``.
        """
        return self.stems[picture.name]

    def number(self, label: str) -> int:
        """Place of a label, from 0."""
        return self.labels.index(label)


def files_of(names: Collection[str], folder: Path, suffix: str) -> Iterator[tuple[str, Path]]:
    """Find the file of each picture that has one, as `Annotations.stem` names it.

    Parameters
    ----------
    names
        Of all pictures.
    folder, suffix
        Where the files lie, and how they end.

    Yields
    ------
    tuple
        Name and file. One that other tools wrote, without the picture's extension, is each
        picture's of that stem.
    """
    stems = _stems(names)
    owned = set(stems.values())
    for name in names:
        others = (one for one in (_plain(name), _extended(name)) if one not in owned)
        for stem in (stems[name], *others):
            path = folder / f"{stem}{suffix}"
            if path.is_file():
                yield name, path
                break


def _stems(names: Iterable[str]) -> dict[str, str]:
    """Name each picture's files: alike for all who know the same pictures."""
    names = sorted(names)
    times = Counter(_plain(name) for name in names)
    stems = {name: _plain(name) for name in names if times[_plain(name)] == 1}
    taken = set(stems.values())
    for name in names:
        if name not in stems:
            stem = _extended(name)
            while stem in taken:  # by a dog_jpg.png beside dog.jpg and dog.png
                stem += "_"
            stems[name] = stem
            taken.add(stem)
    return stems


def _plain(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def _extended(name: str) -> str:
    return f"{_plain(name)}_{PurePosixPath(name).suffix.removeprefix('.')}"
