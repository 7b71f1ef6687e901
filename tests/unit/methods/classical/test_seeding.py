"""What the baselines share: seeds at working size, and answers at the picture's."""

from __future__ import annotations

import numpy as np
import pytest

from drawing import enlarge, mask
from fewclicks.clicks import Click
from fewclicks.errors import InputError
from fewclicks.methods.classical.seeding import (
    SeedConfig,
    WorkPicture,
    at_work_size,
    plant,
    spread,
)


def picture(height, width, config, excluded=None):
    image = np.zeros((height, width, 3), dtype=np.uint8)
    return WorkPicture(image=image, work=at_work_size(image, config), excluded=excluded)


@pytest.mark.parametrize(
    ("name", "value", "least"), [("radius", -1, 0), ("border", 0, 1), ("longest_side", 0, 1)]
)
def test_settings_out_of_range_are_refused(name, value, least):
    with pytest.raises(InputError, match=f"{name} is {value}; needs at least {least}."):
        SeedConfig(**{name: value})


def test_a_small_picture_is_worked_on_as_it_is():
    image = np.zeros((30, 40, 3), dtype=np.uint8)

    assert at_work_size(image, SeedConfig(longest_side=40)) is image


def test_seeds_shrink_with_the_picture_and_stay_at_their_place():
    config = SeedConfig(radius=8, border=8, longest_side=100)

    seeds = plant(picture(200, 400, config), [Click(x=200, y=100)], config)

    assert seeds.positive.shape == (50, 100)
    ys, xs = np.nonzero(seeds.positive)
    assert (ys.min(), ys.max()) == (23, 27)
    assert (xs.min(), xs.max()) == (48, 52)
    assert seeds.negative[:2].all()
    assert not seeds.negative[2:-2, 2:-2].any()


def test_the_last_pixel_of_a_large_picture_can_be_clicked():
    config = SeedConfig(radius=0, longest_side=10)

    seeds = plant(picture(399, 401, config), [Click(x=400, y=398)], config)

    assert seeds.positive[-1, -1]
    assert seeds.positive.sum() == 1


def test_a_large_pictures_answer_is_enlarged_and_exact_where_it_must_be():
    config = SeedConfig(radius=0, longest_side=16)
    excluded = np.zeros((90, 160), dtype=bool)
    excluded[33:47, 101:103] = True
    prepared = picture(90, 160, config, excluded)
    clicks = [Click(x=80, y=45), Click(x=81, y=45, is_positive=False), Click(x=102, y=40)]

    answer = spread(
        prepared, clicks, config, lambda seeds: np.ones(seeds.positive.shape, np.float32)
    )

    assert answer.mask.shape == (90, 160)
    assert answer.mask[45, 80]
    assert not answer.mask[45, 81]
    assert np.array_equal(
        ~answer.mask, excluded | (np.indices((90, 160)) == [[[45]], [[81]]]).all(0)
    )


def never(_seeds):
    pytest.fail("The solver was asked although the seeds leave no question.")


def test_without_a_positive_seed_nothing_is_on_the_object():
    config = SeedConfig()

    answer = spread(picture(40, 50, config), [], config, never)

    assert not answer.mask.any()


def test_an_all_excluded_picture_holds_no_object():
    config = SeedConfig()
    prepared = picture(40, 50, config, np.ones((40, 50), dtype=bool))

    assert not spread(prepared, [Click(x=9, y=9)], config, never).mask.any()


def test_a_picture_full_of_seeds_is_what_the_seeds_say():
    config = SeedConfig(radius=3)
    clicks = [Click(x=1, y=1), Click(x=4, y=1, is_positive=False)]

    answer = spread(picture(3, 6, config), clicks, config, never)

    assert np.array_equal(answer.mask, mask("###...", "###...", "###..."))


def test_a_small_picture_that_positive_seeds_surround_is_on_the_object():
    config = SeedConfig(radius=2, border=1)
    clicks = [Click(x=x, y=y) for x in range(0, 9, 2) for y in (0, 8)]
    clicks += [Click(x=x, y=y) for y in range(0, 9, 2) for x in (0, 8)]

    assert spread(picture(9, 9, config), clicks, config, never).mask.all()


def test_the_solvers_answer_is_not_written_on():
    config = SeedConfig(radius=1, border=1)
    solved = enlarge(mask("#."), 20).astype(np.float32)

    answer = spread(picture(20, 40, config), [Click(x=30, y=10)], config, lambda _seeds: solved)

    assert answer.mask[10, 30]
    assert solved[10, 30] == 0
