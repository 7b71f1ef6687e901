"""iCMFormer++: one finished object says what else on the picture is meant, as published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from fewclicks.arrays import FloatMap
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.methods.base import Prediction
from fewclicks.methods.guidance import Exemplar, Guidance, is_same_exemplar
from fewclicks.methods.memo import Memo
from fewclicks.methods.transformer.icmformer import ICMFormerConfig
from fewclicks.methods.transformer.simpleclick import EmbeddedPicture, SimpleClick

if TYPE_CHECKING:
    from fewclicks.methods.transformer.exemplar_inference import ExemplarInference

_PARTS_KEPT: Final = 2  # of the base network a part takes 19 MB, twice that with its mirror


@dataclass(frozen=True, kw_only=True)
class ExemplarPicture(EmbeddedPicture):
    """A picture, its embedded parts, and what the exemplar says in them.

    Parameters
    ----------
    exemplar
        One object of several that are meant; None if clicks alone say what is.
    told
        What picture and exemplar give in parts, kept from click to click.
    """

    exemplar: Exemplar | None = None
    told: Memo[Box, Any] = field(default_factory=lambda: Memo(_PARTS_KEPT), compare=False)


class ICMFormerPP(SimpleClick):
    """A trained click network that takes an exemplar.

    Parameters
    ----------
    config
        Must name the weights.

    Raises
    ------
    WeightsError
        If no weights are named, or they are not on this machine.
    MissingExtraError
        If torch or transformers is not installed.

    Notes
    -----
    With an exemplar, all objects of its kind are meant, itself too: it is always within the part
    that is looked at, and there is an answer before the first click. Without one its maps are
    empty; clicks are answered as by a network that was shown nothing. What the exemplar says is
    worked out once for each part, not for each click.

    References
    ----------
    .. [1] Li et al., "Learning from Exemplars for Interactive Image Segmentation", 2024
       (arXiv:2406.11472).
    """

    config_type: ClassVar = ICMFormerConfig
    name: ClassVar[str] = "icmformer_pp"
    runs_exported: ClassVar[bool] = False
    picture_type: ClassVar = ExemplarPicture

    def condition(self, prepared: EmbeddedPicture, guidance: Guidance) -> ExemplarPicture:
        """Bring in an exemplar, and keep excluded pixels off the object.

        Raises
        ------
        InputError
            If there is guidance that the method has no use for.
        ShapeError
            If a mask is not of the picture's size.
        """
        guidance.check(prepared.shape, takes=("exemplar",))
        before, exemplar = cast("ExemplarPicture", prepared), guidance.exemplar
        if is_same_exemplar(before.exemplar, exemplar):
            return replace(before, excluded=guidance.excluded)
        told: Memo[Box, Any] = Memo(_PARTS_KEPT)
        guided = replace(before, excluded=guidance.excluded, exemplar=exemplar, told=told)
        if exemplar is not None:
            self._tell(guided, Box(0, 0, prepared.width, prepared.height))
        return guided

    def _is_asked(
        self, prepared: EmbeddedPicture, clicks: Sequence[Click], previous: Prediction
    ) -> bool:
        exemplar = cast("ExemplarPicture", prepared).exemplar
        return exemplar is not None or super()._is_asked(prepared, clicks, previous)

    def _choose(
        self,
        prepared: EmbeddedPicture,
        answer: Prediction,
        clicks: Sequence[Click],
        kept: Box | None,
    ) -> Box:
        exemplar = cast("ExemplarPicture", prepared).exemplar
        if exemplar is not None:
            if kept is not None and not _holds(kept, exemplar):
                kept = None
            if answer.mask.any():
                answer = Prediction.from_mask(answer.mask | exemplar.mask)
        return super()._choose(prepared, answer, clicks, kept)

    def _look(
        self, prepared: EmbeddedPicture, part: Box, clicks: Sequence[Click], before: FloatMap
    ) -> FloatMap:
        guided = cast("ExemplarPicture", prepared)
        told = self._tell(guided, part)
        return self._loaded().answer(told, part, clicks, _with_exemplar(guided, before))

    def _tell(self, prepared: ExemplarPicture, part: Box) -> Any:
        network = self._loaded()
        return prepared.told.get(
            part, lambda box: network.tell(self._embed(prepared, box), box, prepared.exemplar)
        )

    def _loaded(self) -> ExemplarInference:
        return cast("ExemplarInference", super()._loaded())

    def _load(self) -> ExemplarInference:
        from fewclicks.methods.transformer.exemplar_inference import ExemplarInference
        from fewclicks.methods.transformer.icmformer_pp_network import ICMFormerPPNetwork
        from fewclicks.methods.transformer.network_files import load_network

        return ExemplarInference(load_network(self._file, ICMFormerPPNetwork), **self._looks())


def _holds(part: Box, exemplar: Exemplar) -> bool:
    box = Box.around(exemplar.mask)
    return part.holds(box.x0, box.y0) and part.holds(box.x1 - 1, box.y1 - 1)


def _with_exemplar(prepared: ExemplarPicture, before: FloatMap) -> FloatMap:
    """Show the network its answer with the exemplar, which others may have kept off it."""
    if prepared.exemplar is None or prepared.excluded is None or not before.any():
        return before
    shown = before.copy()
    shown[prepared.excluded & prepared.exemplar.mask] = 1
    return shown
