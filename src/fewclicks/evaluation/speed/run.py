"""A benchmark's run: all rows on one photograph, one thread, one after the other."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from fewclicks import __version__
from fewclicks.arrays import RgbImage
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.evaluation.machine import describe_machine
from fewclicks.evaluation.speed.rows import Row, Stage, time_stage
from fewclicks.evaluation.speed.stages import stages
from fewclicks.evaluation.speed.whole_clicks import (
    WALKS,
    method_stages,
    peak_memory,
    photograph,
    usual_clicks,
)
from fewclicks.evaluation.threads import limited_threads
from fewclicks.images.resizing import resize_map
from fewclicks.methods.energy.full_size import refine_at_full_size

TWELVE_MEGAPIXELS: Final = "12mp"
METHODS: Final = (*WALKS, "fewclicks")

_LARGE = 2_000_000  # pixels, from which on plain versions and rivals take minutes
_LONGEST_NAME: Final = 16_384  # pixels along a side
_STAGES, _STAGES_OF_METHOD, _RIVALS = 12, 4, 2  # rows


class Size(NamedTuple):
    """Of the photograph, in pixels."""

    width: int
    height: int


def read_size(text: str) -> Size:
    """Read ``WIDTHxHEIGHT``, or ``12mp`` for 4000x3000.

    Raises
    ------
    InputError
        If it is neither, or a side is below 32 pixels.
    """
    if text.lower() == TWELVE_MEGAPIXELS:
        return Size(4000, 3000)
    width, _, height = text.lower().partition("x")
    if width.isdecimal() and height.isdecimal():
        size = Size(int(width), int(height))
        if min(size) >= 32 and max(size) <= _LONGEST_NAME:
            return size
    raise InputError(
        f"size is '{text}'; needs WIDTHxHEIGHT with 32 to {_LONGEST_NAME} pixels a side, "
        "854x480 say, or 12mp."
    )


def measure(
    size: Size,
    *,
    methods: Sequence[str] = METHODS,
    repeats: int = 7,
    watch: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Time stages and whole clicks.

    Parameters
    ----------
    size
        Of the photograph. From two million pixels on the stages are left out, as methods work at
        a smaller size then, and so are plain versions and rivals, which take minutes there.
    methods
        Names as `create_method` knows them, and those of `WALKS`.
    repeats
        How often each is timed after a warm-up; the median counts.
    watch
        Told ``(done, total)`` in rows.

    Returns
    -------
    dict
        ``{"fewclicks", "commit", "width", "height", "repeats", "machine", "rows"}``; a row has
        the keys of `Row`.
    """
    is_large = size.width * size.height >= _LARGE
    each = _STAGES_OF_METHOD + (0 if is_large else _RIVALS)
    total = len(methods) * each + (1 if is_large else _STAGES)
    rows: list[Row] = []
    with limited_threads(1):
        for one in _rows(size, methods, repeats, is_large):
            rows.append(one)
            if watch:
                watch(len(rows), max(total, len(rows)))
    return {
        "fewclicks": __version__,
        "commit": _commit(),
        "width": size.width,
        "height": size.height,
        "repeats": repeats,
        "machine": describe_machine(threads=1),
        "rows": [asdict(row) for row in rows],
    }


def _rows(size: Size, methods: Sequence[str], repeats: int, is_large: bool) -> Iterator[Row]:
    image = photograph(*size)
    clicks = usual_clicks(image)
    parts = [_full_size(image, clicks)] if is_large else stages(image, clicks)
    for stage in parts:
        yield time_stage(stage, repeats)
    for name in methods:
        for stage in method_stages(name, image, clicks, rivals=not is_large):
            yield time_stage(stage, repeats)
        yield peak_memory(name, *size)


def _full_size(image: RgbImage, clicks: list[Click]) -> Stage:
    """Time what a large picture costs besides: the border of a disk, drawn at full size."""
    height, width = (round(side * 1024 / min(image.shape[:2])) for side in image.shape[:2])
    down, right = np.mgrid[:height, :width]
    disk = np.hypot(down - height / 2, right - width / 2) < min(height, width) / 3
    small = disk.astype(np.float32)
    return Stage(
        name="edge at full size",
        ours=lambda: refine_at_full_size(image, small, clicks),
        baseline="bilinear enlargement",
        theirs=lambda: resize_map(small, height=image.shape[0], width=image.shape[1]),
    )


def _commit() -> str | None:
    """Of the checkout that the package lies in, if it lies in one."""
    here = Path(__file__).parent
    try:
        asked = subprocess.run(
            ["git", "-C", str(here), "log", "-1", "--format=%h", "--", str(here.parents[1])],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return asked.stdout.strip() or None
