from __future__ import annotations

import time

from fewclicks.evaluation.speed.rows import Stage, time_stage


def test_a_stage_is_run_once_to_warm_up_and_then_as_often_as_asked():
    runs = []
    row = time_stage(Stage(name="count", ours=lambda: runs.append(1)), repeats=4)
    assert len(runs) == 5
    assert row.baseline is row.ratio is row.max_error is None


def test_the_ratio_says_how_many_times_as_long_the_baseline_works():
    def work(seconds: float) -> float:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass
        return seconds

    stage = Stage(
        name="work",
        ours=lambda: work(0.005),
        baseline="more work",
        theirs=lambda: work(0.05),
        errors=lambda ours, theirs: (theirs - ours, 0.0),
    )
    row = time_stage(stage, repeats=3)
    assert row.ratio is not None
    assert 5.0 < row.ratio < 20.0
    assert row.max_error == 0.05 - 0.005
