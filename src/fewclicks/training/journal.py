"""Journal: what a training looks like while it runs, for TensorBoard and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import Tensor

from fewclicks.arrays import RgbImage
from fewclicks.files import read_text, write_text
from fewclicks.images.overlay import contact_sheet, draw_overlay
from fewclicks.training.events import Events
from fewclicks.training.interaction import Answer
from fewclicks.training.samples import Batch

EVENTS: Final = "events"
RESULT: Final = "training.json"
_SHOWN: Final = 4


class Journal:
    """Writes scalars and pictures below a folder.

    Parameters
    ----------
    out
        Folder of the training.
    first_step
        What earlier runs wrote from here on is hidden.

    Raises
    ------
    StorageError
        If there is no room, here and where something is written.
    """

    def __init__(self, out: Path, first_step: int) -> None:
        self._events = Events(out / EVENTS, first_step)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers by their names, such as ``loss/smoothness``."""
        for name, value in values.items():
            self._events.scalar(name, value, step)

    def pictures(self, step: int, batch: Batch, answer: Answer) -> None:
        """Draw the first lessons: the target above, the answer with its clicks below."""
        self._events.image("lessons", draw_lessons(batch, answer), step)


def draw_lessons(batch: Batch, answer: Answer) -> RgbImage:
    """Draw up to four lessons in two rows: their targets, and the answers to their clicks."""
    targets, answers = [], []
    for k in range(min(_SHOWN, len(batch.numbers))):
        image = _as_image(batch.image[k])
        targets.append(draw_overlay(image, _as_mask(batch.target[k])))
        answers.append(draw_overlay(image, _as_mask(answer.probability[k]), answer.clicks[k]))
    captions = ["target"] * len(targets) + ["answer"] * len(answers)
    return contact_sheet([*targets, *answers], captions, columns=len(targets))


def write_result(out: Path, result: Mapping[str, Any]) -> None:
    """Keep what came of a training."""
    write_text(out / RESULT, json.dumps(result, indent=2) + "\n")


def read_result(out: Path) -> dict[str, Any]:
    """Give what came of an earlier training; nothing where there was none."""
    path = out / RESULT
    result: dict[str, Any] = json.loads(read_text(path)) if path.is_file() else {}
    return result


def _as_image(image: Tensor) -> RgbImage:
    values = image.detach().float().cpu().permute(1, 2, 0).numpy()
    return np.ascontiguousarray(np.rint(values * 255), dtype=np.uint8)


def _as_mask(values: Tensor) -> np.ndarray:
    return np.asarray(values[0].detach().float().cpu().numpy() > 0.5)
