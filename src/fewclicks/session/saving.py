"""A sitting as JSON: what a person did, and a checksum of the picture it was done on.

::

    {"version": 1,
     "method": {"name": "graphcut", "settings": {"radius": 5}},
     "image": {"width": 640, "height": 480, "sha256": "…"},
     "initial_mask": null,
     "steps": [{"kind": "click", "x": 210, "y": 140, "is_positive": true}, …],
     "done": 1}

``done`` counts the steps that stand; those after it are undone. Masks are COCO's run lengths.
The method is a note for people: the one that goes on may be another.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
)

from fewclicks.arrays import RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.json_text import complaint, parse_json
from fewclicks.methods.base import AnyMethod
from fewclicks.methods.registry import METHODS
from fewclicks.session.prompts import (
    Accept,
    Aim,
    Correction,
    DeclareExemplar,
    Finish,
    LevelChoice,
    PackedMask,
    Refuse,
    Scribble,
    Step,
)

VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Sitting:
    """What is saved of a session.

    Parameters
    ----------
    initial
        The mask it began with.
    steps
        Of all objects, oldest first, undone ones last.
    done
        How many of them stand.
    """

    initial: PackedMask | None
    steps: tuple[Step, ...]
    done: int


def write_sitting(sitting: Sitting, *, image: RgbImage, method: AnyMethod) -> str:
    """Write a sitting as JSON, one step a line."""
    written = (_write_step(step).model_dump_json(exclude_none=True) for step in sitting.steps)
    steps = ",\n  ".join(written)
    head = _Head(
        method=_MethodNote(name=_name_of(method), settings=_settings_of(method)),
        image=_describe(image),
        initial_mask=None if sitting.initial is None else _SavedMask.of(sitting.initial),
    )
    opening = head.model_dump_json().removesuffix("}")
    listed = f"[\n  {steps}\n]" if sitting.steps else "[]"
    return f'{opening},"steps":{listed},"done":{sitting.done}}}\n'


def read_sitting(text: str, *, image: RgbImage, source: str) -> Sitting:
    """Read a sitting that was done on this picture.

    Parameters
    ----------
    text
        What `write_sitting` gave.
    image : (H, W, 3)
        The picture at hand.
    source
        What messages call the text.

    Raises
    ------
    InputError
        If the text is no such sitting, or one of another picture.
    """
    data = parse_json(text, source=source)
    if isinstance(data, dict) and data.get("version", VERSION) != VERSION:
        raise InputError(
            f"{source} has version {data['version']!r}; this fewclicks reads version {VERSION}. "
            "Use the fewclicks that wrote it, or a newer one."
        )
    try:
        saved = _SavedSitting.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{source} is no saved session: {complaint(error)}.") from None
    here = _describe(image)
    if saved.image != here:
        raise InputError(
            f"{source} belongs to another picture ({saved.image.width} x {saved.image.height}, "
            f"checksum {saved.image.sha256[:8]}); this one is {here.width} x {here.height}, "
            f"checksum {here.sha256[:8]}."
        )
    if saved.done > len(saved.steps):
        raise InputError(
            f"{source} is no saved session: {saved.done} steps are done, but it has "
            f"{len(saved.steps)}."
        )
    try:
        steps = tuple(_read_step(step) for step in saved.steps)
    except InputError as error:
        raise InputError(f"{source} holds a step that does not fit: {error}") from None
    initial = None if saved.initial_mask is None else saved.initial_mask.packed()
    return Sitting(initial=initial, steps=steps, done=saved.done)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _MethodNote(_Strict):
    name: str | None
    settings: dict[str, Any]


class _SavedImage(_Strict):
    width: StrictInt
    height: StrictInt
    sha256: str


class _SavedMask(_Strict):
    size: tuple[StrictInt, StrictInt]
    counts: str

    @classmethod
    def of(cls, mask: PackedMask) -> _SavedMask:
        return cls(size=(mask.height, mask.width), counts=mask.counts)

    def packed(self) -> PackedMask:
        return PackedMask(height=self.size[0], width=self.size[1], counts=self.counts)


class _SavedClick(_Strict):
    kind: Literal["click"] = "click"
    x: StrictInt
    y: StrictInt
    is_positive: StrictBool
    level: StrictFloat | None = None

    @classmethod
    def of(cls, click: Click) -> _SavedClick:
        return cls(x=click.x, y=click.y, is_positive=click.is_positive, level=click.level)

    def click(self) -> Click:
        return Click(x=self.x, y=self.y, is_positive=self.is_positive, level=self.level)


class _SavedScribble(_Strict):
    kind: Literal["scribble"] = "scribble"
    clicks: Annotated[tuple[_SavedClick, ...], Field(min_length=1)]


class _SavedBox(_Strict):
    kind: Literal["box"] = "box"
    x0: StrictInt
    y0: StrictInt
    x1: StrictInt
    y1: StrictInt


class _SavedCorrection(_Strict):
    kind: Literal["correction"] = "correction"
    mask: _SavedMask


class _SavedLevel(_Strict):
    kind: Literal["level"] = "level"
    level: Annotated[StrictFloat, Field(gt=0, le=1)]


class _SavedFinish(_Strict):
    kind: Literal["finish"] = "finish"
    label: str
    mask: _SavedMask


class _SavedAim(_Strict):
    kind: Literal["aim"] = "aim"
    label: str | None = None


class _SavedExemplar(_Strict):
    kind: Literal["exemplar"] = "exemplar"
    number: Annotated[StrictInt, Field(ge=0)] | None = None


class _SavedProposal(_Strict):
    kind: Literal["accept", "refuse"]
    mask: _SavedMask


_SavedStep: TypeAlias = (
    _SavedClick
    | _SavedScribble
    | _SavedBox
    | _SavedCorrection
    | _SavedLevel
    | _SavedFinish
    | _SavedAim
    | _SavedExemplar
    | _SavedProposal
)


class _Head(_Strict):
    version: Literal[1] = VERSION
    method: _MethodNote
    image: _SavedImage
    initial_mask: _SavedMask | None


class _SavedSitting(_Head):
    steps: tuple[Annotated[_SavedStep, Field(discriminator="kind")], ...]
    done: Annotated[StrictInt, Field(ge=0)]


def _write_step(step: Step) -> _SavedStep:
    match step:
        case Click():
            return _SavedClick.of(step)
        case Scribble(clicks):
            return _SavedScribble(clicks=tuple(_SavedClick.of(click) for click in clicks))
        case Box(x0, y0, x1, y1):
            return _SavedBox(x0=x0, y0=y0, x1=x1, y1=y1)
        case Correction(mask):
            return _SavedCorrection(mask=_SavedMask.of(mask))
        case LevelChoice(level):
            return _SavedLevel(level=level)
        case Finish(label, mask):
            return _SavedFinish(label=label, mask=_SavedMask.of(mask))
        case Aim(label):
            return _SavedAim(label=label)
        case DeclareExemplar(number):
            return _SavedExemplar(number=number)
        case Accept(mask):
            return _SavedProposal(kind="accept", mask=_SavedMask.of(mask))
        case Refuse(mask):
            return _SavedProposal(kind="refuse", mask=_SavedMask.of(mask))


def _read_step(saved: _SavedStep) -> Step:
    match saved:
        case _SavedClick():
            return saved.click()
        case _SavedScribble():
            return Scribble(tuple(click.click() for click in saved.clicks))
        case _SavedBox():
            return Box(saved.x0, saved.y0, saved.x1, saved.y1)
        case _SavedCorrection():
            return Correction(saved.mask.packed())
        case _SavedLevel():
            return LevelChoice(saved.level)
        case _SavedFinish():
            return Finish(saved.label, saved.mask.packed())
        case _SavedAim():
            return Aim(saved.label)
        case _SavedExemplar():
            return DeclareExemplar(saved.number)
        case _SavedProposal():
            step = Accept if saved.kind == "accept" else Refuse
            return step(saved.mask.packed())


def _describe(image: RgbImage) -> _SavedImage:
    height, width = image.shape[:2]
    checksum = hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()
    return _SavedImage(width=width, height=height, sha256=checksum)


def _name_of(method: AnyMethod) -> str | None:
    """Find the method in the table; one that a person wrote themselves has no name there."""
    target = f"{type(method).__module__}:{type(method).__qualname__}"
    names = [entry.name for entry in METHODS if entry.target == target]
    return names[-1] if names else None


def _settings_of(method: AnyMethod) -> dict[str, Any]:
    config = getattr(method, "config", None)
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        return {}
    return dataclasses.asdict(config)
