"""HRNet: a convolutional network that keeps its finest features and exchanges them with coarser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast

from torch import Tensor, nn
from torch.nn import functional

WIDTHS: Final = (18, 36, 72, 144)
"""Of HRNet-W18."""

DEPTHS: Final = (4, 1, 4, 3)
"""Bottlenecks of the first stage, exchanges of the others."""

_STEM: Final = 64
_BLOCKS: Final = 4  # of a branch between two exchanges


class HRNet(nn.Module):
    """A network of four stages, each with a branch more, half as fine as the last.

    Parameters
    ----------
    widths
        Channels of the branches, the finest first.
    depths
        Bottlenecks of the first stage, then exchanges of each other stage.
    stem
        Channels before the first stage, which has four times as many.

    Notes
    -----
    Tensors are called as published ones are, so that the files of others can be read. What only
    the published classifier has, more channels for each branch and its last layers, is left out.
    Where a side is no multiple of 32, coarse features are spread over the finer ones' cells.
    Untrained blocks pass on what they are given: norms whose statistics stay as they were drawn
    would let sums of sums grow beyond single precision.

    References
    ----------
    .. [1] Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition",
       IEEE TPAMI 2020 (arXiv:1908.07919).
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = WIDTHS,
        depths: Sequence[int] = DEPTHS,
        stem: int = _STEM,
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = _convolution(3, stem, stride=2), nn.BatchNorm2d(stem)
        self.conv2, self.bn2 = _convolution(stem, stem, stride=2), nn.BatchNorm2d(stem)
        first = [
            _Bottleneck(stem if number == 0 else 4 * stem, stem) for number in range(depths[0])
        ]
        self.layer1 = nn.Sequential(*first)
        self.transition1 = _transition([4 * stem], widths[:2])
        self.stage2 = _stage(widths[:2], depths[1])
        self.transition2 = _transition(widths[:2], widths[:3])
        self.stage3 = _stage(widths[:3], depths[2])
        self.transition3 = _transition(widths[:3], widths)
        self.stage4 = _stage(widths, depths[3])
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Look at (n, 3, h, w); gives (n, width, h / s, w / s), s of 4 to 32, rounded up."""
        features = functional.relu(self.bn1(self.conv1(pictures)))
        features = functional.relu(self.bn2(self.conv2(features)))
        branches: list[Tensor] = [self.layer1(features)]
        for transition, stage in (
            (self.transition1, self.stage2),
            (self.transition2, self.stage3),
            (self.transition3, self.stage4),
        ):
            coarsest = branches[-1]
            branches = [*branches, *[coarsest] * (len(transition) - len(branches))]
            branches = [step(each) for step, each in zip(transition, branches, strict=True)]
            branches = stage(branches)
        return branches


class _Basic(nn.Module):
    """Two convolutions beside what they are added to."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _convolution(channels, channels), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = _convolution(channels, channels), nn.BatchNorm2d(channels)
        nn.init.zeros_(self.bn2.weight)

    def forward(self, features: Tensor) -> Tensor:
        inner = functional.relu(self.bn1(self.conv1(features)))
        return functional.relu(self.bn2(self.conv2(inner)) + features)


class _Bottleneck(nn.Module):
    """A convolution among few channels, beside what it is added to; gives four times as many."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _convolution(channels, inner, side=1), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = _convolution(inner, inner), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = _convolution(inner, 4 * inner, side=1), nn.BatchNorm2d(4 * inner)
        nn.init.zeros_(self.bn3.weight)
        self.downsample = nn.Sequential()  # as it is called, though it only adds channels
        if channels != 4 * inner:
            self.downsample.append(_convolution(channels, 4 * inner, side=1))
            self.downsample.append(nn.BatchNorm2d(4 * inner))

    def forward(self, features: Tensor) -> Tensor:
        looked = functional.relu(self.bn1(self.conv1(features)))
        looked = functional.relu(self.bn2(self.conv2(looked)))
        return functional.relu(self.bn3(self.conv3(looked)) + self.downsample(features))


class _Exchange(nn.Module):
    """Branches by themselves, each then the sum of all."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(_Basic(width) for _ in range(_BLOCKS))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_way(widths, start, end) for start in range(len(widths)))
            for end in range(len(widths))
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        seen = [branch(each) for branch, each in zip(self.branches, features, strict=True)]
        fused = []
        for ways, own in zip(cast("Iterable[nn.ModuleList]", self.fuse_layers), seen, strict=True):
            parts = [_spread(way(each), own) for way, each in zip(ways, seen, strict=True)]
            fused.append(functional.relu(cast("Tensor", sum(parts))))
        return fused


def _way(widths: Sequence[int], start: int, end: int) -> nn.Module:
    """Make the layers that bring a branch to the channels of another, and to coarser cells."""
    if start == end:
        return nn.Identity()
    if start > end:
        return nn.Sequential(
            _convolution(widths[start], widths[end], side=1), nn.BatchNorm2d(widths[end])
        )
    steps = [_halving(widths[start], widths[start]) for _ in range(end - start - 1)]
    last = _halving(widths[start], widths[end])
    return nn.Sequential(*steps, last[:2])  # without its ReLU, which comes behind the sum


def _spread(features: Tensor, own: Tensor) -> Tensor:
    if features.shape[2:] == own.shape[2:]:
        return features
    return functional.interpolate(features, size=own.shape[2:], mode="nearest")


def _transition(before: Sequence[int], after: Sequence[int]) -> nn.ModuleList:
    """Make what leads from the branches of one stage to those of the next."""
    steps = nn.ModuleList()
    for number, width in enumerate(after):
        if number >= len(before):
            steps.append(nn.Sequential(_halving(before[-1], width)))
        elif before[number] == width:
            steps.append(nn.Identity())
        else:
            steps.append(
                nn.Sequential(_convolution(before[number], width), nn.BatchNorm2d(width), nn.ReLU())
            )
    return steps


def _stage(widths: Sequence[int], exchanges: int) -> nn.Sequential:
    return nn.Sequential(*(_Exchange(widths) for _ in range(exchanges)))


def _halving(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(_convolution(channels, width, stride=2), nn.BatchNorm2d(width), nn.ReLU())


def _convolution(channels: int, width: int, *, side: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, side, stride=stride, padding=side // 2, bias=False)
