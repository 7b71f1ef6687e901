"""Session: one person, one picture, one method; the only place with history."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click, check_clicks
from fewclicks.errors import InputError
from fewclicks.images.boxes import Box
from fewclicks.methods.base import AnyMethod, Prediction, Prepared
from fewclicks.methods.guidance import Reference
from fewclicks.methods.maps import with_levels
from fewclicks.session.answers import Answers
from fewclicks.session.history import KEPT_BYTES, KeptAnswers
from fewclicks.session.pictures import check_depth, check_mask, check_picture
from fewclicks.session.places import Places
from fewclicks.session.prompts import (
    Aim,
    Correction,
    Finish,
    FinishedObject,
    LevelChoice,
    PackedMask,
    Point,
    Scribble,
    Step,
    read_stroke,
    stroke_clicks,
)
from fewclicks.session.timeline import Timeline
from fewclicks.session.view import SessionView


class Session(SessionView):
    """Clicks on one picture, with undo, redo and several objects.

    Parameters
    ----------
    method
        Is asked after every step; several sessions, in several threads, may share it.
    image : (H, W, 3)
        In [0, 255]; or what ``method.prepare`` gave for it, so that sessions on several objects
        of one picture prepare it once.
    depth : (H, W), optional
        As `set_depth` takes it.
    initial_mask : (H, W), optional
        A mask of the first object to correct. It is the answer until the first click, and the
        ``previous`` answer of that click; methods that look at clicks only (the classical ones)
        let go of it then.
    references
        Of labels; as `attach_reference` takes them.
    kept_bytes
        Memory for answers that undo gives back at once; older ones are computed again, which
        gives the same answer since methods are pure.

    Raises
    ------
    InputError
        If the image is none, the depth or the mask is not of its size, or the method takes no
        depth or no references.

    Notes
    -----
    A step that fails leaves the session as it was. A session belongs to one thread at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from fewclicks import Session, create_method
    >>> image = np.zeros((40, 60, 3), dtype=np.uint8)
    >>> image[10:30, 10:30] = 255
    >>> session = Session(create_method("graphcut"), image)
    >>> answer = session.click(x=20, y=20)
    >>> session.can_undo, session.can_redo
    (True, False)
    """

    def __init__(
        self,
        method: AnyMethod,
        image: RgbImage | Prepared,
        *,
        depth: FloatMap | None = None,
        initial_mask: BoolMask | None = None,
        references: Mapping[str, Sequence[Reference]] | None = None,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        prepared = image if isinstance(image, Prepared) else method.prepare(check_picture(image))
        answers = Answers(method, Places(method, prepared), KeptAnswers(kept_bytes))
        super().__init__(method, Timeline(answers))
        if depth is not None:
            self.set_depth(depth)
        for label, shown in (references or {}).items():
            self.attach_reference(label, shown)
        if initial_mask is not None:
            mask = check_mask(initial_mask, self._shape)
            self._timeline.begin_with(PackedMask.pack(mask))

    def click(
        self, x: int, y: int, *, is_positive: bool = True, level: float | None = None
    ) -> Prediction:
        """Say that a pixel belongs to the object, or that it does not.

        Parameters
        ----------
        x, y, is_positive, level
            As for `Click`; a level needs a method that has levels.

        Raises
        ------
        InputError
            If the pixel is outside the image, or a positive click is on a finished object or
            outside the box.
        """
        if level is not None:
            with_levels(self._method)
        return self._take(Click(x=x, y=y, is_positive=is_positive, level=level))

    def choose_level(self, level: int) -> Prediction:
        """Let the newest click stand for another of its `levels`: a part, the object, a group.

        Parameters
        ----------
        level
            Index into ``levels.thresholds``.

        Raises
        ------
        InputError
            If there is no such level, or there are none; see `levels`.
        """
        return self._take(LevelChoice(self.levels.threshold(level)))

    def scribble(self, points: Iterable[Point], *, is_positive: bool = True) -> Prediction:
        """Draw a stroke over the object, or over what is not the object: one step.

        Parameters
        ----------
        points
            Corners of the stroke, as `Point` or pairs ``(x, y)``; a bounded number of clicks is
            sampled along it by arc length. Where a positive stroke crosses finished objects or
            leaves the box, no click is sampled.
        is_positive
            True on the object.

        Raises
        ------
        InputError
            If a point is outside the image, or no click is left.
        """
        corners = read_stroke(points)
        places = [Click(x=math.floor(corner.x), y=math.floor(corner.y)) for corner in corners]
        check_clicks(places, height=self._shape[0], width=self._shape[1])
        clicks = stroke_clicks(corners, is_positive=is_positive)
        excluded = self._timeline.excluded
        if is_positive and excluded is not None:
            clicks = [click for click in clicks if not excluded[click.y, click.x]] or clicks
        return self._take(Scribble(tuple(clicks)))

    def box(self, x0: int, y0: int, x1: int, y1: int) -> Prediction:
        """Say that the object lies in columns ``x0 … x1 - 1`` and rows ``y0 … y1 - 1``.

        Nothing outside becomes part of the mask, and the centre stands as a positive click until
        the person makes one. A second box replaces the first.

        Raises
        ------
        InputError
            If the box is empty, leaves the image or a positive click out, or is all excluded.
        """
        return self._take(Box(x0, y0, x1, y1))

    def correct(self, mask: BoolMask) -> Prediction:
        """Put a mask from elsewhere, (H, W), in the place of the answer, and go on from it.

        The clicks so far still stand. How much of the mask outlives the next click is the
        method's choice, as for an initial mask.

        Raises
        ------
        InputError
            If the mask is not boolean, or not of the image's size.
        """
        wanted = check_mask(mask, self._shape)
        return self._take(Correction(PackedMask.pack(self._timeline.within(wanted))))

    def finish_object(self, label: str) -> FinishedObject:
        """Close the present object, and begin the next one, which keeps off it.

        Raises
        ------
        InputError
            If the object has no pixel yet, or no label.
        """
        name, mask = _named(label), self.mask
        if not mask.any():
            raise InputError(f"Object '{name}' is still empty; click on it before finishing it.")
        self._timeline.advance(Finish(name, PackedMask.pack(mask)))
        return self.objects[-1]

    def aim_at(self, label: str | None) -> Prediction | None:
        """Say what is segmented from now on, so that the label's references guide the clicks.

        Clicks so far keep their answer. Without references, clicks are answered as ever; see
        `notice`.

        Parameters
        ----------
        label
            None for nothing in particular.

        Raises
        ------
        InputError
            If the label is empty.
        """
        self._timeline.advance(Aim(None if label is None else _named(label)))
        return self.prediction

    def set_depth(self, depth: FloatMap | None) -> Prediction | None:
        """Say how near each pixel is, and have the present clicks answered with that.

        Depth belongs to the picture as the image does: it is no step, so that undo leaves it.

        Parameters
        ----------
        depth : (H, W)
            In [0, 1], 1 is nearest; `fewclicks.read_depth` reads files that way. None for what
            the method's own source of depth says, if it has one.

        Raises
        ------
        InputError
            If the method takes no depth, or the values are no such map.
        """
        known = None if depth is None else check_depth(depth, self._shape)
        return self._timeline.answer_anew(self._timeline.answers.with_depth(known))

    def attach_reference(self, label: str, references: Sequence[Reference]) -> Prediction | None:
        """Show what a label means on other pictures, and have the present clicks answered so.

        References are used while their label is aimed at (`aim_at`). As depth, they are no step.

        Parameters
        ----------
        references
            They take the place of those the label has; several are averaged, none lets them go.

        Raises
        ------
        InputError
            If the method takes no references, or the label is empty.
        """
        if isinstance(references, Reference):
            raise InputError("references is one Reference; needs a list of them, [reference].")
        answers = self._timeline.answers.with_references(_named(label), references)
        return self._timeline.answer_anew(answers)

    def undo(self) -> Prediction | None:
        """Take the last step back, whatever it was; None where no answer came before it.

        Raises
        ------
        InputError
            If there is no step left.
        """
        if not self.can_undo:
            raise InputError("There is no step to undo.")
        return self._timeline.go_to(self._timeline.index - 1)

    def redo(self) -> Prediction | None:
        """Take the step again that was undone last.

        Raises
        ------
        InputError
            If no step was undone, or another was taken since.
        """
        if not self.can_redo:
            raise InputError("There is no step to redo.")
        return self._timeline.go_to(self._timeline.index + 1)

    # On paper.

    def to_json(self) -> str:
        """Write the sitting down: its steps, undone ones too, and a checksum of the picture.

        Depth and references are not written; set them again on the sitting that is taken up.
        """
        from fewclicks.session.saving import Sitting, write_sitting

        first, line = self._timeline.moments[0], self._timeline
        initial = first.step.mask if isinstance(first.step, Correction) else None
        sitting = Sitting(initial=initial, steps=line.steps(undone=True), done=line.index)
        return write_sitting(sitting, image=self.image, method=self._method)

    @classmethod
    def from_json(
        cls, text: str, method: AnyMethod, image: RgbImage | Prepared, *, source: str = "session"
    ) -> Session:
        """Take up a sitting that `to_json` wrote.

        Finished objects come back as they were. The answer on the present one is the method's;
        it is the answer there was where the method and its settings are the same.

        Parameters
        ----------
        text
            What `to_json` gave.
        method
            To go on with.
        image : (H, W, 3)
            The same picture, or what ``method.prepare`` gave for it.
        source
            What messages call the text.

        Raises
        ------
        InputError
            If the text is no saved session, or one of another picture.
        """
        from fewclicks.session.saving import read_sitting

        pixels = image.image if isinstance(image, Prepared) else check_picture(image)
        sitting = read_sitting(text, image=pixels, source=source)
        session = cls(method, image)
        try:
            if sitting.initial is not None:
                session._timeline.begin_with(sitting.initial)
            session._timeline.take_up(sitting.steps, done=sitting.done)
        except InputError as error:
            raise InputError(f"{source} holds a step that does not fit: {error}") from None
        return session

    @classmethod
    def from_steps(
        cls, method: AnyMethod, image: RgbImage | Prepared, steps: Sequence[Step]
    ) -> Session:
        """Take up a sitting whose steps are known; only the last answer is asked for.

        Parameters
        ----------
        steps
            As another session's `steps` gives them.

        Raises
        ------
        InputError
            If a step does not fit.
        """
        session = cls(method, image)
        session._timeline.take_up(steps, done=len(steps))
        return session

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file, whole or not at all.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        from fewclicks.files import write_text

        write_text(Path(path), self.to_json())

    @classmethod
    def load(cls, path: str | Path, method: AnyMethod, image: RgbImage | Prepared) -> Session:
        """Take up a sitting from a file; see `from_json`.

        Raises
        ------
        InputError
            If the file is no saved session, or one of another picture.
        StorageError
            If it cannot be read.
        """
        from fewclicks.files import read_text

        return cls.from_json(read_text(Path(path)), method, image, source=str(path))

    # How it works.

    def _take(self, step: Step) -> Prediction:
        self._timeline.advance(step)
        if self.prediction is None:
            raise AssertionError(f"{step} has no answer")
        return self.prediction


def _named(label: str) -> str:
    if not label.strip():
        raise InputError("The object's label is empty; needs a name, such as 'dog'.")
    return label.strip()
