"""Learning rates, against torch's own schedulers."""

from __future__ import annotations

import pytest

from fewclicks.errors import InputError
from fewclicks.training.schedules import Schedule

torch = pytest.importorskip("torch", reason="the schedulers are torch's")


def rates_of_torch(make, steps, rate):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = make(optimiser)
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return rates


def test_the_published_schedule_falls_at_the_first_step_of_epoch_50():
    per_epoch = 7
    schedule = Schedule(rate=5e-5, milestones=(50 / 55,), factor=0.1)
    expected = rates_of_torch(
        lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [50 * per_epoch], 0.1),
        55 * per_epoch,
        5e-5,
    )
    assert [schedule.rate_at(step, 55 * per_epoch) for step in range(55 * per_epoch)] == (
        pytest.approx(expected)
    )


def test_the_cosine_is_that_of_torch():
    schedule = Schedule(rate=0.1, kind="cosine")
    expected = rates_of_torch(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20), 20, 0.1)
    assert [schedule.rate_at(step, 20) for step in range(20)] == pytest.approx(expected)


def test_a_warm_up_rises_evenly():
    schedule = Schedule(rate=1.0, warm_up=4)
    assert [schedule.rate_at(step, 10) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "bad", [{"rate": 0.0}, {"kind": "line"}, {"milestones": (50,)}, {"factor": 0.0}]
)
def test_impossible_schedules_are_refused(bad):
    with pytest.raises(InputError, match="needs"):
        Schedule(**bad)
