from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from winnow.train.batch import Batch
from winnow.train.learner import Learner, Player
from winnow.train.measure import Pace, measure
from winnow.train.optimisers import SGD, Weights
from winnow.train.plan import Plan
from winnow.train.precision import Precision

from .toys import Toys, classifier, sha256, tiny_net

PLAN = Plan(n_steps=1, optimiser=SGD(0.1))


def measured(seconds: Callable[[Precision], float]) -> Pace:
    """On a machine where a step takes so long."""
    net, clock = nn.Conv2d(3, 4, 3), [0.0]

    def losses(batch: Batch) -> dict[str, Tensor]:
        image = batch["image"]
        is_last = image.is_contiguous(memory_format=torch.channels_last)
        clock[0] += seconds(Precision(torch.is_autocast_enabled("cpu"), is_last))
        return {"loss": net(image).square().mean()}

    learner = Learner(net, (Player("net", (Weights.of(net),), losses),))
    return measure(learner, PLAN, Toys().at(0), now=lambda: clock[0])


@pytest.mark.parametrize("fastest", [Precision(True, True), Precision(True, False), Precision(False, True)])
def test_the_fastest_precision_is_chosen(fastest: Precision) -> None:
    pace = measured(lambda one: 0.5 if one == fastest else 2.0)
    assert pace.precision == fastest
    assert pace.step_s == pytest.approx(0.5)


def test_a_gain_of_less_than_a_tenth_is_not_worth_the_digits() -> None:
    assert measured(lambda one: 2.0 if one == Precision() else 1.9).precision == Precision()
    assert measured(lambda one: 2.0 if one == Precision() else 1.8).precision != Precision()


def test_the_network_is_afterwards_as_before() -> None:
    net = tiny_net()
    before = sha256(net)
    measure(classifier(net), PLAN, Toys().at(0))
    assert sha256(net) == before
