"""Places: where the present object can be, and the picture conditioned on that."""

from __future__ import annotations

from dataclasses import dataclass

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.images.boxes import Box
from fewclicks.methods.base import AnyMethod, Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.session.prompts import FinishedObject
from fewclicks.session.scene import Scene


@dataclass(frozen=True, slots=True)
class Place:
    """What scenes with the same box and finished objects share.

    Parameters
    ----------
    objects, box
        Of the scene.
    taken : (H, W), optional
        True on finished objects.
    excluded : (H, W), optional
        True where the present object cannot be.
    prepared
        The picture, conditioned on that.
    """

    objects: tuple[FinishedObject, ...]
    box: Box | None
    taken: BoolMask | None
    excluded: BoolMask | None
    prepared: Prepared

    def belongs_to(self, scene: Scene) -> bool:
        """Whether this is the scene's place."""
        return self.box == scene.box and self.objects == scene.objects


class Places:
    """Condition one picture on scene after scene; the last place is kept, as most steps share it.

    Parameters
    ----------
    method
        Which conditions.
    prepared
        The picture; what it is conditioned on already stays so.
    """

    def __init__(self, method: AnyMethod, prepared: Prepared) -> None:
        self._method = method
        self.prepared = prepared
        self._last: Place | None = None

    def of(self, scene: Scene) -> Place:
        """Give the place of a scene."""
        if self._last is None or not self._last.belongs_to(scene):
            taken = self._taken_by(scene.objects)
            excluded = _union(_union(self.prepared.excluded, taken), scene.outside_box())
            prepared = self.prepared
            if excluded is not prepared.excluded:
                guidance = Guidance(excluded=excluded, depth=prepared.depth)
                prepared = self._method.condition(prepared, guidance)
            self._last = Place(scene.objects, scene.box, taken, excluded, prepared)
        return self._last

    def with_depth(self, depth: FloatMap | None) -> Places:
        """Condition the picture on another depth, or on none.

        Raises
        ------
        InputError
            If the method takes no depth.
        """
        guidance = Guidance(excluded=self.prepared.excluded, depth=depth)
        return Places(self._method, self._method.condition(self.prepared, guidance))

    def _taken_by(self, objects: tuple[FinishedObject, ...]) -> BoolMask | None:
        """Unite finished masks; most often there is one more than last time, or none."""
        known, taken = ((), None) if self._last is None else (self._last.objects, self._last.taken)
        if objects[: len(known)] != known:
            known, taken = (), None
        for finished in objects[len(known) :]:
            taken = _union(taken, finished.mask)
        return taken


def _union(one: BoolMask | None, other: BoolMask | None) -> BoolMask | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other
