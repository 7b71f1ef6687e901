"""Places: what is known of the present object besides clicks, and the picture conditioned on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fewclicks.arrays import BoolMask, FloatMap
from fewclicks.images.boxes import Box
from fewclicks.methods.base import AnyMethod, Prepared
from fewclicks.methods.guidance import Exemplar, Guidance, Reference
from fewclicks.session.exemplars import ChosenExemplar
from fewclicks.session.prompts import FinishedObject, PackedMask
from fewclicks.session.scene import Scene


@dataclass(frozen=True, slots=True)
class Place:
    """What scenes with the same box, objects, label and exemplar share.

    Parameters
    ----------
    objects, refused, box, label, exemplar
        Of the scene.
    taken : (H, W), optional
        True on finished objects.
    excluded : (H, W), optional
        True where the present object cannot be.
    prepared
        The picture, conditioned on that.
    """

    objects: tuple[FinishedObject, ...]
    refused: tuple[PackedMask, ...]
    box: Box | None
    label: str | None
    exemplar: ChosenExemplar | None
    taken: BoolMask | None
    excluded: BoolMask | None
    prepared: Prepared

    def belongs_to(self, scene: Scene) -> bool:
        """Whether this is the scene's place."""
        return (
            self.box == scene.box
            and self.label == scene.label
            and self.objects == scene.objects
            and self.refused == scene.refused
            and self.exemplar == scene.chosen_exemplar
        )


class Places:
    """Condition one picture on scene after scene; the last place is kept, as most steps share it.

    Parameters
    ----------
    method
        Which conditions.
    prepared
        The picture; what it is conditioned on already stays so.
    references
        Of each label.
    """

    def __init__(
        self,
        method: AnyMethod,
        prepared: Prepared,
        references: Mapping[str, tuple[Reference, ...]] | None = None,
    ) -> None:
        self._method = method
        self.prepared = prepared
        self.references = dict(references or {})
        self._last: Place | None = None

    def of(self, scene: Scene) -> Place:
        """Give the place of a scene."""
        if self._last is None or not self._last.belongs_to(scene):
            taken = self._taken_by(scene.objects)
            excluded = _union(_union(self.prepared.excluded, taken), scene.outside_box())
            for mask in scene.refused:
                excluded = _union(excluded, mask.unpack())
            self._last = Place(
                objects=scene.objects,
                refused=scene.refused,
                box=scene.box,
                label=scene.label,
                exemplar=scene.chosen_exemplar,
                taken=taken,
                excluded=excluded,
                prepared=self._conditioned(scene, excluded),
            )
        return self._last

    def with_depth(self, depth: FloatMap | None) -> Places:
        """Condition the picture on another depth, or on none.

        Raises
        ------
        InputError
            If the method takes no depth.
        """
        known = self.prepared
        guidance = Guidance(
            excluded=known.excluded,
            depth=depth,
            references=known.references,
            exemplar=known.exemplar,
        )
        return Places(self._method, self._method.condition(known, guidance), self.references)

    def with_references(self, label: str, references: Sequence[Reference]) -> Places:
        """Know other references of a label; they are looked at now, and not with the first click.

        Raises
        ------
        InputError
            If the method takes no references.
        """
        if references:
            self._method.condition(self.prepared, Guidance(references=tuple(references)))
        kept = {name: known for name, known in self.references.items() if name != label}
        given = {label: tuple(references)} if references else {}
        return Places(self._method, self.prepared, kept | given)

    def _conditioned(self, scene: Scene, excluded: BoolMask | None) -> Prepared:
        known, chosen = self.prepared, scene.chosen_exemplar
        references = known.references
        if scene.label is not None:
            references = self.references.get(scene.label, references)
        exemplar: Exemplar | None = known.exemplar if chosen is None else chosen.guidance
        same = references == known.references and exemplar is known.exemplar
        if excluded is known.excluded and same:
            return known
        guidance = Guidance(
            excluded=excluded, depth=known.depth, references=references, exemplar=exemplar
        )
        # From the last place, whose exemplar a method need not look at again; all else is replaced.
        before = known if self._last is None else self._last.prepared
        prepared: Prepared = self._method.condition(before, guidance)
        return prepared

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
