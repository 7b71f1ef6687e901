"""Pictures seen anew: larger, turned, cut out, in other light; their masks moved along with them.

All that moves a picture is one affine map, so that it is resampled once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from kornia import enhance
from kornia.color import rgb_to_grayscale
from kornia.filters import gaussian_blur2d
from kornia.geometry import warp_affine
from numpy.typing import NDArray
from torch import Tensor

from fewclicks.arrays import BoolMask, RgbImage
from fewclicks.errors import InputError
from fewclicks.images.resizing import resize_image, resize_map

Matrix: TypeAlias = NDArray[np.float64]
"""(3, 3), moves homogeneous pixel coordinates (x, y, 1); pixel centres are whole numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Augmentation:
    """What may happen to a picture; the defaults are the published ones for SBD.

    Parameters
    ----------
    crop
        Side in pixels of the square that is cut out; what the picture does not reach is black.
    scale_low, scale_high
        Factor of enlargement, drawn evenly.
    flip_horizontal, flip_vertical
        Whether a flip of this kind may happen, each with probability 1/2.
    quarter_turns
        Whether the picture may be turned by 90, 180 or 270 degrees; it is left with probability
        5/8.
    shift, rotation, shift_probability
        Greatest shift as a share of the side, greatest angle in degrees, how often.
    brightness, contrast_low, contrast_high, light_probability
        Largest change of brightness as a share of full; change of contrast; how often.
    rgb_shift, rgb_shift_probability
        Largest change of each colour, of 255; how often.
    jitter, hue, jitter_probability
        Colour jitter of MIS: change of brightness, contrast and saturation; share of the circle of
        hues; how often.
    grey_probability, blur_probability
        How often a picture loses its colours, or its edges.

    References
    ----------
    .. [1] arXiv:2102.06583 and MIS, as their code does it.
    """

    crop: int = 448
    scale_low: float = 0.75
    scale_high: float = 1.25
    flip_horizontal: bool = True
    flip_vertical: bool = True
    quarter_turns: bool = True
    shift: float = 0.03
    rotation: float = 3.0
    shift_probability: float = 0.75
    brightness: float = 0.25
    contrast_low: float = -0.15
    contrast_high: float = 0.4
    light_probability: float = 0.75
    rgb_shift: float = 10.0
    rgb_shift_probability: float = 0.75
    jitter: float = 0.8
    hue: float = 0.2
    jitter_probability: float = 0.3
    grey_probability: float = 0.2
    blur_probability: float = 0.2

    def __post_init__(self) -> None:
        if self.crop < 1:
            raise InputError(f"crop is {self.crop}; needs a number of pixels, 1 or more.")
        if not 0 < self.scale_low <= self.scale_high:
            raise InputError(
                f"scale goes from {self.scale_low} to {self.scale_high}; needs numbers above 0, "
                "the smaller one first."
            )
        for name in ("shift", "light", "rgb_shift", "jitter", "grey", "blur"):
            value = getattr(self, f"{name}_probability")
            if not 0 <= value <= 1:
                raise InputError(f"{name}_probability is {value}; needs 0 to 1.")


class Seen(NamedTuple):
    """A square of a picture.

    Parameters
    ----------
    image : (3, crop, crop) float32
        RGB in [0, 1].
    masks : (k, crop, crop)
    inside : (crop, crop)
        True where there is a picture.
    is_mirrored
        Whether left has become right, however it was turned.
    """

    image: Tensor
    masks: NDArray[np.bool_]
    inside: BoolMask
    is_mirrored: bool


def augment(
    image: RgbImage,
    masks: NDArray[np.bool_],
    chance: np.random.Generator,
    settings: Augmentation,
) -> Seen:
    """Cut a square out of a picture and its masks, seen anew.

    Parameters
    ----------
    image : (H, W, 3)
    masks : (k, H, W)
        Moved as the picture is; each new pixel takes the nearest old one.
    chance
        Decides everything.
    """
    height, width = image.shape[:2]
    drawn = _draw_matrix(height, width, chance, settings)
    matrix = torch.from_numpy(drawn[:2])[None].float()
    side = (settings.crop, settings.crop)
    colours = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255
    present = np.concatenate([masks, np.ones((1, height, width), dtype=bool)])
    moved = warp_affine(colours, matrix, side, mode="bilinear", padding_mode="zeros")
    layers = torch.from_numpy(present)[None].float()
    kept = warp_affine(layers, matrix, side, mode="nearest", padding_mode="zeros")[0].numpy() > 0.5
    lit = _in_other_light(moved, chance, settings).clamp(0.0, 1.0)[0]
    # Light changes pictures, not the black around them.
    return Seen(
        image=lit * torch.from_numpy(kept[-1]),
        masks=kept[:-1],
        inside=kept[-1],
        is_mirrored=bool(np.linalg.det(drawn) < 0),
    )


def augment_whole(
    image: RgbImage,
    masks: NDArray[np.bool_],
    chance: np.random.Generator,
    settings: Augmentation,
    *,
    is_mirrored: bool = False,
) -> tuple[Tensor, Tensor]:
    """Stretch a whole picture to the square, as a reference is seen, in other light.

    Parameters
    ----------
    image : (H, W, 3)
    masks : (k, H, W)
    chance
        Decides everything.
    is_mirrored
        Whether left becomes right, as on the picture that it is a reference for.

    Returns
    -------
    image : (3, crop, crop) float32
        RGB in [0, 1].
    masks : (k, crop, crop) float32
        Shares of each new pixel, in [0, 1]; nothing that is marked is lost.
    """
    side = settings.crop
    colours = resize_image(image, height=side, width=side)
    shares = np.stack(
        [resize_map(each.astype(np.float32), height=side, width=side) for each in masks]
    )
    if is_mirrored:
        colours, shares = colours[:, ::-1], shares[:, :, ::-1]
    pixels = torch.from_numpy(np.ascontiguousarray(colours)).permute(2, 0, 1)[None].float() / 255
    lit = _in_other_light(pixels, chance, settings).clamp(0.0, 1.0)[0]
    return lit, torch.from_numpy(np.ascontiguousarray(shares))


def _draw_matrix(
    height: int, width: int, chance: np.random.Generator, settings: Augmentation
) -> Matrix:
    """Draw the map from the picture's pixels to the square's."""
    scale = chance.uniform(settings.scale_low, settings.scale_high)
    turns = int(chance.integers(4)) if settings.quarter_turns and chance.random() < 0.5 else 0
    angle = math.radians(90 * turns)
    mirror = [
        -1.0 if allowed and chance.random() < 0.5 else 1.0
        for allowed in (settings.flip_horizontal, settings.flip_vertical)
    ]
    tilt, right, down = 0.0, 0.0, 0.0
    if chance.random() < settings.shift_probability:
        tilt = math.radians(chance.uniform(-settings.rotation, settings.rotation))
        right, down = chance.uniform(-settings.shift, settings.shift, 2)
    new_height, new_width = scale * height, scale * width
    if turns % 2:
        new_height, new_width = new_width, new_height
    # A picture smaller than the square stands in its middle; a larger one is cut anywhere.
    cut_x = chance.random() * max(0.0, new_width - settings.crop)
    cut_y = chance.random() * max(0.0, new_height - settings.crop)
    middle_x = max(new_width, settings.crop) / 2 - cut_x
    middle_y = max(new_height, settings.crop) / 2 - cut_y
    return np.asarray(
        _shifted(middle_x - 0.5 + right * new_width, middle_y - 0.5 + down * new_height)
        @ _turned(angle + tilt)
        @ np.diag([scale * mirror[0], scale * mirror[1], 1.0])
        @ _shifted(0.5 - width / 2, 0.5 - height / 2)
    )


def _shifted(right: float, down: float) -> Matrix:
    return np.array([[1.0, 0.0, right], [0.0, 1.0, down], [0.0, 0.0, 1.0]])


def _turned(angle: float) -> Matrix:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _in_other_light(image: Tensor, chance: np.random.Generator, settings: Augmentation) -> Tensor:
    if chance.random() < settings.light_probability:
        contrast = chance.uniform(settings.contrast_low, settings.contrast_high)
        brightness = chance.uniform(-settings.brightness, settings.brightness)
        image = enhance.adjust_contrast(image, 1 + contrast, clip_output=False)
        image = enhance.adjust_brightness(image, brightness)
    if chance.random() < settings.rgb_shift_probability:
        red, green, blue = chance.uniform(-1, 1, (3, 1)) * settings.rgb_shift / 255
        image = enhance.shift_rgb(
            image, *(torch.from_numpy(each).float() for each in (red, green, blue))
        )
    if chance.random() < settings.jitter_probability:
        image = _jittered(image, chance, settings)
    if chance.random() < settings.grey_probability:
        image = rgb_to_grayscale(image).expand(-1, 3, -1, -1)
    if chance.random() < settings.blur_probability:
        sigma = chance.uniform(0.1, 2.0)
        image = gaussian_blur2d(image, (9, 9), (sigma, sigma))
    return image


def _jittered(image: Tensor, chance: np.random.Generator, settings: Augmentation) -> Tensor:
    """Brightness, contrast, saturation and hue, in any order."""
    low, high = max(0.0, 1 - settings.jitter), 1 + settings.jitter
    bright, contrast, saturation = (float(each) for each in chance.uniform(low, high, 3))
    hue = 2 * math.pi * chance.uniform(-settings.hue, settings.hue)
    steps: list[Callable[[Tensor], Tensor]] = [
        lambda x: enhance.adjust_brightness_accumulative(x, bright),
        lambda x: enhance.adjust_contrast_with_mean_subtraction(x, contrast),
        lambda x: enhance.adjust_saturation_with_gray_subtraction(x, saturation),
        lambda x: enhance.adjust_hue(x, hue),
    ]
    for step in chance.permutation(len(steps)):
        image = steps[int(step)](image).clamp(0.0, 1.0)
    return image
