from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from fewclicks.errors import InputError
from fewclicks.training.lessons import Lessons, crop, in_other_light
from fewclicks.training.teacher import Lesson, TeacherConfig, TeacherTargets
from small_students import write_photos


def numbered(height: int, width: int) -> Lesson:
    """Tokens and cells that both say which they are."""
    numbers = np.arange(height * width).reshape(height, width)
    image = np.repeat(numbers.repeat(8, axis=0).repeat(8, axis=1)[..., None], 3, axis=2)
    return Lesson(image=image.astype(np.uint8), tokens=numbers[..., None].astype(np.float16))


@pytest.mark.parametrize("size", [(6, 9), (9, 6), (4, 4), (2, 9)])
def test_a_crop_keeps_each_token_on_its_cell(size: tuple[int, int]):
    for seed in range(8):
        image, tokens = crop(numbered(*size), 4, np.random.default_rng(seed))
        assert image.shape == (32, 32, 3)
        cells = image.reshape(4, 8, 4, 8, 3)
        assert (cells == tokens.astype(np.uint8)[:, None, :, None]).all()


def test_some_crops_are_mirrored():
    steps = [
        np.diff(crop(numbered(4, 4), 4, np.random.default_rng(seed))[1][0, :, 0])[0]
        for seed in range(20)
    ]
    assert set(steps) == {1.0, -1.0}


def test_light_stays_in_range_and_moves_all_places_alike():
    colours = torch.rand(2, 3, 1, 5).expand(-1, -1, 4, -1).contiguous()
    lit = in_other_light(colours, np.random.default_rng(0))
    assert lit.shape == colours.shape
    assert 0.0 <= lit.min() <= lit.max() <= 1.0
    assert not torch.allclose(lit, colours, atol=0.01)
    assert torch.equal(lit[:, :, 0], lit[:, :, 3])


@pytest.fixture
def lessons(tmp_path: Path) -> Lessons:
    photos = write_photos(tmp_path / "photos", 7)
    targets = TeacherTargets(tmp_path / "targets", TeacherConfig(weights="none"))
    (tmp_path / "targets").mkdir()
    for number, photo in enumerate(photos[:6]):
        tokens = np.full((6, 8, 2), number, dtype=np.float16)
        save_file({"tokens": tokens}, targets.file_of(photo))
    return Lessons(targets, photos)


def test_a_photograph_without_a_target_is_left_out(lessons: Lessons):
    assert len(lessons.trained) + len(lessons.held_out) == 6


def test_each_photograph_comes_once_before_any_comes_twice(lessons: Lessons):
    count = len(lessons.trained)
    drawn = [
        int(token)
        for step in range(count)
        for token in lessons.batch(step, size=2, side=4, seed=0)[1][:, 0, 0, 0]
    ]
    assert len(set(drawn[:count])) == len(set(drawn[count:])) == count


def test_a_step_draws_the_same_whenever_it_is_asked_for(lessons: Lessons):
    first = lessons.batch(3, size=2, side=4, seed=0)
    lessons.batch(0, size=2, side=4, seed=0)
    again = lessons.batch(3, size=2, side=4, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], lessons.batch(3, size=2, side=4, seed=1)[0])


def test_no_lessons_at_all_are_refused(tmp_path: Path):
    photos = write_photos(tmp_path / "photos", 2)
    targets = TeacherTargets(tmp_path / "targets", TeacherConfig(weights="none"))
    with pytest.raises(InputError, match="No photograph has a target"):
        Lessons(targets, photos)
