"""Measured depth: what each kind of file means, and what a broken one is answered with."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt
from skimage import data

from fewclicks.errors import ImageError, InputError, ShapeError, StorageError
from fewclicks.images.depth_files import DepthFiles, read_depth

RAMP = np.arange(1, 13, dtype=np.float64).reshape(3, 4)
RAMP_SHARE = (RAMP - 1) / 11


def save(path: Path, values: np.ndarray) -> Path:
    """By the suffix; arrays as .npy, all else by Pillow."""
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        Image.fromarray(values).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("d.png", np.uint8),
        ("d.png", np.uint16),
        ("d.tif", np.uint16),
        ("d.tiff", np.float32),
        ("d.npy", np.float64),
        ("d.npy", np.float16),
        ("d.npy", np.int64),
        ("d.npy", ">u2"),
    ],
)
def test_disparity_is_brought_to_the_unit_range_from_every_kind_of_file(
    tmp_path: Path, name: str, dtype: type
):
    depth = read_depth(save(tmp_path / name, RAMP.astype(dtype)))
    np.testing.assert_allclose(depth.values, RAMP_SHARE, atol=1e-6)
    assert depth.values.dtype == np.float32
    assert depth.unknown == 0.0


def test_distance_is_turned_over(tmp_path: Path):
    path = save(tmp_path / "z.npy", np.array([[1.0, 2.0, 4.0]]))
    np.testing.assert_allclose(
        read_depth(path, kind="depth").values, [[1.0, 1 / 3, 0.0]], atol=1e-6
    )
    np.testing.assert_allclose(read_depth(path).values, [[0.0, 1 / 3, 1.0]], atol=1e-6)


@pytest.mark.parametrize("hole", [0.0, -1.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["inverse", "depth"])
def test_what_is_unknown_takes_the_nearest_known_value_and_is_reported(
    tmp_path: Path, hole: float, kind: str
):
    values = np.random.default_rng(0).uniform(1, 9, (20, 30))
    holes = np.zeros(values.shape, dtype=bool)
    holes[5:9, 3:12] = True
    holes[0, 0] = True
    whole = read_depth(save(tmp_path / "whole.npy", values), kind=kind)
    depth = read_depth(save(tmp_path / "holed.npy", np.where(holes, hole, values)), kind=kind)

    known = np.argwhere(~holes)
    for row, column in np.argwhere(holes):
        steps = np.hypot(*(known - [row, column]).T)
        nearest = known[steps == steps.min()]
        candidates = depth.values[tuple(nearest.T)]
        assert depth.values[row, column] in candidates
    spread = np.ptp(1 / values[~holes]) if kind == "depth" else np.ptp(values[~holes])
    scale = np.ptp(1 / values) if kind == "depth" else np.ptp(values)
    assert depth.unknown == pytest.approx(37 / 600)
    differences = np.diff(whole.values[~holes]) * scale / spread
    np.testing.assert_allclose(np.diff(depth.values[~holes]), differences, atol=1e-5)


def test_zero_is_far_in_what_a_network_wrote(tmp_path: Path):
    path = save(tmp_path / "d.png", np.array([[0, 0, 51], [0, 102, 255]], dtype=np.uint8))
    depth = read_depth(path, kind="relative")
    np.testing.assert_allclose(depth.values, [[0, 0, 0.2], [0, 0.4, 1]], atol=1e-6)
    assert depth.unknown == 0.0
    assert read_depth(path).unknown == 0.5


def test_a_real_disparity_map_is_filled_where_the_cameras_saw_nothing(tmp_path: Path):
    disparity = data.stereo_motorcycle()[2]
    depth = read_depth(save(tmp_path / "disparity.tiff", disparity))
    known = np.isfinite(disparity)
    assert 0.01 < depth.unknown < 0.2
    assert depth.unknown == pytest.approx(1 - known.mean(), abs=1e-6)
    rows, columns = distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = disparity[rows, columns]
    expected = (filled - filled.min()) / np.ptp(filled)
    np.testing.assert_allclose(depth.values, expected, atol=1e-6)


def test_a_map_of_the_same_aspect_is_resized(tmp_path: Path):
    coarse = np.arange(1, 6 * 8 + 1, dtype=np.uint16).reshape(6, 8)
    path = save(tmp_path / "d.png", coarse)
    assert read_depth(path, shape=(6, 8)).values.shape == (6, 8)
    fine = read_depth(path, shape=(60, 80)).values
    assert fine.shape == (60, 80)
    means = fine.reshape(6, 10, 8, 10).mean(axis=(1, 3))
    np.testing.assert_allclose(means[1:-1, 1:-1], ((coarse - 1) / 47)[1:-1, 1:-1], atol=1e-3)
    odd = save(tmp_path / "odd.npy", np.random.default_rng(0).uniform(1, 2, (267, 400)))
    assert read_depth(odd, shape=(400, 600)).values.shape == (400, 600)


def test_a_map_of_another_aspect_is_refused(tmp_path: Path):
    path = save(tmp_path / "d.npy", RAMP)
    said = "3 high and 4 wide; needs the aspect of its picture, 400 high and 300 wide"
    with pytest.raises(ShapeError, match=said):
        read_depth(path, shape=(400, 300))


@pytest.mark.parametrize("kind", ["inverse", "depth", "relative"])
def test_a_map_that_tells_nothing_is_refused(tmp_path: Path, kind: str):
    flat = save(tmp_path / "flat.npy", np.full((4, 5), 3.0))
    with pytest.raises(ImageError, match="holds one depth only"):
        read_depth(flat, kind=kind)
    lost = save(tmp_path / "lost.npy", np.full((4, 5), np.nan))
    with pytest.raises(ImageError, match="knows no depth at all: not one finite number"):
        read_depth(lost, kind=kind)


def test_extreme_numbers_do_no_harm(tmp_path: Path):
    path = save(tmp_path / "d.npy", np.array([[-1.7e308, 1.7e308, 1.0, 3.0, 1e-320]]))
    for kind in ("inverse", "depth", "relative"):
        values = read_depth(path, kind=kind).values
        assert np.isfinite(values).all()
        assert (values.min(), values.max()) == (0.0, 1.0)


def test_grey_saved_as_colours_is_read_and_colours_are_not(tmp_path: Path):
    grey = RAMP.astype(np.uint8)
    path = save(tmp_path / "grey.png", np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_allclose(read_depth(path).values, RAMP_SHARE, atol=1e-6)
    turbo = np.stack([grey, grey[::-1], grey], axis=-1)
    with pytest.raises(ImageError, match="holds RGB pixels, not numbers"):
        read_depth(save(tmp_path / "turbo.png", turbo))
    Image.fromarray(turbo).convert("P").save(tmp_path / "palette.png")
    with pytest.raises(ImageError, match="holds P pixels, not numbers"):
        read_depth(tmp_path / "palette.png")


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("sprung",)


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "objects.npy", np.array([[_Trap()]], dtype=object), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(_Trap()))
    for name in ("objects.npy", "pickle.npy"):
        with pytest.raises(ImageError):
            read_depth(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\x93NUMPY", "cannot be read as an array"),
        (b"depth 1 2 3", "no picture in a known format"),
    ],
)
def test_files_that_are_no_maps_are_refused(tmp_path: Path, content: bytes, said: str):
    (tmp_path / "d.npy").write_bytes(content)
    with pytest.raises(ImageError, match=said):
        read_depth(tmp_path / "d.npy")


def test_a_file_cut_short_is_refused(tmp_path: Path):
    path = save(tmp_path / "d.npy", RAMP)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ImageError, match="cannot be read as an array"):
        read_depth(path)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\); needs \(height, width\)"),
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((4, 5), dtype=bool), "bool values; needs real numbers"),
        (np.zeros((4, 5), dtype=complex), "complex128 values"),
    ],
)
def test_arrays_that_are_no_maps_are_refused(tmp_path: Path, values: np.ndarray, said: str):
    with pytest.raises(ImageError, match=said):
        read_depth(save(tmp_path / "d.npy", values))


def test_an_array_with_one_channel_is_a_map(tmp_path: Path):
    for number, axis in enumerate((0, -1)):
        path = save(tmp_path / f"{number}.npy", np.expand_dims(RAMP, axis))
        np.testing.assert_allclose(read_depth(path).values, RAMP_SHARE, atol=1e-6)


def test_places_and_kinds_that_are_none_are_refused(tmp_path: Path):
    with pytest.raises(StorageError, match="There is no file"):
        read_depth(tmp_path / "nothing.png")
    with pytest.raises(StorageError, match="is a folder"):
        read_depth(tmp_path)
    with pytest.raises(InputError, match="needs one of: inverse, depth, relative"):
        read_depth(save(tmp_path / "d.npy", RAMP), kind="far")  # type: ignore[arg-type]


def test_a_folder_gives_each_picture_its_own_file(tmp_path: Path):
    save(tmp_path / "dog.v2.npy", RAMP)
    save(tmp_path / "cat.png", RAMP[::-1].astype(np.uint8))
    files = DepthFiles(tmp_path)
    np.testing.assert_allclose(files.read("dog.v2", (3, 4)).values, RAMP_SHARE, atol=1e-6)
    np.testing.assert_allclose(files.read("cat", (3, 4)).values, RAMP_SHARE[::-1], atol=1e-6)
    with pytest.raises(StorageError, match=r"no depth of picture 'cow'; needs cow\.png"):
        files.find("cow")
    save(tmp_path / "cat.npy", RAMP)
    with pytest.raises(InputError, match=r"has both cat\.png and cat\.npy"):
        files.find("cat")


def test_a_single_file_is_that_of_every_picture(tmp_path: Path):
    path = save(tmp_path / "d.npy", RAMP)
    assert DepthFiles(path, "depth").find("anything") == path
    np.testing.assert_allclose(
        DepthFiles(path, "depth").read("anything", (3, 4)).values,
        (1 / RAMP - 1 / 12) / (1 - 1 / 12),
        atol=1e-6,
    )
