"""Clicks in a file, for one picture or for a folder of them.

For one picture, a list; each click is ``[x, y]``, ``[x, y, is_positive]`` or an object::

    [[210, 140], [50, 60, false], {"x": 3, "y": 4, "is_positive": true}]

An object may also have a ``"level"`` in (0, 1]: how far the click reaches on its own map, for
methods that have levels. For several pictures, an object that gives each picture's
name its list::

    {"dog.jpg": [[210, 140]], "cat.png": [[33, 20], [90, 7, false]]}
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    TypeAdapter,
    ValidationError,
)

from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.files import read_text
from fewclicks.json_text import complaint, parse_json


def read_clicks(path: Path, *, picture: str) -> list[Click]:
    """Read the clicks of one picture.

    Parameters
    ----------
    path
        A list of clicks, or an object that has the picture.
    picture
        The picture's file name.

    Raises
    ------
    InputError
        If the file is of another form, or does not have the picture.
    StorageError
        If it cannot be read.
    """
    content = _read(path)
    if isinstance(content, dict):
        if picture not in content:
            raise InputError(f"{path} has no clicks for {picture}; it has {_some(content)}.")
        return content[picture]
    return content


def read_clicks_of_pictures(path: Path) -> dict[str, list[Click]]:
    """Read the clicks of several pictures, by file name.

    Raises
    ------
    InputError
        If the file is of another form.
    StorageError
        If it cannot be read.
    """
    content = _read(path)
    if not isinstance(content, dict):
        raise InputError(
            f'{path} holds one list of clicks; needs one for each picture: {{"dog.jpg": [[x, y]]}}.'
        )
    if not content:
        raise InputError(f"{path} names no picture.")
    return content


def _read(path: Path) -> list[Click] | dict[str, list[Click]]:
    data = parse_json(read_text(path), source=str(path))
    if not isinstance(data, (list, dict)):
        raise InputError(
            f"{path} holds neither a list of clicks, [[x, y, is_positive], …], nor an object that "
            "gives each picture's name its list."
        )
    reader = _ONE_PICTURE if isinstance(data, list) else _PICTURES
    try:
        saved = reader.validate_python(data)
    except ValidationError as error:
        raise InputError(f"{path}, {complaint(error)}.") from None
    if isinstance(saved, list):
        return [_click(one) for one in saved]
    return {name: [_click(one) for one in clicks] for name, clicks in saved.items()}


def _by_field(click: Any) -> Any:
    if isinstance(click, list):
        if len(click) not in (2, 3):
            raise ValueError(f"{len(click)} values; needs [x, y] or [x, y, is_positive]")
        return dict(zip(("x", "y", "is_positive"), click, strict=False))
    return click


class _WrittenClick(BaseModel):
    model_config = ConfigDict(extra="forbid")

    x: StrictInt
    y: StrictInt
    is_positive: StrictBool = True
    level: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None


_Clicks: TypeAlias = Annotated[
    list[Annotated[_WrittenClick, BeforeValidator(_by_field)]], Field(min_length=1)
]
_ONE_PICTURE: TypeAdapter[list[_WrittenClick]] = TypeAdapter(_Clicks)
_PICTURES: TypeAdapter[dict[str, list[_WrittenClick]]] = TypeAdapter(dict[str, _Clicks])


def _click(written: _WrittenClick) -> Click:
    return Click(x=written.x, y=written.y, is_positive=written.is_positive, level=written.level)


def _some(names: dict[str, Any]) -> str:
    first = sorted(names)[:3]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(first) + more) or "none"
