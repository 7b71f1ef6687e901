"""Header of a MetaImage, looked through before its reader sees it: lies in it crash that reader."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

from fewclicks.errors import ImageError

_LONGEST: Final = 1 << 16  # bytes that a header surely fits into
_LINE: Final = re.compile(r"[ \t]*(\w+)[ \t]*[=:][ \t]*(.{0,300})")
_LAST: Final = "ElementDataFile"
_NUMBERS: Final = {
    "NDims": 1, "DimSize": 3, "HeaderSize": 1, "CompressedDataSize": 1,
    "ElementNumberOfChannels": 1, "ElementSpacing": 3, "ElementSize": 3, "Offset": 3,
    "Position": 3, "Origin": 3, "CenterOfRotation": 3, "TransformMatrix": 9, "Rotation": 9,
    "Orientation": 9,
}  # fmt: skip
"""How many of them a key has; all other keys have a word or a sentence."""


def check_meta_header(path: Path) -> None:
    """Refuse what is no header of one volume of numbers.

    Raises
    ------
    ImageError
        If a line is of another form, the volume has other than 3 axes, or its data is elsewhere
        than in the file or in one file beside it.
    """
    said = _read(path)
    for key, count in _NUMBERS.items():
        if key in said and len(_numbers(said[key])) != count:
            raise ImageError(
                f"{path} says {key} = {said[key][:60]}; needs {count} numbers for a volume of 3 "
                "axes."
            )
    for key, needed in (("NDims", [3.0]), ("ElementNumberOfChannels", [1.0])):
        if _numbers(said.get(key, f"{needed[0]}")) != needed:
            raise ImageError(f"{path} says {key} = {said[key][:60]}; needs {needed[0]:g}.")
    if "DimSize" not in said or min(_numbers(said["DimSize"])) < 1:
        raise ImageError(f"{path} has no size; needs DimSize with 3 whole numbers from 1.")
    name = said[_LAST]
    data = path if name == "LOCAL" else path.with_name(name) if Path(name).name == name else None
    if data is None or not data.is_file():
        raise ImageError(
            f"{path} has its data in '{name[:80]}'; needs it in the file, or in one file beside it."
        )
    size = _numbers(said.get("CompressedDataSize", "0"))[0]
    if not 0 <= size <= data.stat().st_size:
        raise ImageError(f"{path} says that its data has {size:g} bytes, more than {data.name}.")


def _read(path: Path) -> dict[str, str]:
    """Read the lines down to the one that names the data, which is always the last."""
    with path.open("rb") as file:
        lines = file.read(_LONGEST).decode("latin-1").split("\n")
    said: dict[str, str] = {}
    for line in lines:
        found = _LINE.fullmatch(line.rstrip("\r"))
        if found is None or found[1] in said:
            break
        said[found[1]] = found[2].strip()
        if found[1] == _LAST and said[_LAST]:
            return said
    raise ImageError(f"{path} has no header of a MetaImage; needs lines KEY = VALUE to {_LAST}.")


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return []
    return numbers if all(math.isfinite(number) for number in numbers) else []
