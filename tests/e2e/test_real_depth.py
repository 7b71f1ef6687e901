"""A photograph with measured depth: what colour cannot tell apart, depth can."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import stereo_motorcycle
from skimage.filters import threshold_otsu
from sklearn.metrics import roc_auc_score

import fewclicks as fc
from fewclicks.methods.base import AnyMethod, Prepared

SEAT, LAMP, GUARD, FORK = (240, 205), (540, 150), (377, 127), (500, 189)


@pytest.fixture(scope="module")
def method() -> AnyMethod:
    return fc.create_method(
        "m2n2v2", backbone="colour", flip=False, **{"backbone.longest_side": 40}
    )


@pytest.fixture(scope="module")
def looked(
    method: AnyMethod, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Prepared, Prepared, np.ndarray]:
    """The picture at half its size, without depth and with it; and what is near in it."""
    left, _, disparity = stereo_motorcycle()
    image = np.ascontiguousarray(cv2.resize(left, (370, 250), interpolation=cv2.INTER_AREA))
    path = tmp_path_factory.mktemp("depth") / "disparity.npy"
    np.save(path, disparity)
    depth = fc.read_depth(path, shape=(250, 370)).values
    plain = method.prepare(image)
    guided = method.condition(plain, fc.Guidance(depth=depth))
    return plain, guided, depth > threshold_otsu(depth)


@pytest.mark.parametrize(("x", "y"), [SEAT, LAMP, GUARD, FORK])
def test_the_guided_map_tells_near_from_far(method: AnyMethod, looked, x: int, y: int):
    plain, guided, near = looked
    click = fc.Click(x=x // 2, y=y // 2)
    alone, helped = (
        roc_auc_score(near.ravel(), -method.map_of(prepared, click).distances.ravel())
        for prepared in (plain, guided)
    )
    assert alone < 0.7
    assert helped > 0.95


def test_one_click_on_the_seat_finds_the_seat_instead_of_the_whole_picture(
    method: AnyMethod, looked
):
    plain, guided, near = looked
    click = fc.Click(x=SEAT[0] // 2, y=SEAT[1] // 2)
    assert method.predict(plain, [click]).mask.mean() > 0.9
    seat = method.predict(guided, [click]).mask
    assert 0.01 < seat.mean() < 0.05
    assert (seat & near).sum() > 0.99 * seat.sum()
