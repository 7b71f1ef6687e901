"""What a report reads out of a result."""

from __future__ import annotations

import numpy as np

from fewclicks.evaluation.reports.rows import picture_of
from made_results import made_row

FOUND = {"a:1": (0.5, 0.9, 0.96), "a:2": (0.3,) * 20, "b": ()}


def test_clicks_and_ious_of_each_object_sum_up_to_the_result():
    row = made_row(FOUND)
    assert row.needed(90) == [2, None, None]
    assert row.clicks(90).tolist() == [2, 20, 20]
    for target in (80, 85, 90, 95):
        assert row.clicks(target).mean() == row.result.noc[str(target)]
    assert np.allclose(row.ious().mean(axis=0), list(row.result.miou.values()))
    assert row.pictures == ["a", "a", "b"]


def test_a_picture_is_what_stands_before_the_colon():
    assert picture_of("dog") == "dog"
    assert picture_of("dog:tail:2") == "dog"


def test_folders_of_networks_are_named_by_their_last_part_and_depth_is_named():
    config = {"backbone": "/models/vit-tiny", "depth": "noise"}
    assert made_row(FOUND, method="m2n2v2", config=config).method == "m2n2v2 (vit-tiny + noise)"
    hub = {"backbone": "facebook/dinov2-small"}
    assert made_row(FOUND, config=hub).method == "graphcut (facebook/dinov2-small)"


def test_a_setup_leaves_out_how_was_clicked():
    config = {"backbone": None, "seed": 3, "jitter": 2.0, "settings": {"radius": 5}}
    assert made_row(FOUND, config=config).setup() == {
        "method": "graphcut",
        "backbone": None,
        "settings.radius": 5,
    }
