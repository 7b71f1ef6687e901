"""Several objects of one category: one by one, together, and after an exemplar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colour_method import ColourMethod
from drawing import enlarge, mask, paint
from fewclicks.clicks import Click
from fewclicks.datasets.kinds import Kind, KindMasks
from fewclicks.errors import StorageError
from fewclicks.evaluation.clicker import SimulatedUser
from fewclicks.evaluation.clicking import click_targets
from fewclicks.evaluation.kinds import sum_up_kinds
from fewclicks.evaluation.protocols.guiding import GuidanceConfig
from fewclicks.evaluation.protocols.kinds import KindTargets, passed_on
from fewclicks.evaluation.records import ObjectRecord

LEFT = enlarge(mask("##......", "##......", "........"), 8)
MIDDLE = enlarge(mask("........", "...##...", "...##..."), 8)
RIGHT = enlarge(mask("......##", "......##", "........"), 8)
ALL = LEFT | MIDDLE | RIGHT


def kind(**more) -> Kind:
    usual = {"load_masks": lambda _shape: KindMasks(objects=(LEFT, MIDDLE, RIGHT))}
    return Kind(
        id="p:dog",
        picture="p",
        category="dog",
        names=("p:1", "p:2", "p:3"),
        load_image=lambda: paint(ALL),
        **(usual | more),
    )


class Dogs:
    name = "dogs"
    pictures = ("p",)

    def __init__(self, **more) -> None:
        self.more = more

    def kinds(self, _picture: str) -> list[Kind]:
        return [kind(**self.more)]


def clicked(
    exemplar: str = "none",
    *,
    counts: bool = True,
    takes: bool = True,
    method: ColourMethod | None = None,
    max_clicks: int = 20,
    more: dict | None = None,
    **config,
) -> list[ObjectRecord]:
    source = KindTargets(
        Dogs(**(more or {})),
        exemplar=exemplar,
        counts_exemplar=counts,
        takes_exemplar=takes,
        seed=0,
        config=GuidanceConfig(**config),
    )
    user = SimulatedUser()
    chosen = method or ColourMethod()
    return list(click_targets(chosen, source.targets("p"), user, max_clicks=max_clicks))


def test_without_an_exemplar_the_kind_and_each_of_its_objects_are_clicked():
    whole, *alone = clicked()
    assert (whole.id, whole.objects, whole.part_of) == ("p:dog", 3, None)
    assert whole.ious == pytest.approx((1 / 3, 2 / 3, 1.0))
    assert [each.id for each in alone] == ["p:1", "p:2", "p:3"]
    assert {each.part_of for each in alone} == {"p:dog"}
    assert [each.ious for each in alone] == [(1.0,)] * 3


def test_three_ways_of_averaging_clicks_are_kept():
    found = sum_up_kinds(clicked(), 20)
    assert found.objects == 3
    assert found.noc_sum["85"] == 3
    assert found.noc_mean["85"] == 1
    assert found.nof == dict.fromkeys(("80", "85", "90", "95"), 0)
    assert found.miou_plus["1"] == pytest.approx(1 / 3)
    guided = sum_up_kinds(clicked("automatic"), 20)
    assert guided.noc_sum["85"] == 1
    assert guided.noc_mean["85"] == pytest.approx(1 / 3)
    assert guided.nof is None


def test_the_exemplars_own_clicks_count_and_its_proposal_is_what_the_last_one_shows():
    [record] = clicked("automatic")
    # The first click finds all of it, so that nothing is left to click.
    assert record.exemplar_clicks == len(record.clicks) == 1
    assert record.ious == (1.0,)


def test_the_exemplar_is_any_object_or_the_one_that_a_first_click_on_all_goes_for():
    def shown(deep: int, **config: str) -> int:
        masks = [enlarge(mask(".....", ".###.", "....."), 8) for _ in range(3)]
        masks[deep] = enlarge(mask(".###.", ".###.", ".###."), 8)
        dogs = Dogs(load_masks=lambda _shape: KindMasks(objects=tuple(masks)))
        source = KindTargets(
            dogs,
            exemplar="golden",
            counts_exemplar=True,
            takes_exemplar=True,
            seed=0,
            config=GuidanceConfig(**config),
        )
        return source._choose(dogs.kinds("p")[0])

    assert [shown(deep, shown="deepest") for deep in range(3)] == [0, 1, 2]
    assert len({shown(deep) for deep in range(3)}) == 1


def test_a_user_who_is_satisfied_clicks_no_further():
    class Slow(ColourMethod):
        def _blob(self, prepared, click):
            near = np.zeros(prepared.shape, dtype=bool)
            near[max(0, click.y - 6) : click.y + 7, max(0, click.x - 6) : click.x + 7] = True
            return near & super()._blob(prepared, click)

    [patient] = clicked("automatic", method=Slow())
    [satisfied] = clicked("automatic", method=Slow(), satisfied=0.5)
    assert 1 < patient.exemplar_clicks <= 5
    assert satisfied.exemplar_clicks == 1
    assert satisfied.ious[-1] == 1.0


def test_at_most_five_clicks_are_made_on_an_exemplar():
    class Tiny(ColourMethod):
        def _blob(self, prepared, click):
            row = np.zeros(prepared.shape, dtype=bool)
            row[click.y] = True
            return row & super()._blob(prepared, click)

    [record] = clicked("automatic", method=Tiny(), first_answer="exemplar")
    assert record.exemplar_clicks == 5
    [record] = clicked("automatic", method=Tiny(), most_clicks=2)
    assert record.exemplar_clicks == 2
    [record] = clicked("automatic", method=Tiny(), max_clicks=1)
    assert len(record.ious) == len(record.clicks) == 1


def test_an_exemplar_that_clicks_do_not_find_leaves_plain_clicking():
    class Blind(ColourMethod):
        def predict(self, prepared, clicks, previous=None):
            answer = super().predict(prepared, clicks, previous)
            return replace(answer, probability=np.zeros_like(answer.probability))

    method = Blind()
    [record] = clicked("automatic", method=method, max_clicks=3)
    assert method.guided == []
    assert record.exemplar_clicks == 1
    assert record.ious == (0.0, 0.0, 0.0)


def test_a_golden_exemplar_is_the_truth_and_costs_nothing():
    method = ColourMethod()
    [record] = clicked("golden", counts=False, method=method)
    [guidance] = method.guided
    assert guidance.exemplar is not None
    assert any(np.array_equal(guidance.exemplar.mask, one) for one in (LEFT, MIDDLE, RIGHT))
    assert guidance.exemplar.clicks[0].is_positive
    assert record.start_iou == 1.0
    assert record.clicks == ()
    assert record.exemplar_clicks == 0


def test_an_exemplar_that_a_person_made_is_read_from_its_files(tmp_path: Path):
    made = RIGHT.copy()
    made[:4] = False
    Image.fromarray(made.astype(np.uint8) * 255).save(tmp_path / "p_dog.png")
    (tmp_path / "p_dog.json").write_text("[[52, 8, true], [2, 2, false], [30, 2, false]]")
    method = ColourMethod()
    choice = {"real": str(tmp_path), "more": {"exemplar_is_asked": False}}
    [record] = clicked("golden", counts=False, method=method, **choice)
    [guidance] = method.guided
    assert np.array_equal(guidance.exemplar.mask, made)
    # The first negative click lies on the left dog, which is meant now.
    assert guidance.exemplar.clicks == (Click(52, 8), Click(30, 2, is_positive=False))
    assert record.objects == 2
    assert record.start_iou == 1.0
    (tmp_path / "p_dog.json").unlink()
    with pytest.raises(StorageError, match=r"p_dog\.json"):
        clicked("golden", counts=False, real=str(tmp_path))


def test_an_automatic_exemplar_costs_nothing_where_only_further_clicks_count():
    [record] = clicked("automatic", counts=False)
    assert (record.start_iou, record.ious, record.clicks) == (1.0, (), ())


def test_the_exemplar_alone_may_be_what_is_shown_first():
    [record] = clicked("golden", counts=False, first_answer="exemplar")
    assert record.start_iou == pytest.approx(1 / 3)
    assert record.ious == (1.0,)


def test_a_method_without_exemplars_goes_on_from_the_mask():
    method = ColourMethod()
    [record] = clicked("golden", counts=False, takes=False, method=method)
    assert method.guided == []
    assert record.start_iou == pytest.approx(1 / 3)


def test_where_the_others_are_meant_the_exemplar_is_kept_off_and_not_judged():
    method = ColourMethod()
    others = {"exemplar_is_asked": False}
    [record] = clicked("golden", counts=False, method=method, more=others)
    [guidance] = method.guided
    assert record.objects == 2
    assert np.array_equal(guidance.excluded, guidance.exemplar.mask)
    assert record.start_iou == 1.0
    [record] = clicked("automatic", counts=True, more=others)
    assert record.objects == 3


def test_the_exemplar_is_the_same_in_every_run_and_depends_on_the_seed():
    chosen = set()
    for seed in range(8):
        found = set()
        for _ in range(2):
            method = ColourMethod()
            source = KindTargets(
                Dogs(),
                exemplar="golden",
                counts_exemplar=False,
                takes_exemplar=True,
                seed=seed,
                config=GuidanceConfig(),
            )
            list(click_targets(method, source.targets("p"), SimulatedUser(seed=seed)))
            exemplar = method.guided[0].exemplar
            found.add((exemplar.mask.tobytes(), exemplar.clicks))
        assert len(found) == 1
        chosen |= found
    assert len({mask for mask, _ in chosen}) == 3


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({}, [0, 1, 2]),
        ({"negatives": "all"}, [0, 1, 2, 3]),
        ({"negatives": "none"}, [0, 1]),
        ({"positives": "first"}, [0, 2]),
    ],
)
def test_pseudo_negatives_lie_on_others_of_the_kind_and_are_not_passed_on(config, kept):
    clicks = (
        Click(4, 4),
        Click(6, 6),
        Click(30, 2, is_positive=False),
        Click(52, 4, is_positive=False),
    )
    assert RIGHT[4, 52]
    assert not ALL[2, 30]
    assert passed_on(clicks, kind(), GuidanceConfig(**config)) == tuple(clicks[k] for k in kept)
