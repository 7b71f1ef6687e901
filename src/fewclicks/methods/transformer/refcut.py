"""RefCut: clicks with an example; the same parts, marked on another picture, say what is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from fewclicks.arrays import FloatMap
from fewclicks.clicks import Click
from fewclicks.images.boxes import Box
from fewclicks.methods.guidance import Guidance, Reference
from fewclicks.methods.memo import Memo
from fewclicks.methods.transformer.simpleclick import (
    EmbeddedPicture,
    SimpleClick,
    SimpleClickConfig,
)

if TYPE_CHECKING:
    from fewclicks.methods.transformer.refcut_inference import RefCutInference

_REFERENCES_KEPT: Final = 256  # 6 kB each, of the base network


@dataclass(frozen=True, kw_only=True)
class GuidedPicture(EmbeddedPicture):
    """A picture, its embedded parts, and what the references say.

    Parameters
    ----------
    prompt
        Added to every token of a part; None without references.
    """

    prompt: Any = None


class RefCut(SimpleClick):
    """A trained click network that takes references.

    Parameters
    ----------
    config
        Must name the weights: RefCut's, or SimpleClick's, with which references change nothing.

    Raises
    ------
    WeightsError
        If no weights are named, or they are not on this machine.
    MissingExtraError
        If torch or transformers is not installed.

    Notes
    -----
    A reference is looked at once, whatever pictures and clicks it serves: the method remembers
    what the newest of them say. Without references it answers as SimpleClick does.

    References
    ----------
    .. [1] RefCut (arXiv:2503.17820).
    """

    name: ClassVar[str] = "refcut"
    runs_exported: ClassVar[bool] = False
    picture_type: ClassVar = GuidedPicture

    def __init__(self, config: SimpleClickConfig | None = None) -> None:
        super().__init__(config)
        self._said: Memo[str, Any] = Memo(_REFERENCES_KEPT)

    def condition(self, prepared: EmbeddedPicture, guidance: Guidance) -> GuidedPicture:
        """Bring in references, and keep excluded pixels off the object.

        Raises
        ------
        InputError
            If there is guidance that the method has no use for.
        ShapeError
            If the excluded mask is not of the picture's size.
        """
        guidance.check(prepared.shape, takes=("references",))
        return replace(
            cast("GuidedPicture", prepared),
            excluded=guidance.excluded,
            references=guidance.references,
            prompt=self._prompt(guidance.references),
        )

    def _prompt(self, references: Sequence[Reference]) -> Any:
        if not references:
            return None
        network = self._loaded()
        said = [self._represented(network, each) for each in references]
        return network.prompt(said)

    def _represented(self, network: RefCutInference, reference: Reference) -> Any:
        return self._said.get(reference.checksum, lambda _key: network.represent(reference))

    def _look(
        self, prepared: EmbeddedPicture, part: Box, clicks: Sequence[Click], before: FloatMap
    ) -> FloatMap:
        embedded, prompt = self._embed(prepared, part), cast("GuidedPicture", prepared).prompt
        told = embedded if prompt is None else embedded + prompt
        return self._loaded().answer(told, part, clicks, before)

    def _loaded(self) -> RefCutInference:
        return cast("RefCutInference", super()._loaded())

    def _load(self) -> RefCutInference:
        from fewclicks.methods.transformer.network_files import load_network
        from fewclicks.methods.transformer.refcut_inference import RefCutInference
        from fewclicks.methods.transformer.refcut_network import RefCutNetwork

        return RefCutInference(load_network(self._file, RefCutNetwork), **self._looks())
