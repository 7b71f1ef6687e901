"""Layout: where the files of a published data set lie, found, or missed in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from fewclicks.errors import InputError, StorageError
from fewclicks.images.folders import IMAGE_SUFFIXES

MASK_SUFFIXES: Final = (".png", ".tif", ".tiff", ".bmp")
_SHOWN: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A picture and its mask."""

    image: Path
    mask: Path | None


@dataclass(frozen=True, slots=True)
class Place:
    """Two folders whose files share their stems; ``*`` stands for any folder.

    Parameters
    ----------
    images, masks
        Below the data set's folder: ``JPEGImages/480p/*`` and ``Annotations/480p/*``.
    """

    images: str
    masks: str

    def pairs(self, folder: Path) -> dict[str, Pair]:
        """Find the pictures by their names: what differs in their paths, without the ending.

        Raises
        ------
        StorageError
            If a folder is missing.
        InputError
            If there is no picture, or two of one name.
        """
        for part in (self.images, self.masks):
            if not (folder / fixed(part)).is_dir():
                raise StorageError(
                    f"Data set folder {folder} has no folder '{fixed(part)}'; needs "
                    f"{self.images}/<stem>.jpg beside {self.masks}/<stem>.png; "
                    f"found {found_in(folder)}."
                )
        images = _by_name(folder, self.images, IMAGE_SUFFIXES)
        if not images:
            raise InputError(f"{folder / self.images} has no picture; needs .jpg or .png files.")
        masks = _by_name(folder, self.masks, MASK_SUFFIXES)
        return {name: Pair(image=path, mask=masks.get(name)) for name, path in images.items()}


def read_places(text: str) -> tuple[tuple[Place, ...], ...]:
    """Read layouts of which a data set may have any.

    Parameters
    ----------
    text
        Layouts with ``|`` between them; of each, pairs ``images:masks`` with blanks between.

    Raises
    ------
    InputError
        If it is not of this form.

    Examples
    --------
    >>> read_places("images:masks | img:gt")[1]
    (Place(images='img', masks='gt'),)
    """
    layouts = []
    for layout in text.split("|"):
        pairs = [pair.split(":") for pair in layout.split()]
        if not pairs or any(len(pair) != 2 or not all(pair) for pair in pairs):
            raise InputError(
                f"places is '{text}'; needs folders of pictures and masks, as images:masks, blanks "
                "between pairs, and | between layouts."
            )
        layouts.append(tuple(Place(images, masks) for images, masks in pairs))
    return tuple(layouts)


def find_pairs(folder: Path, layouts: tuple[tuple[Place, ...], ...]) -> dict[str, Pair]:
    """Find the pictures of the first layout that a folder has; of the first if it has none.

    Where a layout has several places, the folder of a picture leads its name.

    Raises
    ------
    StorageError, InputError
        As `Place.pairs`.
    """
    layout = next((each for each in layouts if (folder / fixed(each[0].images)).is_dir()), None)
    places = layout or layouts[0]
    found: dict[str, Pair] = {}
    for place in places:
        lead = f"{fixed(place.images)}/" if len(places) > 1 else ""
        found |= {f"{lead}{name}": pair for name, pair in place.pairs(folder).items()}
    return dict(sorted(found.items()))


def fixed(pattern: str) -> str:
    """Give the part of a pattern that stands before its first ``*``."""
    parts = PurePosixPath(pattern).parts
    return "/".join(parts[: next((i for i, each in enumerate(parts) if "*" in each), len(parts))])


def check_folder(folder: Path, needs: str) -> None:
    """Refuse a folder that is missing.

    Raises
    ------
    StorageError
        Saying what was needed and what is there instead.
    """
    if not folder.is_dir():
        above = next((each for each in folder.parents if each.is_dir()), folder.parent)
        raise StorageError(f"There is no folder {folder}; needs {needs}; found {found_in(above)}.")


def found_in(folder: Path) -> str:
    """Name the first things in a folder, for a message."""
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return "nothing that can be read"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + more if names else "nothing"


def read_names(path: Path, *, hint: str = "") -> tuple[str, ...]:
    """Read a list of pictures: the first word of each line.

    Parameters
    ----------
    hint
        What else to do where there is no such list.

    Raises
    ------
    StorageError
        If there is no such list.
    InputError
        If it is no text.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path} is no list of pictures; needs a name on each line.") from None
    except OSError as error:
        raise StorageError(f"There is no list {path} of pictures; put it there{hint}.") from error
    return tuple(line.split()[0] for line in lines if line.strip())


def listed_names(path: Path, *, known: Iterable[str]) -> list[str]:
    """Read a list of pictures, all of which must be known; sorted.

    Raises
    ------
    StorageError, InputError
        As `read_names`, or if a picture of the list is missing.
    """
    names, there = sorted(set(read_names(path))), set(known)
    missing = [name for name in names if name not in there]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(names)} pictures of {path} are missing, the first is "
            f"'{missing[0]}'."
        )
    return names


def _by_name(folder: Path, pattern: str, suffixes: Iterable[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    top = folder / fixed(pattern)
    levels = len(PurePosixPath(pattern).parts) - len(PurePosixPath(fixed(pattern)).parts)
    for path in sorted(top.glob("/".join(["*"] * (levels + 1))), key=_by_stem):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        inside = path.relative_to(top)
        name = (inside.parent / path.stem).as_posix()
        if name in found:
            raise InputError(
                f"{path.parent} has both {found[name].name} and {path.name}; needs one file for "
                "each stem."
            )
        found[name] = path
    return found


def _by_stem(path: Path) -> tuple[str, str, str]:
    return path.parent.as_posix(), path.stem, path.suffix
