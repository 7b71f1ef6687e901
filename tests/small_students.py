"""Small students, photographs and lessons for the tests of distillation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from fewclicks.training.student import Student, StudentConfig

SMALL = StudentConfig(
    fine=8,
    middle=8,
    coarse=16,
    middle_blocks=1,
    coarse_blocks=1,
    heads=2,
    merged=8,
    directions=6,
)


def small_student(seed: int = 0) -> Student:
    """Build one whose norms have seen pictures, as one that has learnt has."""
    torch.manual_seed(seed)
    student = Student(SMALL)
    for part in student.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.0)
            nn.init.normal_(part.bias, std=0.1)
            nn.init.normal_(part.running_mean, std=0.1)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
    return student.eval()


def write_photos(folder: Path, count: int, size: tuple[int, int] = (48, 64)) -> list[Path]:
    """Save pictures of two colours and some noise, each different."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    photos = []
    for number in range(count):
        picture = np.empty((*size, 3), dtype=np.uint8)
        picture[:] = rng.integers(0, 200, 3)
        top, left = rng.integers(0, size[0] // 2), rng.integers(0, size[1] // 2)
        picture[top : top + size[0] // 2, left : left + size[1] // 2] = rng.integers(0, 200, 3)
        picture += rng.integers(0, 50, picture.shape).astype(np.uint8)
        photos.append(folder / f"{number:02d}.png")
        Image.fromarray(picture).save(photos[-1])
    return photos
