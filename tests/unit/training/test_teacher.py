from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fewclicks.backbones.registry import create_backbone
from fewclicks.errors import InputError, StorageError
from fewclicks.images.reading import read_image
from fewclicks.training.teacher import TeacherConfig, TeacherTargets, list_photos
from small_students import write_photos
from small_vits import save_vit

LOOK = {"stride": 8, "longest_side": 64}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_photos(tmp_path_factory.mktemp("photos"), 5)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> TeacherConfig:
    folder = save_vit("vit", tmp_path_factory.mktemp("vit"), patch_size=16, image_size=64)
    return TeacherConfig(weights=str(folder), directions=6, precision="fp32", **LOOK)


@pytest.fixture(scope="module")
def targets(
    tmp_path_factory: pytest.TempPathFactory, teacher: TeacherConfig, photos: list[Path]
) -> TeacherTargets:
    filled = TeacherTargets(tmp_path_factory.mktemp("targets"), teacher)
    assert list(filled.fill(photos)) == photos
    return filled


def keys_of(teacher: TeacherConfig, photo: Path) -> np.ndarray:
    return create_backbone(teacher.weights, **LOOK).features(read_image(photo)).tokens


def test_the_directions_are_the_leading_singular_vectors_of_all_tokens(
    targets: TeacherTargets, teacher: TeacherConfig, photos: list[Path]
):
    whole = np.concatenate([keys_of(teacher, photo) for photo in photos])
    expected = np.linalg.svd(whole, full_matrices=False)[2][:6].T
    agreement = np.abs(np.sum(targets.directions() * expected, axis=0))
    np.testing.assert_allclose(agreement, 1.0, atol=1e-3)


def test_a_target_is_what_the_backbone_says_along_the_directions(
    targets: TeacherTargets, teacher: TeacherConfig, photos: list[Path]
):
    lesson = targets.read(photos[0])
    expected = keys_of(teacher, photos[0]) @ targets.directions()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert lesson.tokens.shape == (6, 8, 6)
    np.testing.assert_allclose(lesson.tokens.reshape(48, 6), expected, atol=2e-3)
    assert lesson.image.shape == (48, 64, 3)


def test_no_photograph_is_asked_about_twice(targets: TeacherTargets, photos: list[Path]):
    assert list(targets.fill(photos)) == []


def test_with_flip_a_mirrored_picture_has_the_mirrored_target(
    tmp_path: Path, teacher: TeacherConfig, photos: list[Path]
):
    from PIL import Image

    mirrored = tmp_path / "mirrored.png"
    Image.fromarray(read_image(photos[0])[:, ::-1].copy()).save(mirrored)
    both = TeacherTargets(
        tmp_path / "targets",
        TeacherConfig(weights=teacher.weights, directions=6, precision="fp32", flip=True, **LOOK),
    )
    list(both.fill([photos[0], mirrored]))
    straight, turned = both.read(photos[0]).tokens, both.read(mirrored).tokens
    np.testing.assert_allclose(straight, turned[:, ::-1], atol=2e-3)


def test_targets_of_another_teacher_are_refused(targets: TeacherTargets, teacher: TeacherConfig):
    other = TeacherConfig(weights=teacher.weights, block=0, **LOOK)
    with pytest.raises(InputError, match="targets of another teacher"):
        TeacherTargets(targets.folder, other)


def test_a_missing_target_is_told(targets: TeacherTargets, tmp_path: Path):
    (stranger,) = write_photos(tmp_path, 1, size=(24, 24))
    with pytest.raises(StorageError, match=r"Cannot read the target .* of .*00\.png"):
        targets.read(stranger)


def test_a_list_names_photographs_beside_itself_or_anywhere(tmp_path: Path):
    photos = write_photos(tmp_path / "photos", 3)
    listed = tmp_path / "some.txt"
    listed.write_text(f"photos/01.png\n\n{photos[0]}\n")
    assert list_photos(str(listed)) == [photos[1], photos[0]]
    assert list_photos(str(tmp_path)) == photos


def test_a_place_without_photographs_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="holds no photographs"):
        list_photos(str(tmp_path))
    with pytest.raises(StorageError, match="There is no folder or list"):
        list_photos(str(tmp_path / "nowhere"))


def test_about_one_photograph_in_forty_is_held_out(tmp_path: Path, teacher: TeacherConfig):
    targets = TeacherTargets(tmp_path / "targets", teacher)
    files = [tmp_path / str(number) for number in range(400)]
    for file in files:
        file.write_text(file.name)
    assert 3 <= sum(map(targets.is_held_out, files)) <= 20
