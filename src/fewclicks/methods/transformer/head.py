"""Head: from features at several sizes to one logit for each pixel of the largest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torch import Tensor, nn
from torch.nn import functional

_START_DEVIATION: Final = 0.01


class SegmentationHead(nn.Module):
    """One layer for each pixel at each size, then one for all sizes together.

    Parameters
    ----------
    widths
        Channels of the features at each size.
    width
        Channels in between.
    dropout
        Probability in [0, 1) that a channel is left out in training.

    References
    ----------
    .. [1] Xie et al., "SegFormer", NeurIPS 2021, section 3.2 (arXiv:2105.15203).
    """

    def __init__(self, widths: Sequence[int], width: int, *, dropout: float) -> None:
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(each, width, kernel_size=1) for each in widths)
        self.fuse = nn.Conv2d(len(widths) * width, width, kernel_size=1)
        self.dropout = nn.Dropout2d(dropout)
        self.classify = nn.Conv2d(width, 1, kernel_size=1)
        for values in self.classify.parameters():  # nearly undecided at first
            nn.init.normal_(values, std=_START_DEVIATION if values.ndim > 1 else 0.0)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Give logits, (b, 1, rows, columns) of the first features."""
        seen = [layer(each).relu() for layer, each in zip(self.levels, features, strict=True)]
        # Mixing channels and resizing commute, and before it there are fewer pixels to mix.
        shares = self.fuse.weight.chunk(len(seen), dim=1)
        fused = functional.conv2d(seen[0], shares[0], self.fuse.bias)
        size = fused.shape[2:]
        for each, share in zip(seen[1:], shares[1:], strict=True):
            mixed = functional.conv2d(each, share)
            fused = fused + functional.interpolate(mixed, size=size, mode="bilinear")
        logits: Tensor = self.classify(self.dropout(fused.relu()))
        return logits
