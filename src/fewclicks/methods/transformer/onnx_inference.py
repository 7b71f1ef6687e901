"""Inference by onnxruntime: an exported click network looks at a part of a picture, without torch.

It answers as `inference.NetworkInference` does, with the same numbers but for their rounding.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.special import expit

from fewclicks.arrays import FloatMap, RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError, WeightsError
from fewclicks.images.boxes import Box
from fewclicks.methods.transformer.click_maps import move_clicks
from fewclicks.methods.transformer.exported import (
    DECODER,
    DESCRIPTION,
    ENCODER,
    PADDING,
    ExportedNetwork,
)

_QUIET: Final = 3  # errors only


class OnnxInference:
    """Runs an exported network on the processor.

    Parameters
    ----------
    exported
        Its files are read whole and compared with their checksums.
    side
        0, or the side that it was exported for.
    flip
        Whether to average with the mirrored part; twice the time.
    device, precision
        ``"auto"``; or ``"cpu"`` and ``"fp32"``, which they are.
    threads
        Of the runtime; those of ``OMP_NUM_THREADS``, else one for each core, if 0.

    Raises
    ------
    InputError
        If another side, device or precision is asked for.
    WeightsError
        If a file is missing or damaged.
    """

    def __init__(
        self,
        exported: ExportedNetwork,
        *,
        side: int,
        flip: bool,
        device: str,
        precision: str,
        threads: int = 0,
    ) -> None:
        for name, value, held in (
            ("side", side or exported.side, exported.side),
            ("device", "cpu" if device == "auto" else device, "cpu"),
            ("precision", "fp32" if precision == "auto" else precision, "fp32"),
        ):
            if value != held:
                raise InputError(
                    f"{name} is {value}, but {exported.folder} was exported for {held}; leave it "
                    "out, or name the .safetensors file."
                )
        exported.check_whole()
        self._size = (exported.side, exported.side)
        self._flip = flip
        self._seen = exported.seen
        count = threads or int(os.environ.get("OMP_NUM_THREADS") or 0)
        self._encoder, self._decoder = (
            _load(exported.folder / name, count) for name in (ENCODER, DECODER)
        )

        given = {each.name for each in self._encoder.get_outputs()}
        if not given >= {*exported.seen}:
            raise WeightsError(
                f"{exported.folder / DESCRIPTION} names {', '.join(exported.seen)[:80]}, but "
                f"{ENCODER} gives {', '.join(sorted(given))}; export it again."
            )

    def embed(self, image: RgbImage, part: Box) -> Any:
        """Compute what no click changes in a part: what the network sees in it."""
        colours = np.moveaxis(part.crop(image), -1, 0).astype(np.float32) / np.float32(255.0)
        square = stretch(colours, self._size)
        pictures = np.stack([square, square[..., ::-1]] if self._flip else [square])
        return self._encoder.run(list(self._seen), {"image": pictures})

    def answer(
        self, embedded: Any, part: Box, clicks: Sequence[Click], before: FloatMap
    ) -> FloatMap:
        """Answer clicks, as `inference.NetworkInference.answer` does."""
        moved = [
            (each.x, each.y, float(each.is_positive))
            for each in move_clicks(clicks, part, self._size)
        ]
        points = np.array(moved or [(0.0, 0.0, PADDING)], dtype=np.float64)
        previous = stretch(part.crop(before)[None].astype(np.float32), self._size)
        mirror = np.array([False, True] if self._flip else [False])
        given = {"points": points, "previous": previous[None], "mirror": mirror}
        logits = self._decoder.run(
            ["logits"], {**given, **dict(zip(self._seen, embedded, strict=True))}
        )[0][:, 0]
        if self._flip:
            logits = (logits[:1] + logits[1:, :, ::-1]) / 2
        seen = stretch(expit(logits), (part.height, part.width))
        return part.paste(seen[0].clip(0, 1), np.zeros_like(before))


def stretch(maps: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Stretch maps linearly, corner on corner, without smoothing.

    Parameters
    ----------
    maps : (c, h, w)
    size
        New height and width.

    Returns
    -------
    (c, H, W) float32
    """
    for axis, length in enumerate(size, start=1):
        places = np.linspace(0, maps.shape[axis] - 1, length)
        first = places.astype(np.intp)
        second = np.minimum(first + 1, maps.shape[axis] - 1)
        share = (places - first).astype(np.float32)
        share = share[:, None] if axis == 1 else share
        maps = maps.take(first, axis) * (1 - share) + maps.take(second, axis) * share
    return np.ascontiguousarray(maps)


def _load(file: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors have no base but this
        raise WeightsError(
            f"{file} is no network that onnxruntime can run; export it again."
        ) from error
