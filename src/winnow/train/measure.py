"""What a step costs on this machine, and in which numbers it is fastest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from winnow.events import tell_nobody
from winnow.train.batch import Batch
from winnow.train.learner import Learner
from winnow.train.plan import Plan
from winnow.train.precision import Precision
from winnow.train.randomness import repeatable
from winnow.train.step import Stepper

_LEAST_GAIN = 1.1  # below it a faster precision may be noise, and single precision is the more exact one
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """The outcome of a timing; keep it with the machine's and the network's name and pass its precision on."""

    precision: Precision
    step_s: float
    """Seconds of one step in it."""


def measure(learner: Learner, plan: Plan, batch: Batch, *, now: Callable[[], float] = time.perf_counter) -> Pace:
    """Time this very step in every precision, in turn, and choose the fastest that gains at least a tenth.

    It takes the time of about 16 steps; a small batch serves as well. Weights and buffers are afterwards as before.
    `now` is the clock, in seconds.
    """
    before = {name: tensor.clone() for name, tensor in learner.net.state_dict().items()}
    candidates = [Precision(is_bf16, is_last) for is_bf16 in (False, True) for is_last in (False, True)]
    took = dict.fromkeys(candidates, float("inf"))
    for turn in range(1 + _ROUNDS):
        for precision in candidates:
            seconds = _seconds(learner, plan, batch, precision, now)
            if turn:  # the first round only warms caches up
                took[precision] = min(took[precision], seconds)
    learner.net.load_state_dict(before)
    plain, best = Precision(), min(candidates, key=took.__getitem__)
    chosen = best if took[plain] >= _LEAST_GAIN * took[best] else plain
    return Pace(chosen, took[chosen])


def _seconds(learner: Learner, plan: Plan, batch: Batch, precision: Precision, now: Callable[[], float]) -> float:
    stepper = Stepper(learner, plan, precision, None)
    stepper.set_lr(0.0)
    with repeatable(stepper.device):
        start = now()
        taken = stepper.take(-1, batch, tell_nobody)  # as step 0 of every player: (step + 1) % every is 0
        if stepper.device.type == "cuda":
            torch.cuda.synchronize(stepper.device)
        assert taken.losses
        return now() - start
