"""Pyramid: features at four sizes from the one that a plain transformer gives."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class SimplePyramid(nn.Module):
    """Four small branches from features at a patch's stride, called 1/16 of the picture.

    Parameters
    ----------
    dim
        Channels of the features.
    widths
        Channels at 1/4, 1/8, 1/16 and 1/32.

    References
    ----------
    .. [1] Liu et al., "SimpleClick: Interactive Image Segmentation with Simple Vision
       Transformers", ICCV 2023, section 3.1 (arXiv:2210.11006).
    """

    def __init__(self, dim: int, widths: Sequence[int]) -> None:
        super().__init__()
        quarter, eighth, sixteenth, least = widths
        wide = max(2 * quarter, dim // 2)
        half = max(eighth, dim // 2)
        double = max(least, 2 * dim)
        self.levels = nn.ModuleList(
            [
                nn.Sequential(
                    *_twice_as_large(dim, wide),
                    nn.GELU(),
                    *_twice_as_large(wide, wide // 2),
                    *_mixed(wide // 2, quarter),
                ),
                nn.Sequential(*_twice_as_large(dim, half), *_mixed(half, eighth)),
                nn.Sequential(*_mixed(dim, sixteenth)),
                nn.Sequential(
                    nn.Conv2d(dim, double, kernel_size=2, stride=2),
                    _norm(double),
                    *_mixed(double, least),
                ),
            ]
        )

    def forward(self, features: Tensor) -> list[Tensor]:
        """Give (b, width, rows, columns) at each size, the largest first."""
        return [level(features) for level in self.levels]


def _twice_as_large(dim: int, width: int) -> tuple[nn.Module, nn.Module]:
    return nn.ConvTranspose2d(dim, width, kernel_size=2, stride=2), _norm(width)


def _mixed(dim: int, width: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    return nn.Conv2d(dim, width, kernel_size=1), _norm(width), nn.GELU()


def _norm(width: int) -> nn.Module:
    """Over channels and places together."""
    return nn.GroupNorm(1, width)
