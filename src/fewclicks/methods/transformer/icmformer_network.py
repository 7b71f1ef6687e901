"""iCMFormer's network: clicks are a stream of their own, and look at the picture's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from torch import Tensor, nn

from fewclicks.errors import InputError
from fewclicks.methods.transformer.cross_attention import CrossModalityBlock
from fewclicks.methods.transformer.simpleclick_network import (
    SimpleClickNetwork,
    SimpleClickNetworkConfig,
)
from fewclicks.methods.transformer.vision_transformer import cut_windows, join_windows

CROSS: Final = {"xtiny": 2, "base": 3, "large": 5, "huge": 6}
"""How many cross-modality blocks each size has: as published but for ``xtiny``, by their rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ICMFormerNetworkConfig(SimpleClickNetworkConfig):
    """The shape of a network.

    Parameters
    ----------
    cross
        Number of blocks in which clicks look at the picture; that of ``size`` if 0.
    **others
        As `SimpleClickNetworkConfig` has them.
    """

    cross: int = 0

    def __post_init__(self) -> None:
        SimpleClickNetworkConfig.__post_init__(self)  # super() does not know a class with slots
        self._fill("cross", CROSS[self.size])
        if self.cross < 1:
            raise InputError(f"cross is {self.cross}; needs a whole number from 1 on.")
        if self.depth % 2:
            raise InputError(f"depth is {self.depth}; needs an even number, half before the cross.")


@dataclass(frozen=True, slots=True)
class ImageStream:
    """What the picture alone gives.

    Parameters
    ----------
    tokens : (b, rows, columns, dim)
        After half of the blocks.
    answers : (b x windows, tokens of a window, 2 dim) each
        Their keys and values in each cross-modality block.
    """

    tokens: Tensor
    answers: tuple[Tensor, ...]


class ICMFormerNetwork(SimpleClickNetwork):
    """A plain vision transformer whose first half sees picture and clicks apart.

    Parameters
    ----------
    config
        Its shape.

    Notes
    -----
    Half of the blocks run over the picture and, with the same numbers, over the clicks. Clicks
    then look at the picture, are added to it, and the other half follows. `see` is all that
    depends on the picture alone: its stream, and its keys and values.

    References
    ----------
    .. [1] Li et al., "Interactive Image Segmentation with Cross-Modality Vision Transformers",
       ICCV Workshops 2023 (arXiv:2307.02280).
    """

    family: ClassVar[str] = "icmformer"
    config_type: ClassVar = ICMFormerNetworkConfig
    config: ICMFormerNetworkConfig

    def __init__(self, config: ICMFormerNetworkConfig) -> None:
        super().__init__(config)
        self._first = config.depth // 2
        self.cross = nn.ModuleList(
            CrossModalityBlock(config.dim, config.heads) for _ in range(config.cross)
        )

    def embed_guidance(self, guidance: Tensor) -> Tensor:
        """Embed previous answer and disks, which know their places as the picture does."""
        tokens: Tensor = self.guidance(guidance)
        return tokens + self.backbone.places(tokens.shape[1], tokens.shape[2])

    def see(self, image: Tensor) -> Any:
        """Work out what does not change from click to click, an `ImageStream`."""
        tokens = self.backbone(self.embed_image(image), stop=self._first)
        answers = tuple(
            cast("CrossModalityBlock", block).look(
                cut_windows(tokens, self.backbone.windows(number, tokens))
            )
            for number, block in enumerate(self.cross)
        )
        return ImageStream(tokens, answers)

    def answer(self, seen: Any, guidance: Tensor) -> Tensor:
        """Give logits, (b, 1, H, W), from an `ImageStream` and (b, 3, H, W) of guidance."""
        clicks = self.backbone(self.embed_guidance(guidance), stop=self._first)
        for number, (block, answers) in enumerate(zip(self.cross, seen.answers, strict=True)):
            windows = self.backbone.windows(number, clicks)
            clicks = join_windows(block(cut_windows(clicks, windows), answers), clicks, windows)
        tokens = self.backbone(seen.tokens + clicks, start=self._first)
        return self.decode(tokens.permute(0, 3, 1, 2), (guidance.shape[2], guidance.shape[3]))
