"""Sittings: the mask of a picture's present object, found by the very `Session` of the package."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.images.masks import RunLengths, decode_rle
from fewclicks.methods.base import AnyMethod, Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.session.prompts import (
    DeclareExemplar,
    Finish,
    PackedMask,
    Scribble,
    Step,
    read_stroke,
    stroke_clicks,
)
from fewclicks.session.session import Session
from fewclicks.web.actions import (
    AcceptAction,
    BoxAction,
    BrushAction,
    ClickAction,
    LevelAction,
    Mask,
    RefuseAction,
    ScribbleAction,
    StepAction,
)
from fewclicks.web.desk import Desk, DeskObject, Search
from fewclicks.web.references import NO_GUIDES, Guides

_KEPT: Final = 16
_FRACTION_BITS: Final = 4


@dataclass(slots=True)
class _Sitting:
    """A session, what it keeps off and goes on from, and the prompts it has taken.

    ``guided`` are the labels with references; ``steps`` counts the session's for each prompt that
    stands, then for those that are undone.
    """

    prepared: Prepared
    ground: tuple[object, ...]
    session: Session
    guided: frozenset[str]
    prompts: tuple[StepAction, ...] = ()
    undone: tuple[StepAction, ...] = ()
    steps: tuple[int, ...] = ()

    def belongs_to(self, prepared: Prepared, ground: tuple[object, ...]) -> bool:
        # The very same: a picture that was prepared again has equal arrays, which are not one bool.
        return self.prepared is prepared and self.ground == ground

    def go_to(self, prompts: tuple[StepAction, ...]) -> None:
        """Take back and take prompts; those just taken back are remembered by the session."""
        common = _common(self.prompts, prompts)
        while len(self.prompts) > common:
            for _ in range(self.steps[len(self.prompts) - 1]):
                self.session.undo()
            self.undone = (self.prompts[-1], *self.undone)
            self.prompts = self.prompts[:-1]
        for prompt in prompts[common:]:
            if self.undone and self.undone[0] == prompt:
                for _ in range(self.steps[len(self.prompts)]):
                    self.session.redo()
                self.undone = self.undone[1:]
            else:
                count = _take(self.session, prompt, self.guided)
                self.steps = (*self.steps[: len(self.prompts)], count)
                self.undone = ()
            self.prompts = (*self.prompts, prompt)


class Sittings:
    """Sessions that go on from one request to the next; for one thread.

    A desk is all that counts: a session that is gone, after a restart say, is made again from it,
    and answers the same since methods are pure. One that is there takes the newest prompt only.

    Parameters
    ----------
    method
        Which answers.
    """

    def __init__(self, method: AnyMethod) -> None:
        self._method = method
        self._kept: OrderedDict[int, _Sitting] = OrderedDict()

    def mask(
        self, picture: int, prepared: Prepared, desk: Desk, guides: Guides = NO_GUIDES
    ) -> BoolMask:
        """(H, W) Find the mask of a desk's present object.

        Raises
        ------
        InputError
            If a prompt does not fit; those before it stand.
        """
        if desk.is_untouched and desk.reopened is not None:
            return decode_rle(desk.reopened[0].rle)
        return self.at(picture, prepared, desk, guides).mask

    def at(
        self, picture: int, prepared: Prepared, desk: Desk, guides: Guides = NO_GUIDES
    ) -> Session:
        """Give the session of a desk, all its prompts taken."""
        sitting, ground = self._kept.get(picture), _ground(desk, guides)
        if sitting is None or not sitting.belongs_to(prepared, ground):
            session = self._begin(prepared, desk, guides)
            sitting = _Sitting(prepared, ground, session, frozenset(guides.by_label))
            self._kept[picture] = sitting
        self._kept.move_to_end(picture)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        sitting.go_to(desk.prompts)
        return sitting.session

    def forget(self, picture: int) -> None:
        """Let go of a picture's session, if there is one."""
        self._kept.pop(picture, None)

    def keep_only(self, pictures: Iterable[int]) -> None:
        """Let go of the sessions of all other pictures."""
        for picture in self._kept.keys() - set(pictures):
            self.forget(picture)

    def _begin(self, prepared: Prepared, desk: Desk, guides: Guides) -> Session:
        if desk.search is not None:
            return Session.from_steps(self._method, prepared, _steps_of(desk.search))
        excluded = _union(desk)
        conditioned = prepared
        if excluded is not None:
            conditioned = self._method.condition(prepared, Guidance(excluded=excluded))
        initial = None if desk.origin is None else decode_rle(desk.origin)
        return Session(self._method, conditioned, initial_mask=initial, references=guides.by_label)


def brush_mask(shape: tuple[int, int], brush: BrushAction) -> BoolMask:
    """(H, W) Draw a brush's stroke: all pixels whose centre it passes within its radius.

    Parameters
    ----------
    shape
        Height and width.
    brush
        Points in pixels, the middle of the first pixel being (0.5, 0.5).
    """
    one = 1 << _FRACTION_BITS
    points = np.rint((np.array(brush.points) - 0.5) * one).astype(np.int32)
    drawn = np.zeros(shape, dtype=np.uint8)
    radius = max(1, round(brush.radius * one))
    for x, y in points.tolist():
        cv2.circle(drawn, (x, y), radius, 1, thickness=-1, shift=_FRACTION_BITS)
    if len(points) > 1:
        width = max(1, round(2 * brush.radius))
        cv2.polylines(drawn, [points], False, 1, thickness=width, shift=_FRACTION_BITS)
    return drawn.astype(bool)


def _take(session: Session, prompt: StepAction, guided: frozenset[str]) -> int:
    """Have a session take a prompt, aimed at a label that has references; count its steps."""
    before = len(session.steps)
    label = getattr(prompt, "label", None)
    wanted = label if label in guided else None
    try:
        if session.label != wanted:
            session.aim_at(wanted)
        _do(session, prompt)
    except BaseException:
        for _ in range(len(session.steps) - before):
            session.undo()
        raise
    return len(session.steps) - before


def _do(session: Session, prompt: StepAction) -> None:
    match prompt:
        case ClickAction(x=x, y=y, is_positive=is_positive):
            session.click(x, y, is_positive=is_positive)
        case BoxAction(x0=x0, y0=y0, x1=x1, y1=y1):
            session.box(x0, y0, x1, y1)
        case ScribbleAction(points=points, is_positive=is_positive):
            session.scribble(points, is_positive=is_positive)  # type: ignore[arg-type]
        case LevelAction(index=index):
            session.choose_level(index)
        case BrushAction(is_positive=is_positive):
            mask = session.mask
            stroke = brush_mask((mask.shape[0], mask.shape[1]), prompt)
            session.correct(mask | stroke if is_positive else mask & ~stroke)
        case AcceptAction(mask=Mask() as proposal):
            session.others.accept_mask(_packed(proposal.rle))
        case RefuseAction(mask=Mask() as proposal):
            session.others.refuse_mask(_packed(proposal.rle))


def _steps_of(search: Search) -> list[Step]:
    """List what leads to a search: the exemplar and how it was found, the other objects, the word.

    The exemplar comes first, where nothing is taken yet that its clicks could lie on.
    """
    exemplar = search.exemplar
    others = [one for one in search.before if one.id != exemplar.id]
    finishes = [Finish(one.label, _packed(one.rle)) for one in (exemplar, *others)]
    return [*_clicks_of(exemplar), *finishes, DeclareExemplar(0)]


def _clicks_of(finished: DeskObject) -> Iterator[Step]:
    for prompt in finished.prompts:
        match prompt:
            case ClickAction(x=x, y=y, is_positive=is_positive):
                yield Click(x, y, is_positive=is_positive)
            case ScribbleAction(points=points, is_positive=is_positive):
                corners = read_stroke(points)  # type: ignore[arg-type]
                yield Scribble(tuple(stroke_clicks(corners, is_positive=is_positive)))


def _packed(rle: RunLengths) -> PackedMask:
    height, width = rle["size"]
    return PackedMask(height=height, width=width, counts=rle["counts"])


def _ground(desk: Desk, guides: Guides) -> tuple[object, ...]:
    """Name all that a desk's session begins with."""
    if desk.search is not None:
        before = tuple((one.id, _counts(one.rle)) for one in desk.search.before)
        return ("search", desk.search.exemplar.id, before)
    taken = tuple(sorted(_counts(one.rle) for one in desk.objects))
    return ("object", taken, _counts(desk.origin), guides.ids)


def _union(desk: Desk) -> BoolMask | None:
    masks = [decode_rle(one.rle) for one in desk.objects]
    return np.logical_or.reduce(masks) if masks else None


def _common(one: tuple[StepAction, ...], other: tuple[StepAction, ...]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _counts(rle: RunLengths | None) -> str:
    return "" if rle is None else rle["counts"]
