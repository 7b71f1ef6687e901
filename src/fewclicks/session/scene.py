"""Scene: what all the steps so far come to, before any method is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fewclicks.arrays import BoolMask
from fewclicks.clicks import Click, check_clicks, positives
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box
from fewclicks.session.exemplars import ChosenExemplar, choose_exemplar, clicks_on
from fewclicks.session.prompts import (
    Accept,
    Aim,
    Correction,
    DeclareExemplar,
    Finish,
    FinishedObject,
    LevelChoice,
    PackedMask,
    Refuse,
    Scribble,
    Step,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """The prompts of the present object, and the objects before it.

    Parameters
    ----------
    height, width
        Of the picture, in pixels.
    clicks
        What the person clicked on the present object, strokes included.
    box
        Where the present object lies.
    prompts
        Every step of the present object.
    objects
        Finished ones, oldest first.
    label
        What is being segmented, if somebody said so.
    exemplar
        Which finished object's kind is looked for.
    refused
        Proposals that are none of its kind.
    """

    height: int
    width: int
    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    prompts: tuple[Step, ...] = ()
    objects: tuple[FinishedObject, ...] = ()
    label: str | None = None
    exemplar: int | None = None
    refused: tuple[PackedMask, ...] = ()

    def after(self, step: Step, excluded: BoolMask | None) -> Scene:
        """Take one more step.

        Parameters
        ----------
        step
            Is checked here and nowhere else.
        excluded : (H, W), optional
            Where the present object cannot be: on finished ones, and outside the box.

        Raises
        ------
        InputError
            If the step does not fit: outside the picture or the box, or on a finished object.
        """
        prompts = (*self.prompts, step)
        match step:
            case Click():
                self._check_click(step, excluded)
                return replace(self, clicks=(*self.clicks, step), prompts=prompts)
            case Scribble(clicks):
                for click in clicks:
                    self._check_click(click, excluded)
                return replace(self, clicks=(*self.clicks, *clicks), prompts=prompts)
            case Box():
                self._check_box(step)
                return replace(self, box=step, prompts=prompts)
            case Correction(mask):
                self._check_mask(mask)
                return replace(self, prompts=prompts)
            case LevelChoice(level):
                newest = replace(self.newest_click(), level=level)
                return replace(self, clicks=(*self.clicks[:-1], newest), prompts=prompts)
            case Finish(label, mask):
                self._check_mask(mask)
                finished = FinishedObject(label=label, packed=mask, prompts=self.prompts)
                return self._with_next((*self.objects, finished))
            case Aim(label):
                return replace(self, label=label)
            case DeclareExemplar(number):
                return self._search_kind_of(number, excluded)
            case Accept(mask):
                self._check_mask(mask)
                accepted = FinishedObject(
                    label=self.exemplar_now().finished.label,
                    packed=mask,
                    prompts=clicks_on(self.clicks, mask.unpack()),
                )
                return replace(self, objects=(*self.objects, accepted))
            case Refuse(mask):
                self._check_mask(mask)
                self.exemplar_now()
                return replace(self, refused=(*self.refused, mask))

    @property
    def chosen_exemplar(self) -> ChosenExemplar | None:
        """The finished object whose kind is looked for, if one is."""
        return None if self.exemplar is None else choose_exemplar(self.objects, self.exemplar)

    def _search_kind_of(self, number: int | None, excluded: BoolMask | None) -> Scene:
        if number is None:
            # Without a search there may be an object, which is not to be lost.
            return self if self.exemplar is None else self._with_next(self.objects)
        if self.prompts:
            raise InputError(
                "An object is open; finish it, or undo its steps, before another is declared the "
                "exemplar."
            )
        choose_exemplar(self.objects, number)
        if self.exemplar is None and excluded is not None and excluded.all():
            raise InputError(
                "Finished objects cover the whole picture; others of a kind need room beside them."
            )
        return replace(self, exemplar=number, refused=())

    def exemplar_now(self) -> ChosenExemplar:
        """Give the finished object whose kind is looked for.

        Raises
        ------
        InputError
            If no search is on.
        """
        chosen = self.chosen_exemplar
        if chosen is None:
            raise InputError("Nothing is proposed; declare a finished object the exemplar first.")
        return chosen

    def _with_next(self, objects: tuple[FinishedObject, ...]) -> Scene:
        """Begin another object, of the same label until somebody says otherwise."""
        return Scene(height=self.height, width=self.width, objects=objects, label=self.label)

    def newest_click(self) -> Click:
        """Give the click whose level can be chosen.

        Raises
        ------
        InputError
            If there is none, or a mask was put in the place of its answer.
        """
        if not self.clicks:
            raise InputError("The object has no click whose level could be chosen; click first.")
        if any(isinstance(step, Correction) for step in self.prompts[self._newest_step() :]):
            raise InputError(
                "The newest click's answer was corrected; undo the correction or click again "
                "before choosing a level."
            )
        return self.clicks[-1]

    def outside_box(self) -> BoolMask | None:
        """(H, W) True outside the box; None if there is none."""
        if self.box is None:
            return None
        mask = np.ones((self.height, self.width), dtype=bool)
        self.box.crop(mask)[:] = False
        return mask

    def asked(self, excluded: BoolMask | None) -> tuple[Click, ...]:
        """Clicks for the method: the person's, led by the box's centre while none is positive.

        Raises
        ------
        InputError
            If the box has no pixel that is not excluded.
        """
        if self.box is None or self.exemplar is not None or positives(self.clicks):
            return self.clicks
        return (_centre(self.box, excluded), *self.clicks)

    def _newest_step(self) -> int:
        """Which prompt, of all of the object, made the newest click."""
        return max(
            number
            for number, step in enumerate(self.prompts)
            if isinstance(step, (Click, Scribble))
        )

    def _check_click(self, click: Click, excluded: BoolMask | None) -> None:
        check_clicks([click], height=self.height, width=self.width)
        if not click.is_positive or excluded is None or not excluded[click.y, click.x]:
            return
        place = f"Click at x={click.x}, y={click.y}"
        for finished in self.objects:
            if finished.mask[click.y, click.x]:
                raise InputError(
                    f"{place} is on the finished object '{finished.label}'; click beside it, or "
                    "undo until it is open again."
                )
        if any(mask.unpack()[click.y, click.x] for mask in self.refused):
            raise InputError(
                f"{place} is on a proposal that was refused; undo that, or click beside it."
            )
        if self.box is not None:
            raise InputError(f"{place} is outside the {self.box}; draw a larger box first.")
        raise InputError(f"{place} is where the object cannot be; click elsewhere.")

    def _check_box(self, box: Box) -> None:
        if box.x0 < 0 or box.y0 < 0 or box.x1 > self.width or box.y1 > self.height:
            raise InputError(
                f"{box} leaves the image (width {self.width}, height {self.height}); needs "
                "X0,Y0,X1,Y1 with x1 <= width and y1 <= height."
            )
        for click in positives(self.clicks):
            if not (box.x0 <= click.x < box.x1 and box.y0 <= click.y < box.y1):
                raise InputError(
                    f"{box} leaves out the positive click at x={click.x}, y={click.y}; draw a "
                    "larger box, or undo the click."
                )

    def _check_mask(self, mask: PackedMask) -> None:
        size, needed = (mask.height, mask.width), (self.height, self.width)
        if size != needed:
            raise ShapeError.differs("mask", size, needed=needed, of="the image")


def _centre(box: Box, excluded: BoolMask | None) -> Click:
    """Click the free pixel nearest to the box's centre; ties: the first in row-major order."""
    x, y = (box.x0 + box.x1 - 1) // 2, (box.y0 + box.y1 - 1) // 2
    if excluded is None or not excluded[y, x]:
        return Click(x=x, y=y)
    rows, columns = np.nonzero(~box.crop(excluded))
    if rows.size == 0:
        raise InputError(f"{box} holds nothing but excluded pixels; draw a larger box.")
    nearest = np.argmin((rows + box.y0 - y) ** 2 + (columns + box.x0 - x) ** 2)
    return Click(x=int(columns[nearest]) + box.x0, y=int(rows[nearest]) + box.y0)
