"""Sittings: the mask of a picture's present object, found by the very `Session` of the package."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.images.masks import RunLengths, decode_rle
from fewclicks.methods.base import AnyMethod, Prepared
from fewclicks.methods.guidance import Exemplar, Guidance
from fewclicks.session.exemplars import split_into_proposals
from fewclicks.session.session import Session
from fewclicks.web.actions import (
    BoxAction,
    BrushAction,
    ClickAction,
    LevelAction,
    PromptAction,
    ScribbleAction,
)
from fewclicks.web.desk import Desk

_KEPT: Final = 16
_FRACTION_BITS: Final = 4


@dataclass(slots=True)
class _Sitting:
    """A session, what it keeps off and goes on from, and the prompts it has taken."""

    prepared: Prepared
    taken: tuple[str, ...]
    origin: str
    session: Session
    prompts: tuple[PromptAction, ...] = ()
    undone: tuple[PromptAction, ...] = ()

    def belongs_to(self, prepared: Prepared, desk: Desk) -> bool:
        # The very same: equality of pictures that were prepared twice is no single bool.
        is_same = self.prepared is prepared
        return is_same and (self.taken, self.origin) == (_taken(desk), _counts(desk.origin))

    def go_to(self, prompts: tuple[PromptAction, ...]) -> None:
        """Take back and take prompts; those just taken back are remembered by the session."""
        common = _common(self.prompts, prompts)
        while len(self.prompts) > common:
            self.session.undo()
            self.undone = (self.prompts[-1], *self.undone)
            self.prompts = self.prompts[:-1]
        for prompt in prompts[common:]:
            if self.undone and self.undone[0] == prompt:
                self.session.redo()
                self.undone = self.undone[1:]
            else:
                _take(self.session, prompt)
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

    def mask(self, picture: int, prepared: Prepared, desk: Desk) -> BoolMask:
        """(H, W) Find the mask of a desk's present object.

        Raises
        ------
        InputError
            If a prompt does not fit; those before it stand.
        """
        if desk.is_untouched and desk.reopened is not None:
            return decode_rle(desk.reopened[0].rle)
        return self.at(picture, prepared, desk).mask

    def at(self, picture: int, prepared: Prepared, desk: Desk) -> Session:
        """Give the session of a desk, all its prompts taken."""
        sitting = self._kept.get(picture)
        if sitting is None or not sitting.belongs_to(prepared, desk):
            sitting = self._begin(prepared, desk)
            self._kept[picture] = sitting
        self._kept.move_to_end(picture)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        sitting.go_to(desk.prompts)
        return sitting.session

    def preview(self, picture: int, prepared: Prepared, desk: Desk, x: int, y: int) -> BoolMask:
        """(H, W) Find what a click on a pixel would give, without taking it."""
        click = ClickAction(kind="click", x=x, y=y, is_positive=True)
        return self.at(picture, prepared, replace(desk, prompts=(*desk.prompts, click))).mask

    def others(self, prepared: Prepared, desk: Desk, number: int) -> list[BoolMask]:
        """Find the other objects of a finished one's kind, the largest first.

        Raises
        ------
        InputError
            If there is no such object, or the method takes no exemplar.
        """
        chosen = next((one for one in desk.objects if one.id == number), None)
        if chosen is None:
            raise InputError(f"There is no finished object {number}; finish it first.")
        mask = decode_rle(chosen.rle)
        clicks = tuple(
            Click(one.x, one.y, is_positive=one.is_positive)
            for one in chosen.prompts
            if isinstance(one, ClickAction)
        )
        taken = _union(desk)
        guidance = Guidance(excluded=taken, exemplar=Exemplar(mask=mask, clicks=clicks))
        answer = self._method.predict(self._method.condition(prepared, guidance), [])
        found = answer.mask if taken is None else answer.mask & ~taken
        return [proposal.mask for proposal in split_into_proposals(found, mask)]

    def forget(self, picture: int) -> None:
        """Let go of a picture's session, if there is one."""
        self._kept.pop(picture, None)

    def clear(self) -> None:
        """Let go of all sessions."""
        self._kept.clear()

    def _begin(self, prepared: Prepared, desk: Desk) -> _Sitting:
        excluded = _union(desk)
        conditioned = prepared
        if excluded is not None:
            conditioned = self._method.condition(prepared, Guidance(excluded=excluded))
        origin = desk.origin
        initial = None if origin is None else decode_rle(origin)
        session = Session(self._method, conditioned, initial_mask=initial)
        return _Sitting(prepared, _taken(desk), _counts(origin), session)


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


def _take(session: Session, prompt: PromptAction) -> None:
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


def _union(desk: Desk) -> BoolMask | None:
    masks = [decode_rle(one.rle) for one in desk.objects]
    return np.logical_or.reduce(masks) if masks else None


def _common(one: tuple[PromptAction, ...], other: tuple[PromptAction, ...]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _taken(desk: Desk) -> tuple[str, ...]:
    return tuple(sorted(_counts(one.rle) for one in desk.objects))


def _counts(rle: RunLengths | None) -> str:
    return "" if rle is None else rle["counts"]
