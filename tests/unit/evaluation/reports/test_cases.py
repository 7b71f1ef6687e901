"""Best and worst cases, clicked again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drawing import BLOB, paint
from fewclicks.errors import InputError
from fewclicks.evaluation.plan import Plan
from fewclicks.evaluation.reports.cases import Case, choose_cases, plan_of, replay
from fewclicks.evaluation.reports.report import write_report
from fewclicks.evaluation.reports.rows import ReportRow, name_row
from fewclicks.evaluation.reports.strips import draw_strip
from fewclicks.evaluation.result import Result
from fewclicks.evaluation.run import evaluate
from fewclicks.images.masks import iou
from fewclicks.images.writing import write_image, write_mask
from made_results import made_row


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    for number, shift in enumerate((0, 4, 9)):
        mask = np.roll(BLOB, shift, axis=1)
        noise = np.random.default_rng(number).integers(0, 120, (*mask.shape, 3), dtype=np.uint8)
        write_image(folder / "images" / f"{number}.png", paint(mask) // 2 + noise)
        write_mask(folder / "masks" / f"{number}.png", mask)
    return folder


@pytest.fixture(scope="module")
def result(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    plan = Plan(
        method="graphcut",
        settings={"radius": "1"},
        dataset="folder",
        data=str(data),
        rule="m2n2",
        jitter=2.0,
        max_clicks=6,
    )
    return evaluate(plan, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def row(result: Result) -> ReportRow:
    return name_row(result)


def test_a_plan_is_read_back_from_its_result(result: Result, data: Path):
    plan = plan_of(result, str(data))
    described = plan.describe(plan.create_method(), result.data_sha256)
    assert described["config"] == result.config
    assert {key: described[key] for key in ("method", "dataset", "rule", "protocol")} == {
        "method": "graphcut",
        "dataset": "folder",
        "rule": "m2n2",
        "protocol": "noc",
    }


def test_clicks_that_are_clicked_again_give_the_same_ious(row: ReportRow, data: Path):
    cases = list(replay(row, row.result.per_object, str(data)))
    assert [case.found.id for case in cases] == ["0", "1", "2"]
    for case in cases:
        assert [shot.clicks for shot in case.shots] == [1, 2, 3, 5, 6]
        assert case.is_as_stored
        for shot in case.shots:
            assert shot.iou == case.found.ious[shot.clicks - 1] == iou(shot.mask, case.truth)


def test_a_strip_shows_what_was_meant_and_then_each_shot(row: ReportRow, data: Path):
    (case,) = replay(row, row.result.per_object[:1], str(data))
    tiles = draw_strip(case)
    assert [tile.caption.partition(",")[0] for tile in tiles] == [
        "what was meant",
        "1 click",
        "2 clicks",
        "3 clicks",
        "5 clicks",
        "6 clicks",
    ]
    assert {tile.picture.shape for tile in tiles} == {tiles[0].picture.shape}
    assert max(tiles[0].picture.shape) == 240


def test_a_small_object_is_shown_larger(row: ReportRow, data: Path):
    (case,) = replay(row, row.result.per_object[:1], str(data))
    image = np.zeros((300, 400, 3), dtype=np.uint8)
    truth = np.zeros((300, 400), dtype=bool)
    height, width = case.truth.shape
    truth[:height, :width] = case.truth
    image[:height, :width] = case.image
    shots = tuple(
        type(shot)(clicks=shot.clicks, mask=np.zeros_like(truth), iou=shot.iou)
        for shot in case.shots
    )
    small = Case(found=case.found, image=image, truth=truth, clicks=case.clicks, shots=shots)
    tinted = [(tile.picture.astype(int).std(axis=2) > 20).mean() for tile in draw_strip(small)[:1]]
    assert tinted[0] > 2 * truth.mean()


def test_the_worst_have_the_most_clicks_and_nobody_is_among_the_best_too():
    row = made_row(
        {"never": (0.2,) * 20, "late": (0.5, 0.6, 0.96), "b": (0.96,), "a": (0.99,), "none": ()}
    )
    worst, best = choose_cases(row, 3)
    assert [found.id for found in worst] == ["never", "late"]
    assert [found.id for found in best] == ["a", "b"]
    assert [[found.id for found in each] for each in choose_cases(row, 1)] == [["never"], ["a"]]
    assert choose_cases(row, 0) == ([], [])


def test_data_without_the_object_is_refused(row: ReportRow, data: Path):
    missing = row.result.per_object[0].model_copy(update={"id": "9"})
    with pytest.raises(InputError, match="has no object '9'"):
        list(replay(row, [missing], str(data)))


def test_a_report_shows_cases_or_says_in_a_line_what_to_pass(
    result: Result, data: Path, tmp_path: Path
):
    path = tmp_path / "result.json"
    path.write_text(result.model_dump_json())
    told: list[tuple[int, int]] = []
    for name, given in (("with", str(data)), ("without", None), ("wrong", str(tmp_path))):
        write_report(
            [path],
            tmp_path / name,
            data=given,
            cases=1,
            watch=lambda *done: told.append(done),
        )
    pages = {
        name: (tmp_path / name / "report.html").read_text() for name in ("with", "without", "wrong")
    }
    assert pages["with"].count("data:image/jpeg;base64,") == 12
    assert told == [(0, 2), (1, 2)]
    assert "pass --data with the folder of data sets" in pages["without"]
    assert "holds neither a folder" in pages["wrong"]
    assert "base64" not in pages["without"] + pages["wrong"]
