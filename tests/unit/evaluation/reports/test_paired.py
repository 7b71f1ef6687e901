"""Two results compared object by object."""

from __future__ import annotations

import numpy as np
import pytest

from fewclicks.errors import InputError
from fewclicks.evaluation.reports.paired import compare_rows, in_words
from made_results import made_row

GOOD = {"a": (0.96,), "b": (0.5, 0.96), "c:1": (0.2, 0.91, 0.96), "c:2": (0.5,) * 20}
POOR = {"c:2": (0.4,) * 20, "a": (0.1, 0.2, 0.96), "b": (0.7, 0.96), "c:1": (0.96,)}


def test_objects_are_paired_by_their_names_whatever_their_order():
    found = compare_rows(made_row(GOOD), made_row(POOR, method="gsc"))
    main = found.main
    own, other = np.array([1, 2, 2, 20]), np.array([3, 2, 1, 20])
    assert (main.first, main.second) == (own.mean(), other.mean())
    assert main.mean == pytest.approx((own - other).mean())
    assert (main.better, main.equal, main.worse) == (1, 2, 1)
    assert main.interval.low <= main.mean <= main.interval.high


def test_a_larger_iou_is_better_and_fewer_clicks_are():
    found = {d.figure: d for d in compare_rows(made_row(GOOD), made_row(POOR)).differences}
    assert list(found) == ["NoC@85", "NoC@90", "mIoU@1", "mIoU@3", "mIoU@5", "mIoU@10", "mIoU@20"]
    first = found["mIoU@1"]
    assert first.mean == pytest.approx(np.mean([0.96 - 0.1, 0.5 - 0.7, 0.2 - 0.96, 0.5 - 0.4]))
    assert (first.better, first.equal, first.worse) == (2, 0, 2)


def test_a_clear_difference_is_told_with_its_sign():
    quick = {str(number): (0.96,) for number in range(20)}
    slow = {str(number): (0.1,) * (2 + number % 2) + (0.96,) for number in range(20)}
    ahead = compare_rows(made_row(quick), made_row(slow, method="gsc"))
    behind = compare_rows(made_row(slow, method="gsc"), made_row(quick))
    assert in_words(ahead)[0].startswith("graphcut needs 2.50 fewer clicks than gsc to IoU 90 %")
    assert in_words(behind)[0].startswith("gsc needs 2.50 more clicks than graphcut to IoU 90 %")
    assert in_words(ahead)[1] == (
        "Of 20 objects the first needs fewer clicks on 20, as many on 0, more on 0."
    )
    assert ahead.main.is_clear


def test_what_cannot_be_told_is_not_told():
    found = compare_rows(made_row(GOOD), made_row(POOR, method="gsc"))
    assert not found.main.is_clear
    assert in_words(found)[0].startswith("Which of graphcut and gsc needs fewer clicks")
    same = compare_rows(made_row(GOOD), made_row(GOOD, method="gsc"))
    assert in_words(same)[0] == "graphcut and gsc need the same clicks to IoU 90 %."


def test_another_target_is_counted_too():
    found = compare_rows(made_row(GOOD), made_row(POOR), target=95)
    assert (found.main.figure, found.main.first) == ("NoC@95", (1 + 2 + 3 + 20) / 4)
    with pytest.raises(InputError, match="Target is 91; needs an IoU in per cent among 80, 85"):
        compare_rows(made_row(GOOD), made_row(POOR), target=91)


def test_other_objects_are_refused_by_name():
    fewer = {name: found for name, found in POOR.items() if name != "b"}
    with pytest.raises(InputError, match=r"the second lacks 1 \('b'\); evaluate both with"):
        compare_rows(made_row(GOOD), made_row(fewer))
    with pytest.raises(InputError, match=r"the first lacks 1 \('b'\)"):
        compare_rows(made_row(fewer), made_row(GOOD))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dataset": "davis"}, "different data sets, 'grabcut' and 'davis'"),
        ({"protocol": "combination"}, "different protocols, 'noc' and 'combination'"),
    ],
)
def test_results_of_different_things_are_refused(changed: dict[str, str], said: str):
    with pytest.raises(InputError, match=said):
        compare_rows(made_row(GOOD), made_row(GOOD, **changed))


def test_what_else_differs_is_noted():
    plain = compare_rows(made_row(GOOD, rule="m2n2"), made_row(POOR, rule="m2n2"))
    assert plain.notes == ()
    other = compare_rows(
        made_row(GOOD, rule="m2n2"),
        made_row(POOR, rule="random", data_sha256="11", fewclicks="0.2.0"),
    )
    assert [note.split(":")[0] for note in other.notes] == [
        "Clicked differently",
        "Measured on different files",
        "Measured with different versions",
    ]
    assert in_words(other)[0].startswith("Which of graphcut, m2n2 and graphcut, random needs")
