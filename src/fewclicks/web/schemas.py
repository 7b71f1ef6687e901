"""Schemas: what the server answers, as its documentation shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from fewclicks.images.masks import RunLengths
from fewclicks.web.actions import Action, BoxAction, ClickAction, Name, ScribbleAction
from fewclicks.web.desk import Desk
from fewclicks.web.store import StoredPicture
from fewclicks.web.tables import Label


class Answer(BaseModel):
    """What all answers share."""

    model_config = ConfigDict(frozen=True)


class Rle(Answer):
    """A mask as COCO's compressed run lengths, column by column."""

    size: list[int]
    counts: str

    @classmethod
    def of(cls, rle: RunLengths | None) -> Rle | None:
        """Take run lengths, or none."""
        return None if rle is None else cls(size=rle["size"], counts=rle["counts"])


class LabelAnswer(Answer):
    """A label."""

    id: int
    name: str
    colour: str

    @classmethod
    def of(cls, label: Label) -> LabelAnswer:
        """Take a row."""
        return cls(id=label.id, name=label.name, colour=label.colour)


class ProjectAnswer(Answer):
    """The folder, and how it is annotated; ``id`` differs for folders of one name."""

    id: str
    name: str
    method: str
    methods: list[str]
    has_levels: bool
    takes_references: bool
    labels: list[LabelAnswer]
    pictures: int
    done: int


class PicturesAnswer(Answer):
    """All pictures: id, name, state, number of objects, and who has it."""

    pictures: list[tuple[int, str, str, int, str | None]]


class ClickAnswer(Answer):
    """A click to be drawn."""

    x: int
    y: int
    is_positive: bool


class ObjectAnswer(Answer):
    """A finished object."""

    id: int
    label: str
    rle: Rle | None


class ObjectsAnswer(Answer):
    """A picture's finished objects."""

    height: int
    width: int
    objects: list[ObjectAnswer]

    @classmethod
    def of(cls, desk: Desk, *, height: int, width: int) -> ObjectsAnswer:
        """Take what lies on a desk."""
        objects = [
            ObjectAnswer(id=one.id, label=one.label, rle=Rle.of(one.rle)) for one in desk.objects
        ]
        return cls(height=height, width=width, objects=objects)


class ReferenceAnswer(Answer):
    """The finished object of a picture that shows what a label means, and one that does not."""

    label: str
    picture: int
    object: int
    negative: int | None


class ActiveAnswer(Answer):
    """The present object.

    ``exemplar`` is the object whose others are looked for, ``proposals`` are what was found;
    ``notice`` says why a reference does not guide.
    """

    label: str | None
    rle: Rle | None
    clicks: list[ClickAnswer]
    box: tuple[int, int, int, int] | None
    reopened: int | None
    exemplar: int | None
    proposals: list[Rle]
    notice: str | None


class PictureAnswer(Answer):
    """A picture and its desk."""

    id: int
    name: str
    height: int
    width: int
    state: str
    version: int
    can_undo: bool
    can_redo: bool
    objects: list[ObjectAnswer]
    active: ActiveAnswer
    references: list[ReferenceAnswer]
    holder: str | None
    ready: bool

    @classmethod
    def of(
        cls,
        stored: StoredPicture,
        *,
        shape: tuple[int, int],
        rle: RunLengths | None,
        proposals: list[RunLengths],
        notice: str | None,
        ready: bool,
    ) -> PictureAnswer:
        """Take what the store has, and what the method answered."""
        desk = stored.desk
        reopened = None if desk.reopened is None else desk.reopened[0]
        clicks: list[ClickAnswer] = []
        box = None
        for prompt in desk.prompts:
            match prompt:
                case ClickAction(x=x, y=y, is_positive=is_positive):
                    clicks.append(ClickAnswer(x=x, y=y, is_positive=is_positive))
                case BoxAction(x0=x0, y0=y0, x1=x1, y1=y1):
                    box = (x0, y0, x1, y1)
                case ScribbleAction(points=points, is_positive=is_positive):
                    clicks += [
                        ClickAnswer(x=int(x), y=int(y), is_positive=is_positive)
                        for x, y in (points[0], points[-1])
                    ]
        return cls(
            id=stored.id,
            name=stored.name,
            height=shape[0],
            width=shape[1],
            state=stored.state,
            version=stored.version,
            can_undo=stored.can_undo,
            can_redo=stored.can_redo,
            objects=ObjectsAnswer.of(desk, height=shape[0], width=shape[1]).objects,
            active=ActiveAnswer(
                label=None if reopened is None else reopened.label,
                rle=Rle.of(rle),
                clicks=clicks,
                box=box,
                reopened=None if reopened is None else reopened.id,
                exemplar=None if desk.search is None else desk.search.exemplar.id,
                proposals=[Rle(size=one["size"], counts=one["counts"]) for one in proposals],
                notice=notice,
            ),
            references=[
                ReferenceAnswer(
                    label=one.label,
                    picture=one.picture,
                    object=one.object,
                    negative=one.negative,
                )
                for one in stored.references.values()
            ],
            holder=stored.holder,
            ready=ready,
        )


class LeaseAnswer(Answer):
    """Who works on a picture, and for how long it is sure."""

    holder: str
    mine: bool
    seconds: int


class LevelAnswer(Answer):
    """One segment that the newest click may stand for."""

    area: int


class LevelsAnswer(Answer):
    """All of them, from part to group."""

    levels: list[LevelAnswer]
    chosen: int


class StatusAnswer(Answer):
    """What the server is doing."""

    waiting: int
    preparing: str | None
    prepared: list[int]
    click_ms: float | None


class Asked(BaseModel):
    """What all requests share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LoginRequest(Asked):
    """The server's token, and a name."""

    token: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(min_length=1, max_length=200)]


class LoginAnswer(Answer):
    """What to send with every other request, and who that is."""

    session: str
    annotator: dict[str, int | str]


class MethodRequest(Asked):
    """The method that is to answer from now on."""

    method: Annotated[str, Field(max_length=100)]


_Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class LabelRequest(Asked):
    """A new label."""

    name: Name
    colour: _Colour | None = None


class LabelChange(Asked):
    """What to change of a label."""

    name: Name | None = None
    colour: _Colour | None = None


class ActionRequest(Asked):
    """An action, under a name of its own, so that it can be sent twice and be done once."""

    id: Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{8,36}$")]
    action: Action


class StateRequest(Asked):
    """Whether a picture is done."""

    state: Literal["open", "done"]


class PlaceRequest(Asked):
    """A pixel, and the label that a click there would aim at."""

    x: int
    y: int
    label: Name | None = None
