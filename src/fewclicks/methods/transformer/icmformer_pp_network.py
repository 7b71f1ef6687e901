"""iCMFormer++'s network: clicks look for all that is like an object which is known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, cast

import torch
from torch import Tensor, nn

from fewclicks.clicks import Click, negatives, positives
from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.guidance import GuidanceKind
from fewclicks.methods.transformer.channel_fusion import ChannelFusion
from fewclicks.methods.transformer.crop_features import CROP_NETWORKS, CropFeatures
from fewclicks.methods.transformer.cross_attention import ExemplarBlock
from fewclicks.methods.transformer.exemplar_module import ExemplarInformedModule, exemplar_boxes
from fewclicks.methods.transformer.icmformer_network import ICMFormerNetworkConfig
from fewclicks.methods.transformer.simpleclick_network import SimpleClickNetwork
from fewclicks.methods.transformer.vision_transformer import Block, cut_windows, draw_layers

FUSIONS: Final = ("channel", "self", "sum")
EXEMPLAR_IMAGES: Final = ("whole", "masked", "none")
EXEMPLAR_POSITIVES: Final = ("all", "first", "none")


@dataclass(frozen=True, kw_only=True, slots=True)
class ICMFormerPPNetworkConfig(ICMFormerNetworkConfig):
    """The shape of a network, and which of its parts are at work.

    Parameters
    ----------
    two_streams
        Whether the exemplar has blocks of its own; else it is added to the clicks (Table 5).
    cross_attention, exemplar_module
        Whether clicks look at the exemplar, and are guided by its crops (Table 5).
    fusion
        ``"channel"``; ``"self"`` for half of the depth in blocks more, ``"sum"`` (Table 5).
    exemplar_image
        What the exemplar's stream sees: the ``"whole"`` picture, ``"masked"`` outside the largest
        crop's box, or ``"none"`` of it (Table 6).
    exemplar_mask, exemplar_negative
        Whether it sees the mask, and the negative clicks (Table 6).
    exemplar_positive
        ``"all"`` positive clicks, the ``"first"``, or ``"none"`` (Tables 6 and 7).
    crop_network
        What looks at crops, see `crop_features.CROP_NETWORKS` (Table 9).
    crop_widths, crop_depths
        Of its stages, see `crop_features.CropFeatures`; its own if empty.
    crop_scales, crop_side
        Sides of the crops, as shares of the exemplar's box; of the square that they are stretched
        to, in pixels: ``side`` if 0.
    cross_dropout
        Between the layers of the blocks that look at the exemplar, in training.
    **others
        As `ICMFormerNetworkConfig` has them.
    """

    two_streams: bool = True
    cross_attention: bool = True
    exemplar_module: bool = True
    fusion: str = "channel"
    exemplar_image: str = "whole"
    exemplar_mask: bool = True
    exemplar_positive: str = "all"
    exemplar_negative: bool = True
    crop_network: str = "resnet-18"
    crop_widths: tuple[int, ...] = ()
    crop_depths: tuple[int, ...] = ()
    crop_scales: tuple[float, ...] = (0.8, 1.0, 1.2)
    crop_side: int = 0
    cross_dropout: float = 0.1

    def __post_init__(self) -> None:
        ICMFormerNetworkConfig.__post_init__(self)  # super() does not know a class with slots
        self._fill("crop_side", self.side)
        for name in ("crop_widths", "crop_depths", "crop_scales"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, known in (
            ("fusion", FUSIONS),
            ("exemplar_image", EXEMPLAR_IMAGES),
            ("exemplar_positive", EXEMPLAR_POSITIVES),
            ("crop_network", tuple(CROP_NETWORKS)),
        ):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} is '{getattr(self, name)}'; needs one of {', '.join(known)}."
                )
        for name in ("crop_widths", "crop_depths"):
            given = getattr(self, name)
            if given and (len(given) != 4 or min(given) < 1):
                raise InputError(f"{name} is {given}; needs four numbers from 1 on, or none.")
        if not self.crop_scales or min(self.crop_scales) <= 0:
            raise InputError(f"crop_scales is {self.crop_scales}; needs numbers above 0.")
        if not 0 <= self.cross_dropout < 1:
            raise InputError(f"cross_dropout is {self.cross_dropout}; needs a number in [0, 1).")
        self._check_parts()

    def shown(self, clicks: Sequence[Click]) -> list[Click]:
        """Give those of the exemplar's clicks that are to be drawn."""
        if self.exemplar_positive != "first":
            return list(clicks)
        return [*positives(clicks)[:1], *negatives(clicks)]

    def _check_parts(self) -> None:
        """Refuse parts that have nothing to work on."""
        if self.exemplar_module and not self.cross_attention:
            raise InputError(
                "exemplar_module guides cross_attention, which is off; switch it off as well."
            )
        if not self.two_streams and (self.cross_attention or self.fusion == "channel"):
            raise InputError(
                "two_streams is off, so there is no second stream for cross_attention and "
                "fusion=channel; switch cross_attention off, and take fusion=self or sum."
            )


class SeenPicture(NamedTuple):
    """What the picture alone gives.

    Parameters
    ----------
    colours : (b, 3, H, W)
        Normalised.
    tokens : (b, rows, columns, dim)
        After the shared blocks.
    features : (b, dim, H / stride, W / stride), optional
        To compare crops with.
    """

    colours: Tensor
    tokens: Tensor
    features: Tensor | None


class ToldPicture(NamedTuple):
    """What picture and exemplar give, before any click for the others of its kind.

    Parameters
    ----------
    tokens : (b, rows, columns, dim)
        Of the picture, after the shared blocks.
    exemplar : (b, rows, columns, dim)
        The exemplar's stream, at its end.
    answers : (b x windows, tokens of a window, 2 dim) each
        Its keys and values in each block that looks at it.
    guide : (b, rows, columns, dim), optional
        Added to the queries.
    """

    tokens: Tensor
    exemplar: Tensor
    answers: tuple[Tensor, ...]
    guide: Tensor | None


class ICMFormerPPNetwork(SimpleClickNetwork):
    """A click network with a second stream for an exemplar.

    Parameters
    ----------
    config
        Its shape.

    Notes
    -----
    The first half of the blocks runs over the picture, over the exemplar's mask and clicks, and
    over the previous answer and the clicks, each by itself and with the same numbers. Picture and
    exemplar, picture and clicks are added and go through a second half each. Then clicks look at
    the exemplar. `see` depends on the picture alone, `tell` on picture and exemplar; both are
    worked out once, `answer` for each click. Without an exemplar its maps are empty, and the guide
    is 0.

    References
    ----------
    .. [1] Li et al., "Learning from Exemplars for Interactive Image Segmentation", 2024
       (arXiv:2406.11472).
    """

    family: ClassVar[str] = "icmformer_pp"
    config_type: ClassVar = ICMFormerPPNetworkConfig
    takes: ClassVar[GuidanceKind | None] = "exemplar"
    config: ICMFormerPPNetworkConfig

    def __init__(self, config: ICMFormerPPNetworkConfig) -> None:
        super().__init__(config)
        self._first = config.depth // 2
        self.exemplar = self._blocks(config.two_streams)
        self.cross = nn.ModuleList(
            ExemplarBlock(config.dim, config.heads, dropout=config.cross_dropout)
            for _ in range(config.cross if config.cross_attention else 0)
        )
        self.compare = _create_module(config) if config.exemplar_module else None
        self.fusion = ChannelFusion(config.dim) if config.fusion == "channel" else None
        self.second = self._blocks(config.fusion == "self")

    def forward(self, image: Tensor, guidance: Tensor, exemplar: Tensor | None = None) -> Tensor:
        """Answer clicks.

        Parameters
        ----------
        image, guidance : (b, 3, H, W)
            As `SimpleClickNetwork.forward` has them.
        exemplar : (b, 3, H, W), optional
            Its mask, disks of its positive clicks, disks of its negative ones. All 0 for those of
            a batch that have none.

        Returns
        -------
        (b, 1, H, W)
            Logits.

        Raises
        ------
        ShapeError
            If the shapes do not fit each other or the network.
        """
        self.check_size(image, guidance)
        return self.answer(self.tell(self.see(image), exemplar), guidance)

    def embed_guidance(self, guidance: Tensor) -> Tensor:
        """Embed maps, which know their places as the picture does."""
        tokens: Tensor = self.guidance(guidance)
        return tokens + self.backbone.places(tokens.shape[1], tokens.shape[2])

    def see(self, image: Tensor) -> SeenPicture:
        """Work out what the picture alone gives."""
        colours = self.normalise(image)
        return SeenPicture(
            colours,
            self.backbone(self.embed_image(image), stop=self._first),
            None if self.compare is None else self.compare.see(colours),
        )

    def tell(self, seen: SeenPicture, exemplar: Tensor | None) -> ToldPicture:
        """Bring in the exemplar, (b, 3, H, W), or none.

        Raises
        ------
        ShapeError
            If it is not of the picture's size.
        """
        maps = torch.zeros_like(seen.colours) if exemplar is None else exemplar
        if maps.shape != seen.colours.shape:
            raise ShapeError.differs(
                "exemplar", tuple(maps.shape), needed=tuple(seen.colours.shape), of="the image"
            )
        stream = self.backbone(self.embed_guidance(self._used(maps)), stop=self._first)
        if self.config.two_streams:
            stream = self.backbone.run(
                self.exemplar, self._pictured(seen, maps) + stream, before=self._first
            )
        answers = tuple(
            cast("ExemplarBlock", block).look(
                cut_windows(stream, self.backbone.windows(number, stream))
            )
            for number, block in enumerate(self.cross)
        )
        guide = None
        if self.compare is not None and seen.features is not None:
            grid = (stream.shape[1], stream.shape[2])
            guide = self.compare(seen.colours, seen.features, maps[:, :1], grid)
        return ToldPicture(seen.tokens, stream, answers, guide)

    def answer(self, seen: Any, guidance: Tensor) -> Tensor:
        """Give logits, (b, 1, H, W), from a `ToldPicture` and (b, 3, H, W) of guidance."""
        told: ToldPicture = self.tell(seen, None) if isinstance(seen, SeenPicture) else seen
        recall = told.tokens + self.backbone(self.embed_guidance(guidance), stop=self._first)
        if not self.config.two_streams:
            recall = recall + told.exemplar
        recall = self.backbone(recall, start=self._first)
        for number, (block, answers) in enumerate(zip(self.cross, told.answers, strict=True)):
            windows = self.backbone.windows(number, recall)
            recall = block(recall, answers, windows, told.guide)
        if self.fusion is not None:
            recall = self.fusion(told.exemplar, recall)
        elif self.config.two_streams:
            recall = recall + told.exemplar
        recall = self.backbone.run(self.second, recall, before=self._first)
        return self.decode(recall.permute(0, 3, 1, 2), (guidance.shape[2], guidance.shape[3]))

    def follow_backbone(self) -> None:
        """Begin the blocks of the exemplar, and those of fusion, as the second half does."""
        second = self.backbone.blocks[self._first :].state_dict()
        for blocks in (self.exemplar, self.second):
            if len(blocks):
                blocks.load_state_dict(second)

    def transformers(self) -> list[nn.Module]:
        """Tell the parts that begin as a vision transformer: all streams, see `follow_backbone`."""
        return [self.backbone, self.exemplar, self.second]

    def crop_networks(self) -> list[nn.Module]:
        """Tell the part that looks at crops of the exemplar, if there is one."""
        return [] if self.compare is None else [self.compare.features]

    def _blocks(self, is_there: bool) -> nn.ModuleList:
        """Make as many blocks as the second half has, or none."""
        count = self.config.depth - self._first if is_there else 0
        blocks = nn.ModuleList(Block(self.config.dim, self.config.heads) for _ in range(count))
        draw_layers(blocks)
        return blocks

    def _used(self, maps: Tensor) -> Tensor:
        """Leave out what the exemplar's stream is not to see."""
        config = self.config
        used = (config.exemplar_mask, config.exemplar_positive != "none", config.exemplar_negative)
        return maps * maps.new_tensor(used).view(3, 1, 1)

    def _pictured(self, seen: SeenPicture, maps: Tensor) -> Tensor:
        """Give the picture's tokens as the exemplar's stream sees them."""
        if self.config.exemplar_image == "whole":
            return seen.tokens
        if self.config.exemplar_image == "none":
            return torch.zeros_like(seen.tokens)
        around = torch.zeros_like(maps[:, :1])
        for on, mask in zip(around, maps, strict=True):
            [box] = exemplar_boxes(mask[0], [max(self.config.crop_scales)])
            on[:, box.y0 : box.y1, box.x0 : box.x1] = 1
        tokens = self.embed_colours(seen.colours * around)
        return cast("Tensor", self.backbone(tokens, stop=self._first))


def _create_module(config: ICMFormerPPNetworkConfig) -> ExemplarInformedModule:
    features = CropFeatures(
        config.crop_network, widths=config.crop_widths, depths=config.crop_depths
    )
    return ExemplarInformedModule(
        features, config.dim, scales=config.crop_scales, side=config.crop_side
    )
