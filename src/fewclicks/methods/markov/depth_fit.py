"""Depth fit: how surely the edges of a depth map are those of its picture."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from fewclicks.arrays import FloatMap, RgbImage

_LONGEST_SIDE: Final = 128
_NEAR: Final = 8
_CHANCE: Final = 2.0
_SURE: Final = 4.0


def depth_fit(image: RgbImage, depth: FloatMap) -> float:
    """Ask whether a depth map fits its picture better in its place than shifted elsewhere.

    Edges of the picture and of the depth are laid over each other, and again with the depth
    shifted by every vector that leads further than an eighth of the longer side (what leaves on
    one side comes back on the other). Depth of this very picture fits best where it is; depth of
    another one, or noise, fits no better there than anywhere.

    Parameters
    ----------
    image : (H, W, 3)
    depth : (H, W)
        Of any scale.

    Returns
    -------
    float
        In [0, 1]: 0 where the fit is at most 2 standard deviations above that of the shifted ones,
        1 from 4 on, and straight in between. Flat depth fits nothing: 0. Where the picture has no
        edge at all, nothing speaks against the depth: 1.

    Notes
    -----
    Looks at 128 pixels along the longer side, since depth that a network guessed, and measured
    depth as well, misses the picture's edges by a pixel or two. The fit at all shifts is one
    correlation, by Fourier transform.
    """
    ours = np.sqrt(_steps(_shrink(cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32))))
    theirs = _steps(_shrink(np.ascontiguousarray(depth, dtype=np.float32))[..., None])
    if np.ptp(theirs) == 0.0:
        return 0.0
    if np.ptp(ours) == 0.0:
        return 1.0
    far = _is_far(ours.shape)
    if not far.any():
        return 1.0
    fits = _fit_at_shifts(ours, theirs)
    spread = float(fits[far].std())
    if spread == 0.0:
        return 1.0
    deviations = float(fits[0, 0] - fits[far].mean()) / spread
    return float(np.clip((deviations - _CHANCE) / (_SURE - _CHANCE), 0.0, 1.0))


def _shrink(values: FloatMap) -> FloatMap:
    height, width = values.shape[:2]
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _steps(values: FloatMap) -> FloatMap:
    """(H, W) How far each pixel of (H, W, channels) is from those to the right and below."""
    right = np.diff(values, axis=1, append=values[:, -1:])
    down = np.diff(values, axis=0, append=values[-1:])
    return np.asarray(np.sqrt((right**2 + down**2).sum(axis=-1)))


def _fit_at_shifts(ours: FloatMap, theirs: FloatMap) -> FloatMap:
    """Covariance at every shift; no shift stands at [0, 0]."""
    one, other = (np.fft.rfft2(values - values.mean()) for values in (ours, theirs))
    return np.asarray(np.fft.irfft2(one * other.conj(), s=ours.shape))


def _is_far(shape: tuple[int, ...]) -> FloatMap:
    """(H, W) Whether a shift leads further than an eighth of the longer side."""
    down, right = (np.minimum(np.arange(n), n - np.arange(n)) for n in shape)
    return np.asarray(down[:, None] ** 2 + right**2 > (max(shape) // _NEAR) ** 2)
