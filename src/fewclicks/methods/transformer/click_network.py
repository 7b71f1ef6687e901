"""Click network: what all networks that answer clicks say of themselves, and where they are."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from torch import Tensor, nn

from fewclicks.errors import ShapeError, UnknownEntryError
from fewclicks.methods.guidance import GuidanceKind

_CLASSES: Final[Mapping[str, str]] = {
    "simpleclick": "fewclicks.methods.transformer.simpleclick_network:SimpleClickNetwork",
    "refcut": "fewclicks.methods.transformer.refcut_network:RefCutNetwork",
    "icmformer": "fewclicks.methods.transformer.icmformer_network:ICMFormerNetwork",
    "icmformer_swin": ("fewclicks.methods.transformer.icmformer_swin_network:ICMFormerSwinNetwork"),
    "icmformer_pp": "fewclicks.methods.transformer.icmformer_pp_network:ICMFormerPPNetwork",
}
FAMILIES: Final = tuple(_CLASSES)
"""As files, and plans of trainings, call them; each is also the name of its method."""


class ClickNetwork(nn.Module):
    """A network that answers clicks, and can be kept in a file and built from it.

    Parameters
    ----------
    config
        Of `config_type`: frozen, of plain values; it alone says how the network is built.

    Notes
    -----
    `begins_as` names the families whose files the network can begin as: it has all of their
    tensors under their names, its configuration has all of their fields, and its own parts change
    no answer until they are trained. `takes` says what else than picture and clicks `forward` is
    given, if anything: `refcut_network.References`, or maps of an exemplar.

    What a method runs is `see`, once for each picture, and `answer`, for each click.
    """

    family: ClassVar[str]
    config_type: ClassVar[type]
    begins_as: ClassVar[frozenset[str]] = frozenset()
    takes: ClassVar[GuidanceKind | None] = None
    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config

    def see(self, image: Tensor) -> Any:
        """Work out what (b, 3, H, W) pictures in [0, 1] give that no click changes."""
        raise NotImplementedError

    def answer(self, seen: Any, guidance: Tensor) -> Tensor:
        """Give logits, (b, 1, H, W), from what `see` gave and (b, 3, H, W) of guidance."""
        raise NotImplementedError

    def transformers(self) -> list[nn.Module]:
        """Tell the parts that begin as a vision transformer, where training is given one."""
        raise NotImplementedError

    def crop_networks(self) -> list[nn.Module]:
        """Tell the parts that look at crops, and may begin as a trained network; often none."""
        return []

    def check_size(self, image: Tensor, guidance: Tensor) -> None:
        """Refuse what the network cannot see; here guidance that is not of the pictures' size.

        Raises
        ------
        ShapeError
            If the shapes do not fit each other or the network.
        """
        batch, _, height, width = image.shape
        if guidance.shape != (batch, 3, height, width):
            raise ShapeError.differs(
                "guidance", tuple(guidance.shape), needed=(batch, 3, height, width), of="the image"
            )


def find_network(family: str) -> type[ClickNetwork]:
    """Look a family up.

    Raises
    ------
    UnknownEntryError
        With the nearest known family.
    """
    if family not in _CLASSES:
        raise UnknownEntryError("family of networks", family, _CLASSES)
    module, _, name = _CLASSES[family].partition(":")
    found: type[ClickNetwork] = getattr(importlib.import_module(module), name)
    return found


def count_parameters(network: nn.Module) -> int:
    """Count the numbers that training changes, without position embeddings, as the papers do."""
    return sum(
        values.numel()
        for name, values in network.named_parameters()
        if name.rpartition(".")[2] != "position"
    )
