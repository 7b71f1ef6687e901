"""SamStylePredictor: SAM's way of asking, so that code written for SAM runs unchanged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewclicks.arrays import FloatImage, FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box
from fewclicks.images.resizing import resize_map
from fewclicks.methods.base import AnyMethod, Prediction, Prepared
from fewclicks.methods.guidance import Guidance
from fewclicks.methods.registry import create_method
from fewclicks.session.pictures import check_picture
from fewclicks.session.prompts import Step
from fewclicks.session.scene import Scene

LOW_RES: Final = 256
"""Side of the square logits; the picture fills their upper left part, its longer side whole."""

LEVELS: Final = (1.0, 0.0, -1.0)
"""Logits above the method's own threshold at which the three masks are cut, smallest mask first."""

STABILITY_OFFSET: Final = 1.0
"""As SAM's: a mask is scored by how little it changes when its threshold moves this far."""

_FARTHEST: Final = 20.0
"""Logit of a probability of 1; beyond it float32 knows no smaller rest."""


class SamStylePredictor:
    """Answers points, a box and a mask with SAM's signatures and shapes.

    Parameters
    ----------
    method
        The embedded default if left out.

    Notes
    -----
    The picture is the only thing remembered between calls: the same prompts give the same masks.
    Differences from SAM: coordinates must lie inside the picture, a box is a hard limit, and a
    score is the mask's stability, since no network guesses its IoU.

    References
    ----------
    .. [1] Kirillov et al., "Segment Anything", ICCV 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from fewclicks import SamStylePredictor, create_method
    >>> predictor = SamStylePredictor(create_method("graphcut"))
    >>> predictor.set_image(np.zeros((40, 60, 3), dtype=np.uint8))
    >>> masks, scores, logits = predictor.predict(np.array([[20, 20]]), np.array([1]))
    >>> masks.shape, scores.shape, logits.shape
    ((3, 40, 60), (3,), (3, 256, 256))
    """

    mask_threshold: float = 0.0

    def __init__(self, method: AnyMethod | None = None) -> None:
        self._method = create_method() if method is None else method
        self._prepared: Prepared | None = None

    @property
    def is_image_set(self) -> bool:
        """Whether `predict` can be asked."""
        return self._prepared is not None

    def set_image(self, image: RgbImage, image_format: str = "RGB") -> None:
        """Prepare a picture; slow, once for many calls of `predict`.

        Parameters
        ----------
        image : (H, W, 3)
            In [0, 255].
        image_format
            Order of its colours, ``"RGB"`` or ``"BGR"``.

        Raises
        ------
        InputError
            If the image or the format is none.
        """
        if image_format not in ("RGB", "BGR"):
            raise InputError(f"image_format is {image_format!r}; needs 'RGB' or 'BGR'.")
        picture = check_picture(image)
        if image_format == "BGR":
            picture = np.ascontiguousarray(picture[..., ::-1])
        self._prepared = self._method.prepare(picture)

    def reset_image(self) -> None:
        """Let go of the picture."""
        self._prepared = None

    def predict(
        self,
        point_coords: ArrayLike | None = None,
        point_labels: ArrayLike | None = None,
        box: ArrayLike | None = None,
        mask_input: ArrayLike | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[NDArray[Any], FloatMap, FloatImage]:
        """Segment what the prompts point at.

        Parameters
        ----------
        point_coords : (n, 2), optional
            ``(x, y)`` in pixels.
        point_labels : (n,), optional
            1 on the object, 0 off it.
        box : (4,), optional
            ``x0, y0, x1, y1`` in pixels.
        mask_input : (1, 256, 256), optional
            Logits of an earlier call, as its third result gives them.
        multimask_output
            Three masks, cut one logit above, at, and one logit below the method's threshold; else
            the one at the threshold.
        return_logits
            Give logits in the place of masks; they are above 0 on the mask.

        Returns
        -------
        masks : (c, H, W) bool
            ``c`` is 3 or 1, smallest mask first; float32 where logits are wanted.
        scores : (c,) float32
            In [0, 1]: IoU of the mask cut one logit above and one below its own threshold.
        low_res_logits : (c, 256, 256) float32
            In [-20, 20]. The longer side of the picture fills all 256; below or beside the picture
            they are -20.

        Raises
        ------
        InputError
            If no image is set, nothing is prompted, or a prompt does not fit the image.
        """
        prepared = self._set_picture()
        height, width = prepared.height, prepared.width
        scene = Scene(height=height, width=width)
        steps: list[Step] = [*_read_box(box, height, width)]
        steps += _read_points(point_coords, point_labels)
        for step in steps:
            scene = scene.after(step, scene.outside_box())
        excluded = scene.outside_box()
        clicks = scene.asked(excluded)
        earlier = None if mask_input is None else _read_logits(mask_input, height, width)
        if clicks:
            if excluded is not None:
                prepared = self._method.condition(prepared, Guidance(excluded=excluded))
            answer = self._method.predict(prepared, clicks, earlier)
        elif earlier is not None:
            answer = earlier
        else:
            raise InputError("Nothing is prompted; needs point_coords, box or mask_input.")
        levels = LEVELS if multimask_output else (0.0,)
        probability, mask = answer.probability, answer.mask
        if excluded is not None:
            probability, mask = np.where(excluded, np.float32(0), probability), mask & ~excluded
        logits = _logits(probability, answer.threshold)
        # Rounding must not move a pixel over the threshold.
        logits = np.where(mask, np.maximum(logits, np.float32(1e-6)), np.minimum(logits, 0))
        stack = _cut(logits, levels)
        scores = np.array([_stability(layer) for layer in stack], dtype=np.float32)
        low_res = _cut(_low_res(probability, answer.threshold), levels)
        return (stack if return_logits else stack > self.mask_threshold), scores, low_res

    def _set_picture(self) -> Prepared:
        if self._prepared is None:
            raise InputError("No image is set; call set_image(image) before predict().")
        return self._prepared


def _read_points(coords: ArrayLike | None, labels: ArrayLike | None) -> list[Click]:
    if coords is None:
        if labels is not None:
            raise InputError("point_labels came without point_coords; needs both.")
        return []
    if labels is None:
        raise InputError("point_coords came without point_labels; needs one label a point, 1 or 0.")
    places, kinds = _numbers("point_coords", coords), _numbers("point_labels", labels)
    if places.ndim != 2 or places.shape[1] != 2:
        raise ShapeError(f"point_coords has shape {places.shape}; needs (points, 2), x and y.")
    if kinds.shape != places.shape[:1]:
        raise ShapeError(
            f"point_labels has shape {kinds.shape}; needs one for each point, {places.shape[:1]}."
        )
    if not np.isin(kinds, (0, 1)).all():
        raise InputError(f"point_labels are {kinds.tolist()}; needs 1 (object) or 0 (not object).")
    return [
        Click(x=math.floor(x), y=math.floor(y), is_positive=bool(kind))
        for (x, y), kind in zip(places.tolist(), kinds, strict=True)
    ]


def _read_box(box: ArrayLike | None, height: int, width: int) -> list[Box]:
    """Take every pixel that the box touches; what leaves the image is cut off, as SAM allows."""
    if box is None:
        return []
    sides = _numbers("box", box)
    if sides.size != 4:
        raise ShapeError(f"box has shape {sides.shape}; needs (4,): x0, y0, x1, y1.")
    x0, y0, x1, y1 = sides.ravel().tolist()
    whole = Box(math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1))
    return [whole.clamped(height=height, width=width)]


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is no array of numbers.") from None
    if not np.isfinite(numbers).all():
        raise InputError(f"{name} holds numbers that are not finite.")
    return numbers


def _logits(probability: FloatMap, threshold: float) -> FloatMap:
    """Logits counted from the threshold's, so that they are above 0 on the mask."""
    rest = math.exp(-_FARTHEST)
    share = np.clip(probability.astype(np.float64), rest, 1 - rest)
    level = min(max(threshold, rest), 1 - rest)
    return (np.log(share / (1 - share)) - math.log(level / (1 - level))).astype(np.float32)


def _cut(logits: FloatMap, levels: Sequence[float]) -> FloatImage:
    return np.stack([np.clip(logits - level, -_FARTHEST, _FARTHEST) for level in levels])


def _stability(logits: FloatMap) -> float:
    """IoU of the mask cut a little above and a little below; 0 where nothing is found."""
    union = np.count_nonzero(logits > -STABILITY_OFFSET)
    return np.count_nonzero(logits > STABILITY_OFFSET) / union if union else 0.0


def _low_res_size(height: int, width: int) -> tuple[int, int]:
    scale = LOW_RES / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _low_res(probability: FloatMap, threshold: float) -> FloatMap:
    """Logits of the resized probability; those of the full size would grow the darker side."""
    inner_height, inner_width = _low_res_size(*probability.shape)
    inner = resize_map(probability, height=inner_height, width=inner_width)
    square = np.full((LOW_RES, LOW_RES), -math.inf, dtype=np.float32)
    square[:inner_height, :inner_width] = _logits(inner, threshold)
    return square


def _read_logits(mask_input: ArrayLike, height: int, width: int) -> Prediction:
    square = _numbers("mask_input", mask_input)
    if square.shape not in ((1, LOW_RES, LOW_RES), (LOW_RES, LOW_RES)):
        raise ShapeError(
            f"mask_input has shape {square.shape}; needs (1, {LOW_RES}, {LOW_RES}), one layer of "
            "the third result of predict()."
        )
    inner_height, inner_width = _low_res_size(height, width)
    inner = square.reshape(LOW_RES, LOW_RES)[:inner_height, :inner_width].astype(np.float32)
    probability = (1 / (1 + np.exp(-np.clip(inner, -_FARTHEST, _FARTHEST)))).astype(np.float32)
    return Prediction(probability=resize_map(probability, height=height, width=width))
