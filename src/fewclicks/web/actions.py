"""Actions: what an annotator can do to a picture, as the page sends it and the store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    TypeAdapter,
    ValidationError,
)

from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths

MOST_POINTS: Final = 5000
LONGEST_LABEL: Final = 200

_Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
_Points = Annotated[list[tuple[_Finite, _Finite]], Field(min_length=1, max_length=MOST_POINTS)]
Name: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=LONGEST_LABEL, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""Of a label: a line of text."""
_Side = Annotated[StrictInt, Field(gt=0, le=100_000)]
_Number = Annotated[StrictInt, Field(ge=1, le=2**31 - 1)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mask(_Action):
    """A mask as COCO's compressed run lengths."""

    size: tuple[_Side, _Side]
    counts: Annotated[str, Field(max_length=20_000_000)]

    @classmethod
    def of(cls, rle: RunLengths) -> Mask:
        """Take run lengths as the rest of the package has them."""
        height, width = rle["size"]
        return cls(size=(height, width), counts=rle["counts"])

    @property
    def rle(self) -> RunLengths:
        """As the rest of the package has it."""
        return RunLengths(size=list(self.size), counts=self.counts)


class _Prompt(_Action):
    """What asks for an answer; references of the label it aims at, if it has any, guide that."""

    label: Name | None = None


class ClickAction(_Prompt):
    """A pixel on the object, or off it."""

    kind: Literal["click"]
    x: StrictInt
    y: StrictInt
    is_positive: StrictBool


class BoxAction(_Prompt):
    """Columns x0 to before x1, rows y0 to before y1."""

    kind: Literal["box"]
    x0: StrictInt
    y0: StrictInt
    x1: StrictInt
    y1: StrictInt


class ScribbleAction(_Prompt):
    """A stroke over the object, or beside it, which stands for clicks."""

    kind: Literal["scribble"]
    points: _Points
    is_positive: StrictBool


class BrushAction(_Prompt):
    """Paint the mask itself, or erase it."""

    kind: Literal["brush"]
    points: _Points
    radius: Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)]
    is_positive: StrictBool


class LevelAction(_Prompt):
    """Let the newest click stand for another of its levels, from part to group."""

    kind: Literal["level"]
    index: Annotated[StrictInt, Field(ge=0, le=1000)]


class FinishAction(_Action):
    """Close the present object; the server adds the mask that it has then."""

    kind: Literal["finish"]
    label: Name
    mask: Mask | None = None


class DiscardAction(_Action):
    """Drop the present object; one that was reopened is again as it was."""

    kind: Literal["discard"]


class ReopenAction(_Action):
    """Go on with a finished object."""

    kind: Literal["reopen"]
    object: StrictInt


class RelabelAction(_Action):
    """Call a finished object something else."""

    kind: Literal["relabel"]
    object: StrictInt
    label: Name


class DeleteAction(_Action):
    """Drop a finished object."""

    kind: Literal["delete"]
    object: StrictInt


class OrderAction(_Action):
    """Put the finished objects into another order, bottom to top."""

    kind: Literal["order"]
    objects: Annotated[list[StrictInt], Field(max_length=10_000)]


class AddAction(_Action):
    """Take a mask from elsewhere as a finished object."""

    kind: Literal["add"]
    label: Name
    mask: Mask = Field(alias="rle")


class OthersAction(_Action):
    """Look for all others of a finished object's kind, which is their exemplar."""

    kind: Literal["others"]
    object: StrictInt


class _Judgement(_Action):
    x: StrictInt
    y: StrictInt
    mask: Mask | None = None


class AcceptAction(_Judgement):
    """Take the proposal on a pixel for a finished object; the server adds its mask."""

    kind: Literal["accept"]


class RefuseAction(_Judgement):
    """Say that the proposal on a pixel is none of the kind; the server adds its mask."""

    kind: Literal["refuse"]


class ReferenceAction(_Action):
    """Let a finished object of any picture show what a label means, in all pictures.

    ``negative`` is another object of that picture, which is not meant; the server adds the masks.
    """

    kind: Literal["reference"]
    label: Name
    picture: _Number
    object: StrictInt
    negative: StrictInt | None = None
    positive_mask: Mask | None = None
    negative_mask: Mask | None = None


class UnreferenceAction(_Action):
    """Let go of a label's reference."""

    kind: Literal["unreference"]
    label: Name


PromptAction: TypeAlias = ClickAction | BoxAction | ScribbleAction | BrushAction | LevelAction
"""What asks the method for another answer."""

StepAction: TypeAlias = PromptAction | AcceptAction | RefuseAction
"""What changes the present object, or what is proposed."""

LabelAction: TypeAlias = ReferenceAction | UnreferenceAction
"""What is said of a label, for all pictures; it stands in the record of the one on screen."""

DeskAction: TypeAlias = (
    StepAction
    | FinishAction
    | DiscardAction
    | ReopenAction
    | RelabelAction
    | DeleteAction
    | OrderAction
    | AddAction
    | OthersAction
    | LabelAction
)
"""What undo takes back."""


class UndoAction(_Action):
    """Take the last action back."""

    kind: Literal["undo"]


class RedoAction(_Action):
    """Take the action again that was undone last."""

    kind: Literal["redo"]


Action: TypeAlias = Annotated[DeskAction | UndoAction | RedoAction, Field(discriminator="kind")]

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_DESK: TypeAdapter[DeskAction] = TypeAdapter(Annotated[DeskAction, Field(discriminator="kind")])


def write_action(action: DeskAction) -> str:
    """Write an action as the store keeps it."""
    return action.model_dump_json(by_alias=True, exclude_none=True)


def read_action(text: str) -> DeskAction:
    """Read an action that the store kept."""
    return _DESK.validate_json(text)


def check_name(label: str) -> None:
    """Refuse a label that comes from elsewhere and cannot be one here.

    Raises
    ------
    InputError
        Quoting it.
    """
    try:
        _NAME.validate_python(label)
    except ValidationError:
        shown = label if len(label) <= LONGEST_LABEL else f"{label[:20]}…"
        raise InputError(
            f"{shown!r} is no label; needs 1 to {LONGEST_LABEL} signs in one line: rename it."
        ) from None


def check_inside(action: DeskAction | UndoAction | RedoAction, *, height: int, width: int) -> None:
    """Refuse places outside the picture, and masks of another size.

    Raises
    ------
    InputError
        Naming the place.
    """
    places: Sequence[tuple[float, float]] = []
    match action:
        case ClickAction(x=x, y=y) | AcceptAction(x=x, y=y) | RefuseAction(x=x, y=y):
            places = [(float(x), float(y))]
        case ScribbleAction(points=points):
            places = points
        case BoxAction(x0=x0, y0=y0, x1=x1, y1=y1):
            places = [(x0, y0), (x1 - 1, y1 - 1)]
        case AddAction(mask=mask) if mask.size != (height, width):
            raise InputError(
                f"The mask is {mask.size[1]} x {mask.size[0]}; needs the size of its picture, "
                f"{width} x {height}."
            )
    for right, down in places:
        if not (0 <= right < width and 0 <= down < height):
            raise InputError(
                f"x={right:g}, y={down:g} is outside the picture (width {width}, height {height})."
            )
