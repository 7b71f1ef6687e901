"""iCMFormer's network on Swin: three streams for two stages, one for the other two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.methods.transformer.cross_attention import CrossModalityBlock
from fewclicks.methods.transformer.head import SegmentationHead
from fewclicks.methods.transformer.simpleclick_network import IMAGE_DEVIATION, IMAGE_MEAN
from fewclicks.methods.transformer.swin import Swin

_STAGES: Final = 4
_STRIDE: Final = 32
_APART: Final = 2
"""Stages that picture and clicks go through by themselves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ICMFormerSwinNetworkConfig:
    """The shape of a network; Swin-B of 384 pixels if nothing is given.

    Parameters
    ----------
    dim
        Channels of the first of four stages.
    depths, heads
        Blocks of each stage, and their heads.
    window
        Tokens along a side of a window.
    cross, cross_heads
        Number of blocks in which clicks look at the picture, and their heads.
    head
        Channels of the head.
    side
        Of the square picture that the network sees, in pixels.
    drop_path
        Share of branches that the last block leaves out in training, in [0, 1).
    dropout
        Before the last layer, in training.
    """

    dim: int = 128
    depths: tuple[int, ...] = (2, 2, 18, 2)
    heads: tuple[int, ...] = (4, 8, 16, 32)
    window: int = 12
    cross: int = 8
    cross_heads: int = 8
    head: int = 256
    side: int = 384
    drop_path: float = 0.2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("depths", "heads"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if len(getattr(self, name)) != _STAGES or min(getattr(self, name)) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs four numbers from 1 on.")
        for name in ("dim", "window", "cross", "cross_heads", "head"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"{name} is {getattr(self, name)}; needs a whole number from 1 on."
                )
        for name in ("drop_path", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number in [0, 1).")
        if self.side % _STRIDE or self.side < self.least_side:
            raise InputError(
                f"side is {self.side}; needs a multiple of {_STRIDE} from {self.least_side} on."
            )
        if 4 * self.dim % self.cross_heads:
            raise InputError(f"cross_heads is {self.cross_heads}; needs to divide {4 * self.dim}.")

    @property
    def least_side(self) -> int:
        """In pixels: the last stage has one window at least."""
        return _STRIDE * self.window


class SeenBySwin(NamedTuple):
    """What the picture alone gives.

    Parameters
    ----------
    embedded : (b, H / 4, W / 4, dim)
        Its patches.
    tokens : (b, H / 16, W / 16, 4 dim)
        After two stages.
    answers : (b, H W / 256, 8 dim) each
        Their keys and values in each cross-modality block.
    """

    embedded: Tensor
    tokens: Tensor
    answers: tuple[Tensor, ...]


class ICMFormerSwinNetwork(ClickNetwork):
    """A hierarchical transformer whose first two stages see picture and clicks apart.

    Parameters
    ----------
    config
        Its shape.

    Notes
    -----
    Picture, clicks, and the sum of both go through two stages each; the sum feeds the two largest
    features of the head. Clicks then look at the picture, everywhere, are added to it, and two
    more stages follow. As the authors released it, clicks are embedded by the picture's own
    patches, and there is no pyramid.

    References
    ----------
    .. [1] Li et al., "Interactive Image Segmentation with Cross-Modality Vision Transformers",
       ICCV Workshops 2023 (arXiv:2307.02280).
    """

    family: ClassVar[str] = "icmformer_swin"
    config_type: ClassVar = ICMFormerSwinNetworkConfig
    config: ICMFormerSwinNetworkConfig

    def __init__(self, config: ICMFormerSwinNetworkConfig) -> None:
        super().__init__(config)
        self.backbone = Swin(
            dim=config.dim,
            depths=config.depths,
            heads=config.heads,
            window=config.window,
            side=config.side,
            drop_path=config.drop_path,
        )
        self.cross = nn.ModuleList(
            CrossModalityBlock(4 * config.dim, config.cross_heads) for _ in range(config.cross)
        )
        widths = [config.dim * 2**k for k in range(_STAGES)]
        self.head = SegmentationHead(widths, config.head, dropout=config.dropout)

    def forward(self, image: Tensor, guidance: Tensor) -> Tensor:
        """Answer clicks, as `SimpleClickNetwork.forward` does.

        Raises
        ------
        ShapeError
            If the shapes do not fit each other or the network.
        """
        self.check_size(image, guidance)
        return self.answer(self.see(image), guidance)

    def see(self, image: Tensor) -> SeenBySwin:
        """Work out what does not change from click to click."""
        mean, deviation = (
            image.new_tensor(values).view(3, 1, 1) for values in (IMAGE_MEAN, IMAGE_DEVIATION)
        )
        embedded = self.backbone.embed((image - mean) / deviation)
        tokens = embedded
        for number in range(_APART):
            tokens = self.backbone.stage(number, tokens)[1]
        flat = tokens.flatten(1, 2)
        answers = tuple(cast("CrossModalityBlock", block).look(flat) for block in self.cross)
        return SeenBySwin(embedded, tokens, answers)

    def answer(self, seen: Any, guidance: Tensor) -> Tensor:
        """Give logits, (b, 1, H, W), from a `SeenBySwin` and (b, 3, H, W) of guidance."""
        clicks = self.backbone.embed(guidance)
        both = torch.cat([seen.embedded + clicks, clicks])
        levels = []
        for number in range(_APART):
            features, both = self.backbone.stage(number, both)
            levels.append(features.chunk(2)[0])
        asking = both.chunk(2)[1].flatten(1, 2)
        for block, answers in zip(self.cross, seen.answers, strict=True):
            asking = block(asking, answers)
        tokens = seen.tokens + asking.view_as(seen.tokens)
        for number in range(_APART, _STAGES):
            features, tokens = self.backbone.stage(number, tokens)
            levels.append(features)
        size = (guidance.shape[2], guidance.shape[3])
        return functional.interpolate(
            self.head(levels), size=size, mode="bilinear", align_corners=True
        )

    def transformers(self) -> list[nn.Module]:
        """Tell the parts that begin as a vision transformer."""
        return [self.backbone]

    def check_size(self, image: Tensor, guidance: Tensor) -> None:
        """Refuse what the network cannot see, sides that are no whole cells too."""
        super().check_size(image, guidance)
        height, width = image.shape[2:]
        least = self.config.least_side
        if height % _STRIDE or width % _STRIDE or min(height, width) < least:
            raise ShapeError(
                f"image is {height} x {width} pixels; needs sides that are multiples of "
                f"{_STRIDE}, from {least} on."
            )
