"""SimpleClick's network: clicks are embedded as a picture is, and added to its tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from torch import Tensor, nn
from torch.nn import functional

from fewclicks.errors import InputError, ShapeError
from fewclicks.methods.transformer.click_network import ClickNetwork
from fewclicks.methods.transformer.head import SegmentationHead
from fewclicks.methods.transformer.pyramid import SimplePyramid
from fewclicks.methods.transformer.vision_transformer import (
    PatchEmbedding,
    VisionTransformer,
    windows_of,
)

IMAGE_MEAN: Final = (0.485, 0.456, 0.406)
IMAGE_DEVIATION: Final = (0.229, 0.224, 0.225)
_WINDOW_PIXELS: Final = 224


@dataclass(frozen=True, slots=True)
class _Shape:
    dim: int
    depth: int
    heads: int
    patch: int
    levels: tuple[int, int, int, int]
    head: int


SIZES: Final = {
    "xtiny": _Shape(160, 8, 4, 16, (96, 192, 288, 384), 128),
    "base": _Shape(768, 12, 12, 16, (128, 256, 512, 1024), 256),
    "large": _Shape(1024, 24, 16, 16, (192, 384, 768, 1536), 256),
    "huge": _Shape(1280, 32, 16, 14, (240, 480, 960, 1920), 256),
}
"""As published: ViT-xTiny, ViT-B, ViT-L and ViT-H."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimpleClickNetworkConfig:
    """The shape of a network; what is left at 0 or empty takes the number of ``size``.

    Parameters
    ----------
    size
        A published shape: ``"xtiny"``, ``"base"``, ``"large"``, ``"huge"``.
    dim, depth, heads, patch
        Channels of a token, number of blocks, heads of a block, side of a patch in pixels.
    levels
        Channels of the pyramid at 1/4, 1/8, 1/16 and 1/32.
    head
        Channels of the head.
    side
        Of the square picture for which places are learnt, in pixels.
    window
        Tokens along a side of a window; those of 224 pixels if 0.
    global_every
        Every so manieth block sees the whole picture; if 0 the sixth of twelve blocks, else the
        last of each quarter of them.
    dropout
        Before the last layer, in training.
    """

    size: str = "base"
    dim: int = 0
    depth: int = 0
    heads: int = 0
    patch: int = 0
    levels: tuple[int, ...] = ()
    head: int = 0
    side: int = 448
    window: int = 0
    global_every: int = 0
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise InputError(f"size is '{self.size}'; needs one of {', '.join(SIZES)}.")
        shape = SIZES[self.size]
        for name in ("dim", "depth", "heads", "patch", "levels", "head"):
            self._fill(name, getattr(shape, name))
        object.__setattr__(self, "levels", tuple(self.levels))
        for name in ("dim", "depth", "heads", "patch", "head", "side"):
            _check_positive(name, getattr(self, name))
        self._fill("window", max(1, _WINDOW_PIXELS // self.patch))
        self._fill("global_every", 6 if self.depth == 12 else max(1, self.depth // 4))
        self._check()

    @property
    def grid(self) -> int:
        """Tokens along a side of the picture."""
        return self.side // self.patch

    def _fill(self, name: str, value: object) -> None:
        if not getattr(self, name):
            object.__setattr__(self, name, value)

    def _check(self) -> None:
        _check_positive("window", self.window)
        _check_positive("global_every", self.global_every)
        if self.dim % self.heads:
            raise InputError(f"dim is {self.dim}; needs a multiple of heads, {self.heads}.")
        if len(self.levels) != 4 or min(self.levels) < 1:
            raise InputError(f"levels is {self.levels}; needs four numbers from 1 on.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {self.dropout}; needs a number in [0, 1).")
        if self.side % self.patch or self.grid < 2:
            raise InputError(
                f"side is {self.side}; needs a multiple of patch, {self.patch}, twice as long at "
                "least."
            )
        windows_of(self.grid, self.grid, self.window)


class SimpleClickNetwork(ClickNetwork):
    """A plain vision transformer that sees picture, previous answer and clicks together.

    Parameters
    ----------
    config
        Its shape.

    Notes
    -----
    `embed_image` is all that depends on the picture alone: guidance is added to the tokens before
    the first block, so that every block mixes both. The parts can be called one by one, for
    networks that add more to the tokens.

    References
    ----------
    .. [1] Liu et al., "SimpleClick: Interactive Image Segmentation with Simple Vision
       Transformers", ICCV 2023 (arXiv:2210.11006).
    """

    family: ClassVar[str] = "simpleclick"
    config_type: ClassVar = SimpleClickNetworkConfig
    config: SimpleClickNetworkConfig

    def __init__(self, config: SimpleClickNetworkConfig) -> None:
        super().__init__(config)
        self.backbone = VisionTransformer(
            dim=config.dim,
            depth=config.depth,
            heads=config.heads,
            patch=config.patch,
            grid=config.grid,
            window=config.window,
            global_every=config.global_every,
        )
        self.guidance = PatchEmbedding(3, config.dim, config.patch)
        self.neck = SimplePyramid(config.dim, config.levels)
        self.head = SegmentationHead(config.levels, config.head, dropout=config.dropout)

    def forward(self, image: Tensor, guidance: Tensor) -> Tensor:
        """Answer clicks.

        Parameters
        ----------
        image : (b, 3, H, W)
            Red, green, blue in [0, 1]; its sides are multiples of a window, or below two of them.
        guidance : (b, 3, H, W)
            Probability of the previous answer, disks of positive clicks, disks of negative ones.

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
        return self.answer(self.see(image), guidance)

    def see(self, image: Tensor) -> Any:
        """Work out what does not change from click to click; here the embedded picture."""
        return self.embed_image(image)

    def answer(self, seen: Any, guidance: Tensor) -> Tensor:
        """Give logits, (b, 1, H, W), from what `see` gave and (b, 3, H, W) of guidance."""
        features = self.encode(seen + self.embed_guidance(guidance))
        return self.decode(features, (guidance.shape[2], guidance.shape[3]))

    def embed_image(self, image: Tensor) -> Tensor:
        """Embed what does not change from click to click, (b, rows, columns, dim)."""
        return self.embed_colours(self.normalise(image))

    def normalise(self, image: Tensor) -> Tensor:
        """Give (b, 3, H, W) in [0, 1] the mean and deviation of the colours of ImageNet."""
        mean, deviation = (
            image.new_tensor(values).view(3, 1, 1) for values in (IMAGE_MEAN, IMAGE_DEVIATION)
        )
        return (image - mean) / deviation

    def embed_colours(self, colours: Tensor) -> Tensor:
        """Embed normalised colours, which then know their places."""
        tokens: Tensor = self.backbone.embed(colours)
        return tokens + self.backbone.places(tokens.shape[1], tokens.shape[2])

    def embed_guidance(self, guidance: Tensor) -> Tensor:
        """Embed previous answer and disks, (b, rows, columns, dim)."""
        tokens: Tensor = self.guidance(guidance)
        return tokens

    def encode(self, tokens: Tensor) -> Tensor:
        """Run the transformer; gives features at 1/16, (b, dim, rows, columns)."""
        features: Tensor = self.backbone(tokens)
        return features.permute(0, 3, 1, 2)

    def decode(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        """Give logits at a size in pixels, (b, 1, H, W)."""
        logits = self.head(self.neck(features))
        return functional.interpolate(logits, size=size, mode="bilinear", align_corners=True)

    def transformers(self) -> list[nn.Module]:
        """Tell the parts that begin as a vision transformer."""
        return [self.backbone]

    def check_size(self, image: Tensor, guidance: Tensor) -> None:
        """Refuse what the network cannot see, sides that are no whole windows too."""
        super().check_size(image, guidance)
        height, width = image.shape[2:]
        patch = self.config.patch
        if height % patch or width % patch or min(height, width) < 2 * patch:
            raise ShapeError(
                f"image is {height} x {width} pixels; needs sides that are multiples of {patch}, "
                f"from {2 * patch} on."
            )
        windows_of(height // patch, width // patch, self.config.window)


def _check_positive(name: str, value: int) -> None:
    if value < 1:
        raise InputError(f"{name} is {value}; needs a whole number from 1 on.")
