"""Channel fusion: exemplar and what is asked for become one, without attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelFusion(nn.Module):
    """Mixes the channels of two streams, and looks at a token's neighbours once.

    Parameters
    ----------
    dim
        Channels of each stream, and of what comes out.

    Notes
    -----
    Both streams, one behind the other, go through a 1 x 1, a depth-wise 3 x 3 and a 1 x 1
    convolution; a 1 x 1 convolution beside them skips these. Norms and the ReLU between are ours:
    the paper draws neither.

    References
    ----------
    .. [1] iCMFormer++, section 3.4.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(2 * dim, dim, kernel_size=1),
            nn.Conv2d(dim, dim, kernel_size=3, padding=1, groups=dim),
            nn.ReLU(),
            nn.Conv2d(dim, dim, kernel_size=1),
            nn.GroupNorm(1, dim),
        )
        self.skip = nn.Conv2d(2 * dim, dim, kernel_size=1, bias=False)
        self.norm = nn.GroupNorm(1, dim)

    def forward(self, exemplar: Tensor, recall: Tensor) -> Tensor:
        """Fuse two (b, rows, columns, dim) into one."""
        both = torch.cat([exemplar, recall], dim=-1).permute(0, 3, 1, 2)
        fused: Tensor = self.norm(self.mix(both) + self.skip(both))
        return fused.permute(0, 2, 3, 1)
