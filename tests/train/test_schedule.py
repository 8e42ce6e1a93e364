from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from winnow.train.schedule import (
    Constant,
    Cosine,
    EveryEpochs,
    Exponential,
    Linear,
    Moment,
    OneCycle,
    OnPlateau,
    Schedule,
    WarmUp,
)

N, EPOCH = 60, 6
ALL: tuple[Schedule, ...] = (
    Constant(),
    EveryEpochs(3),
    Exponential(0.9),
    OnPlateau(),
    Cosine(),
    OneCycle(),
    Linear(),
    WarmUp(5, Cosine()),
)


def factors(schedule: Schedule, n: int = N) -> list[float]:
    return [schedule.factor(Moment(step, n, EPOCH)) for step in range(n)]


def torchs(make: object, n: int, each: int = 1) -> list[float]:
    """The factors that one of torch's schedulers gives, stepped after every `each` steps."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimiser)  # type: ignore[operator]
    found: list[float] = []
    for step in range(n):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if (step + 1) % each == 0:
            scheduler.step()
    return found


def test_every_epochs_is_torchs_step_lr() -> None:
    expected = torchs(lambda o: lr_scheduler.StepLR(o, 3, 0.1), N, each=EPOCH)
    assert factors(EveryEpochs(3, 0.1)) == pytest.approx(expected)


def test_exponential_meets_torchs_at_the_start_of_every_epoch() -> None:
    expected = torchs(lambda o: lr_scheduler.ExponentialLR(o, 0.8), N, each=EPOCH)
    assert factors(Exponential(0.8))[::EPOCH] == pytest.approx(expected[::EPOCH])


def test_cosine_is_torchs() -> None:
    expected = torchs(lambda o: lr_scheduler.CosineAnnealingLR(o, N, 0.1), N)
    assert factors(Cosine(0.1)) == pytest.approx(expected)


@pytest.mark.parametrize("n", [4, 10, 60, 61])
def test_one_cycle_is_torchs(n: int) -> None:
    expected = torchs(lambda o: lr_scheduler.OneCycleLR(o, 1.0, n, cycle_momentum=False), n)
    assert factors(OneCycle(), n) == pytest.approx(expected)


def test_linear_is_torchs() -> None:
    expected = torchs(lambda o: lr_scheduler.LinearLR(o, 1.0, 0.2, N), N)
    assert factors(Linear(0.2)) == pytest.approx(expected)


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_on_plateau_is_torchs_for_any_scores(patience: int) -> None:
    scores = torch.rand(40, generator=torch.Generator().manual_seed(patience)).cumsum(0).sin().tolist()
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimiser, "max", factor=0.5, patience=patience, threshold=1e-4, min_lr=0, eps=0
    )
    for n in range(len(scores)):
        if scores[n] < 0:
            continue  # torch means something else by "relative" below zero
        scores_so_far = tuple(score for score in scores[: n + 1] if score >= 0)
        scheduler.step(scores[n])
        at = Moment(n, 100, 1, scores_so_far)
        assert OnPlateau(patience, 0.5).factor(at) == pytest.approx(optimiser.param_groups[0]["lr"])


def test_warm_up_rises_in_a_straight_line_and_hands_over() -> None:
    found = factors(WarmUp(4, Cosine()), 14)
    assert found[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert found[4:] == pytest.approx(factors(Cosine(), 10))


@pytest.mark.parametrize("schedule", ALL, ids=lambda one: type(one).__name__)
def test_every_schedule_gives_a_rate_for_the_shortest_training(schedule: Schedule) -> None:
    for n in (1, 2, 3):
        assert all(0 <= factor <= 1 and math.isfinite(factor) for factor in factors(schedule, n))
