"""Student: a small network that gives dense features at stride 8, to be taught by a large one.

Residual blocks of one 3x3 and one 1x1 convolution; most of the work is done at stride 16, where
blocks of attention alternate with them. Nothing in it knows the size of the picture, so it takes
any; where a token stands it can only tell from the borders.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fewclicks.errors import InputError

STRIDE = 8
"""Pixels from one token to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudentConfig:
    """Of what size the network is.

    Parameters
    ----------
    fine, middle, coarse
        Channels at strides 4, 8 and 16.
    middle_blocks, coarse_blocks
        Residual blocks at strides 8 and 16; each coarse one is followed by one of attention.
    heads
        Of the attention.
    merged
        Channels where both strides come together again.
    directions
        Channels that come out.
    """

    fine: int = 64
    middle: int = 96
    coarse: int = 192
    middle_blocks: int = 2
    coarse_blocks: int = 3
    heads: int = 6
    merged: int = 128
    directions: int = 64

    def __post_init__(self) -> None:
        if self.coarse % self.heads:
            raise InputError(
                f"heads is {self.heads}; needs a number that divides coarse, {self.coarse}."
            )


class Student(nn.Module):
    """From colours to features.

    Parameters
    ----------
    config
        Of what size.
    """

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        fine, middle, coarse = config.fine, config.middle, config.coarse
        self.stem = _convolution(3, fine, side=7, stride=4)
        self.to_middle = _convolution(fine, middle, side=3, stride=2)
        self.middle = nn.Sequential(*(Residual(middle) for _ in range(config.middle_blocks)))
        self.to_coarse = _convolution(middle, coarse, side=3, stride=2)
        self.coarse = nn.Sequential(
            *(
                block
                for _ in range(config.coarse_blocks)
                for block in (Residual(coarse), Attending(coarse, config.heads))
            )
        )
        self.from_coarse = nn.Conv2d(coarse, config.merged, 1)
        self.from_middle = nn.Conv2d(middle, config.merged, 1)
        self.merged = Residual(config.merged)
        self.head = nn.Conv2d(config.merged, config.directions, 1)

    def forward(self, colours: Tensor) -> Tensor:
        """Describe each cell of 8 x 8 pixels.

        Parameters
        ----------
        colours : (b, 3, 8 h, 8 w)
            In [0, 1].

        Returns
        -------
        (b, directions, h, w)
            Neither centred nor of unit length.
        """
        middle = self.middle(self.to_middle(self.stem(colours * 4.0 - 2.0)))
        coarse = self.from_coarse(self.coarse(self.to_coarse(middle)))
        grown = functional.interpolate(
            coarse, size=middle.shape[-2:], mode="bilinear", align_corners=False
        )
        result: Tensor = self.head(self.merged(self.from_middle(middle) + grown))
        return result


class Residual(nn.Module):
    """A 3x3 and a 1x1 convolution beside a path that changes nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.widen = _convolution(channels, channels, side=3, stride=1)
        self.mix = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, values: Tensor) -> Tensor:
        """Add what the convolutions find."""
        added: Tensor = self.norm(self.mix(self.widen(values)))
        return values + added


class Attending(nn.Module):
    """Attention among all tokens, without a code for their places, then a layer for each alone."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first_norm = nn.LayerNorm(channels)
        self.to_all = nn.Linear(channels, 3 * channels)
        self.from_all = nn.Linear(channels, channels)
        self.second_norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)
        for last in (self.from_all, self.narrow):
            nn.init.normal_(last.weight, std=0.02)
            nn.init.zeros_(last.bias)

    def forward(self, values: Tensor) -> Tensor:
        """Take (b, c, h, w) and give the same."""
        tokens: Tensor = values.flatten(2).transpose(1, 2)
        tokens = tokens + self.from_all(self._attend(self.first_norm(tokens)))
        wide = functional.gelu(self.widen(self.second_norm(tokens)))
        tokens = tokens + self.narrow(wide)
        return tokens.transpose(1, 2).reshape(values.shape)

    def _attend(self, tokens: Tensor) -> Tensor:
        batch, count, channels = tokens.shape
        heads = self.to_all(tokens).reshape(batch, count, 3 * self.heads, channels // self.heads)
        queries, keys, values = heads.transpose(1, 2).chunk(3, dim=1)
        # Written out: of so few tokens the fused kernel is the slower one where it has to learn.
        weights = torch.softmax(queries @ keys.transpose(2, 3) * queries.shape[-1] ** -0.5, dim=-1)
        result: Tensor = (weights @ values).transpose(1, 2).reshape(tokens.shape)
        return result


def unit_tokens(features: Tensor) -> Tensor:
    """Take a picture's mean away and give each token length 1, as a ViT's keys are used.

    Parameters
    ----------
    features : (b, c, h, w)

    Returns
    -------
    (b, h w, c) float32
    """
    tokens = features.float().flatten(2).transpose(1, 2)
    return functional.normalize(tokens - tokens.mean(dim=1, keepdim=True), dim=2)


def count_parameters(network: nn.Module) -> int:
    """Count what is learnt."""
    return sum(parameter.numel() for parameter in network.parameters())


def _convolution(inputs: int, outputs: int, *, side: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
