from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from winnow.train.batch import Batch
from winnow.train.learner import Learner, Player
from winnow.train.measure import measure
from winnow.train.optimisers import SGD, Weights
from winnow.train.plan import Plan
from winnow.train.precision import Precision

from .toys import Toys, classifier, sha256, tiny_net

PLAN = Plan(n_steps=1, optimiser=SGD(0.1))


def machine(seconds: Callable[[Precision], float]) -> Learner:
    """A learner on a machine that takes so long."""
    net = nn.Conv2d(3, 4, 3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        image = batch["image"]
        is_last = image.is_contiguous(memory_format=torch.channels_last)
        time.sleep(seconds(Precision(torch.is_autocast_enabled("cpu"), is_last)))
        return {"loss": net(image).square().mean()}

    return Learner(net, (Player("net", (Weights.of(net),), losses),))


@pytest.mark.parametrize("fastest", [Precision(True, True), Precision(True, False), Precision(False, True)])
def test_the_fastest_precision_is_chosen(fastest: Precision) -> None:
    pace = measure(machine(lambda one: 0.005 if one == fastest else 0.02), PLAN, Toys().at(0))
    assert pace.precision == fastest
    assert 0.005 <= pace.step_s < 0.02


def test_a_gain_of_less_than_a_tenth_is_not_worth_the_digits() -> None:
    pace = measure(machine(lambda one: 0.02 if one == Precision() else 0.0195), PLAN, Toys().at(0))
    assert pace.precision == Precision()


def test_the_network_is_afterwards_as_before() -> None:
    net = tiny_net()
    before = sha256(net)
    measure(classifier(net), PLAN, Toys().at(0))
    assert sha256(net) == before
