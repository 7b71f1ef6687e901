"""What a network of clicks is blamed for: wrong pixels, and edges where the picture has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from kornia.color import rgb_to_yuv
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from fewclicks.errors import InputError


def cross_entropy(logits: Tensor, target: Tensor, judged: Tensor) -> Tensor:
    """Binary cross-entropy, as a mean over each picture's judged pixels, then over pictures.

    Parameters
    ----------
    logits, target : (b, 1, h, w)
        Target 1 on the object, 0 off it.
    judged : (b, 1, h, w)
        1 where the target is known, 0 on void.

    References
    ----------
    .. [1] MIS, Eq. 6.
    """
    return _mean(binary_cross_entropy_with_logits(logits, target, reduction="none"), judged)


def normalised_focal_loss(
    logits: Tensor, target: Tensor, judged: Tensor, *, alpha: float = 0.5, gamma: float = 2.0
) -> Tensor:
    """Focal loss whose weights sum to the number of pixels, so that it does not fade away.

    Parameters
    ----------
    logits, target, judged : (b, 1, h, w)
        As for `cross_entropy`.
    alpha
        Weight of the object's pixels, in [0, 1]; the others have 1 - alpha.
    gamma
        How much more an uncertain pixel counts; at least 0.

    Notes
    -----
    The sum of weights is held fixed when gradients are taken.

    References
    ----------
    .. [1] Sofiiuk et al., "AdaptIS", ICCV 2019, Eq. 2; parameters of arXiv:2102.06583.
    """
    log_right = logsigmoid(torch.where(target > 0.5, logits, -logits))
    wrong = -torch.expm1(log_right)
    focus = wrong**gamma * judged
    pixels = judged.sum(dim=(1, 2, 3), keepdim=True)
    scale = pixels / (focus.sum(dim=(1, 2, 3), keepdim=True) + 1e-12)
    share = torch.where(target > 0.5, alpha, 1.0 - alpha)
    return _mean(-share * focus * scale.detach() * log_right, judged)


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbourhood:
    """Which pixels should agree with a pixel, and how much.

    Parameters
    ----------
    size
        Of the window, odd, at least 3.
    dilation
        Pixels from one neighbour to the next, at least 1.
    place_variance, luma_variance, chroma_variance
        Of the Gaussians over pixels, Y and UV in 0..255; above 0.
    """

    size: int = 5
    dilation: int = 1
    place_variance: float = 16.0
    luma_variance: float = 16.0
    chroma_variance: float = 8.0

    def __post_init__(self) -> None:
        if self.size < 3 or self.size % 2 == 0:
            raise InputError(f"window is {self.size}; needs an odd number, 3 or more.")
        if self.dilation < 1:
            raise InputError(f"dilation is {self.dilation}; needs 1 pixel or more.")
        for name in ("place_variance", "luma_variance", "chroma_variance"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; needs a number above 0.")

    def offsets(self) -> Iterator[tuple[int, int]]:
        """One of each pair of opposite neighbours, as (down, right) in pixels."""
        reach = self.size // 2
        for down in range(reach + 1):
            for right in range(-reach, reach + 1):
                if down > 0 or right > 0:
                    yield down * self.dilation, right * self.dilation


def smoothness(values: Tensor, image: Tensor, window: Neighbourhood) -> Tensor:
    """Squared differences of neighbours, weighed by how alike their colours are.

    Parameters
    ----------
    values : (b, 1, h, w)
        Probabilities; logits, where the authors' code is followed.
    image : (b, 3, h, w)
        RGB in [0, 1].
    window
        A pixel's neighbours are those inside the picture, without itself.

    Returns
    -------
    scalar
        Mean over pixels of the mean over each one's neighbours.

    References
    ----------
    .. [1] MIS, Eq. 7, which prints the sum over pixels; its code takes the mean.
    """
    colours = rgb_to_yuv(image.float()) * 255.0
    height, width = values.shape[-2:]
    neighbours = values.new_zeros((1, 1, height, width), dtype=torch.float32)
    pairs = []
    for down, right in window.offsets():
        if down >= height or abs(right) >= width:
            continue
        here, there = _pair(height, width, down, right)
        neighbours[here] += 1
        neighbours[there] += 1
        pairs.append((here, there, (down**2 + right**2) / (2 * window.place_variance)))
    share = 1.0 / neighbours.clamp_min(1)
    total = values.new_zeros((), dtype=torch.float32)
    for here, there, distance in pairs:
        squared = (colours[here] - colours[there]) ** 2
        luma = squared[:, :1] / (2 * window.luma_variance)
        chroma = squared[:, 1:].sum(dim=1, keepdim=True) / (2 * window.chroma_variance)
        # Each pair is looked at once, and counts for both of its pixels.
        weight = torch.exp(-distance - luma - chroma) * (share[here] + share[there])
        total = total + (weight * (values[here].float() - values[there].float()) ** 2).sum()
    return total / (values.shape[0] * height * width)


def _pair(height: int, width: int, down: int, right: int) -> tuple[tuple[slice, ...], ...]:
    everything = slice(None)
    left, shift = max(0, -right), max(0, right)
    here = (slice(0, height - down), slice(left, width - shift))
    there = (slice(down, height), slice(left + right, width - shift + right))
    return (everything, everything, *here), (everything, everything, *there)


def _mean(loss: Tensor, judged: Tensor) -> Tensor:
    pixels = judged.sum(dim=(1, 2, 3)).clamp_min(1)
    return ((loss * judged).sum(dim=(1, 2, 3)) / pixels).mean()
