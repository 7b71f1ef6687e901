"""View: what a person sees of a session; all of it follows from where its timeline stands."""

from __future__ import annotations

import numpy as np

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.methods.base import AnyMethod, Prediction
from fewclicks.methods.maps import ClickMaps, Levels, with_levels, with_maps
from fewclicks.session.kind_search import KindSearch
from fewclicks.session.prompts import FinishedObject, Step
from fewclicks.session.timeline import Timeline


class SessionView:
    """A session as its `Session` lets it be seen; nothing here changes it.

    Parameters
    ----------
    method
        Which answers.
    timeline
        Where the session stands.
    """

    def __init__(self, method: AnyMethod, timeline: Timeline) -> None:
        self._method = method
        self._timeline = timeline

    @property
    def can_undo(self) -> bool:
        """Whether a step is left to undo."""
        return self._timeline.index > 0

    @property
    def can_redo(self) -> bool:
        """Whether an undone step is left to redo."""
        return self._timeline.index < len(self._timeline.moments) - 1

    @property
    def image(self) -> RgbImage:
        """(H, W, 3), the picture."""
        return self._timeline.answers.places.prepared.image

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step that stands, of all objects, oldest first; an initial mask is none."""
        return self._timeline.steps(undone=False)

    @property
    def clicks(self) -> tuple[Click, ...]:
        """On the present object, strokes included."""
        return self._timeline.now.scene.clicks

    @property
    def objects(self) -> tuple[FinishedObject, ...]:
        """Finished ones, oldest first."""
        return self._timeline.now.scene.objects

    @property
    def label(self) -> str | None:
        """What is aimed at; see `aim_at`."""
        return self._timeline.now.scene.label

    @property
    def notice(self) -> str | None:
        """What a person should know of the present clicks: that their label has no reference."""
        label = self.label
        if label is None or label in self._timeline.answers.places.references:
            return None
        return f"No reference is attached to '{label}'; clicks are answered without one."

    @property
    def others(self) -> KindSearch:
        """The search for other objects of a finished one's kind, which is their exemplar."""
        return KindSearch(self._timeline)

    @property
    def prediction(self) -> Prediction | None:
        """The method's answer to the last step; None before the first one of an object."""
        return self._timeline.prediction

    @property
    def mask(self) -> BoolMask:
        """(H, W) True on the present object; a new array, never on excluded pixels."""
        if self.prediction is None:
            return np.zeros(self._shape, dtype=bool)
        return self._timeline.within(self.prediction.mask)

    @property
    def probability(self) -> FloatMap:
        """(H, W) of belonging to the present object; a new array, 0 on excluded pixels."""
        if self.prediction is None:
            return np.zeros(self._shape, dtype=np.float32)
        probability = self.prediction.probability.copy()
        excluded = self._timeline.excluded
        if excluded is not None:
            probability[excluded] = 0
        return probability

    @property
    def levels(self) -> Levels:
        """The segments that the newest click may stand for; see `choose_level`.

        Raises
        ------
        InputError
            If the method has no levels, or the present object no click.
        """
        method = with_levels(self._method)
        now = self._timeline.now
        now.scene.newest_click()
        before = self._timeline.before_newest_click()
        return method.levels(self._timeline.prepared, now.asked, before)

    @property
    def maps(self) -> list[ClickMaps]:
        """How the method sees the picture from each click; an `InputError` if it has no maps."""
        method = with_maps(self._method)
        asked, before = self._timeline.now.asked, self._timeline.before_newest_click()
        return method.maps(self._timeline.prepared, asked, before)

    @property
    def _shape(self) -> tuple[int, int]:
        return self._timeline.answers.places.prepared.shape
