"""What is written is read back, whole or not at all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from drawing import mask, paint
from fewclicks.errors import InputError, ShapeError, StorageError
from fewclicks.images.reading import read_image, read_label_map, read_mask
from fewclicks.images.writing import write_cutout, write_image, write_label_map, write_mask


@pytest.fixture
def ell():
    return mask("......", ".##...", ".##...", ".####.", "......")


@pytest.mark.parametrize("name", ["a.png", "a.TIF", "a.tiff", "a.bmp"])
def test_lossless_pictures_come_back_as_they_were(tmp_path, disk_image, name):
    write_image(tmp_path / name, disk_image)
    assert np.array_equal(read_image(tmp_path / name), disk_image)


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.webp"])
def test_lossy_pictures_come_back_nearly_as_they_were(tmp_path, disk_image, name):
    write_image(tmp_path / name, disk_image)
    assert np.abs(read_image(tmp_path / name).astype(int) - disk_image).mean() < 6


def test_folders_are_made_and_a_path_may_be_text(tmp_path, disk_image):
    write_image(str(tmp_path / "new" / "folder" / "a.png"), disk_image)
    assert [file.name for file in (tmp_path / "new" / "folder").iterdir()] == ["a.png"]


def test_a_slice_of_a_picture_is_written_as_seen(tmp_path, disk_image):
    write_image(tmp_path / "a.png", disk_image[::-2, ::3])
    assert np.array_equal(read_image(tmp_path / "a.png"), disk_image[::-2, ::3])


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.gif"])
def test_an_unknown_extension_says_which_are_known(tmp_path, disk_image, name):
    with pytest.raises(InputError, match=r"needs a name that ends in \.png, \.jpg, .*\.bmp"):
        write_image(tmp_path / name, disk_image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "image", [np.zeros((4, 5)), np.zeros((4, 5, 3)), np.zeros((0, 5, 3), dtype=np.uint8)]
)
def test_what_is_no_picture_is_not_written(tmp_path, image):
    with pytest.raises(InputError, match=r"needs \(height, width, 3\) and uint8"):
        write_image(tmp_path / "a.png", image)
    assert list(tmp_path.iterdir()) == []


def test_where_a_file_stands_for_the_folder_nothing_is_written(tmp_path, disk_image):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="Cannot write"):
        write_image(tmp_path / "file" / "a.png", disk_image)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_in_the_place_of_the_file_is_left_alone(tmp_path, disk_image):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(StorageError, match="Cannot write"):
        write_image(tmp_path / "a.png", disk_image)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_a_picture_too_wide_for_its_format_leaves_the_old_file(tmp_path):
    write_image(tmp_path / "a.webp", np.zeros((1, 9, 3), dtype=np.uint8))
    with pytest.raises((InputError, StorageError)):
        write_image(tmp_path / "a.webp", np.zeros((1, 20_000, 3), dtype=np.uint8))
    assert read_image(tmp_path / "a.webp").shape == (1, 9, 3)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_mask_is_black_and_white_for_other_programs_too(tmp_path, ell):
    write_mask(tmp_path / "a.png", ell)
    stored = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(stored, ell * 255)
    assert np.array_equal(read_mask(tmp_path / "a.png"), ell)


def test_a_mask_is_never_written_as_jpeg(tmp_path, ell):
    with pytest.raises(InputError, match=r"'a\.jpg': needs a name that ends in \.png"):
        write_mask(tmp_path / "a.jpg", ell)


def test_numbers_are_no_mask(tmp_path, ell):
    with pytest.raises(InputError, match=r"type float64; needs \(height, width\) and bool"):
        write_mask(tmp_path / "a.png", ell * 0.5)


@pytest.mark.parametrize(("highest", "mode"), [(255, "L"), (256, "I;16"), (65535, "I;16")])
def test_labels_take_as_many_bits_as_they_need(tmp_path, highest, mode):
    labels = np.array([[0, 1], [2, highest]], dtype=np.int32)
    write_label_map(tmp_path / "a.png", labels)
    assert np.array_equal(read_label_map(tmp_path / "a.png"), labels)
    with Image.open(tmp_path / "a.png") as stored:
        assert stored.mode == mode


@pytest.mark.parametrize("wrong", [-1, 65536])
def test_labels_that_do_not_fit_are_refused(tmp_path, wrong):
    with pytest.raises(InputError, match="a PNG holds 0 to 65535"):
        write_label_map(tmp_path / "a.png", np.array([[0, wrong]], dtype=np.int32))


def test_real_numbers_are_no_labels(tmp_path):
    with pytest.raises(InputError, match="whole numbers"):
        write_label_map(tmp_path / "a.png", np.zeros((2, 2)))


def test_a_cutout_is_clear_off_the_object_and_hides_nothing_there(tmp_path, ell):
    picture = paint(ell)
    write_cutout(tmp_path / "a.png", picture, ell)
    with Image.open(tmp_path / "a.png") as stored:
        pixels = np.array(stored)
    assert np.array_equal(pixels[..., 3], ell * 255)
    assert np.array_equal(pixels[ell, :3], picture[ell])
    assert not pixels[~ell].any()


def test_a_cutout_may_be_cropped_to_the_object(tmp_path, ell):
    write_cutout(tmp_path / "a.png", paint(ell), ell, crop=True)
    assert np.array_equal(read_mask(tmp_path / "a.png"), ell[1:4, 1:5])


def test_a_soft_edge_stays_soft(tmp_path):
    soft = np.array([[0.0, 0.25, 1.0]], dtype=np.float32)
    write_cutout(tmp_path / "a.png", np.full((1, 3, 3), 9, dtype=np.uint8), soft)
    with Image.open(tmp_path / "a.png") as stored:
        assert np.array(stored)[0, :, 3].tolist() == [0, 64, 255]


@pytest.mark.parametrize("wrong", [-0.1, 1.5, np.nan])
def test_opacity_outside_0_to_1_is_refused(tmp_path, wrong):
    with pytest.raises(InputError, match=r"needs numbers in \[0, 1\]"):
        write_cutout(tmp_path / "a.png", np.zeros((1, 1, 3), np.uint8), np.array([[wrong]]))


def test_a_cutout_needs_a_mask_of_the_pictures_size(tmp_path, ell):
    with pytest.raises(ShapeError, match=r"opacity has shape \(4, 6\); needs .* \(5, 6\)"):
        write_cutout(tmp_path / "a.png", paint(ell), ell[1:])


def test_nothing_cannot_be_cropped_to(tmp_path, ell):
    with pytest.raises(InputError, match="mask is empty"):
        write_cutout(tmp_path / "a.png", paint(ell), ell & False, crop=True)
    assert list(tmp_path.iterdir()) == []
