"""The learning rate at step n, as a factor of the optimiser's own: pure functions of where the training stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a training stands."""

    step: int
    """The step about to be taken, from 0."""
    n_steps: int
    """Steps of the whole training."""
    epoch_steps: int
    """Steps of an epoch."""
    scores: tuple[float, ...] = ()
    """The watched score at the end of each epoch so far; more is better."""


class Schedule(Protocol):
    """A learning rate that changes."""

    def factor(self, at: Moment) -> float:
        """What the learning rate is multiplied by at this step; at least 0."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    def factor(self, at: Moment) -> float:
        """1."""
        return 1.0


@dataclass(frozen=True, slots=True)
class EveryEpochs:
    """Times `gamma` after every `epochs` epochs: torch's StepLR."""

    epochs: int
    gamma: float = 0.1

    def factor(self, at: Moment) -> float:
        """gamma ^ (whole periods so far)."""
        return self.gamma ** (at.step // (self.epochs * at.epoch_steps))


@dataclass(frozen=True, slots=True)
class Exponential:
    """Times `gamma` an epoch, a little at every step."""

    gamma: float

    def factor(self, at: Moment) -> float:
        """gamma ^ (epochs so far, with their fraction)."""
        return self.gamma ** (at.step / at.epoch_steps)


@dataclass(frozen=True, slots=True)
class OnPlateau:
    """Times `gamma` once the watched score has not risen for more than `patience` epochs: ReduceLROnPlateau.

    Without validation there are no scores, and it stays at 1.
    """

    patience: int = 10
    gamma: float = 0.1
    at_least: float = 1e-4
    """A score counts as risen if it beats the best by this, relative to the best."""

    def factor(self, at: Moment) -> float:
        """gamma ^ (reductions that the scores so far have earned)."""
        best, bad, reductions = -math.inf, 0, 0
        for score in at.scores:
            is_better = score > best + abs(best) * self.at_least if math.isfinite(best) else score > best
            best, bad = (score, 0) if is_better else (best, bad + 1)
            if bad > self.patience:
                reductions, bad = reductions + 1, 0
        return self.gamma**reductions


@dataclass(frozen=True, slots=True)
class Cosine:
    """Half a cosine from 1 down to `end` (Loshchilov and Hutter, SGDR, ICLR 2017)."""

    end: float = 0.0

    def factor(self, at: Moment) -> float:
        """end + (1 - end) (1 + cos(pi step / n_steps)) / 2."""
        done = min(1.0, at.step / max(1, at.n_steps))
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, slots=True)
class OneCycle:
    """Cosine up from 1 / `start_div`, then down to almost nothing (Smith and Topin 2018), as torch's OneCycleLR."""

    rise: float = 0.3
    """The part of all steps on the way up."""
    start_div: float = 25.0
    end_div: float = 1e4
    """The last factor is the first one over this."""

    def factor(self, at: Moment) -> float:
        """The cosine between the two ends of the phase."""
        start, top = 1 / self.start_div, self.rise * at.n_steps - 1
        if at.step <= top and top > 0:
            return _cosine_between(start, 1.0, at.step / top)
        fall = at.n_steps - 1 - top
        return _cosine_between(1.0, start / self.end_div, (at.step - top) / fall if fall > 0 else 1.0)


def _cosine_between(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, done))) / 2


@dataclass(frozen=True, slots=True)
class Linear:
    """A straight line from 1 down to `end` (the fast recipes' triangle, with a warm-up in front)."""

    end: float = 0.0

    def factor(self, at: Moment) -> float:
        """1 - (1 - end) step / n_steps."""
        return 1 - (1 - self.end) * min(1.0, at.step / max(1, at.n_steps))


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Straight up from `start` over the first steps, then another schedule over those that remain."""

    steps: int
    then: Schedule = field(default_factory=Constant)
    start: float = 0.0

    def factor(self, at: Moment) -> float:
        """The line while it lasts; after it `then`, whose step 0 is the first one after the warm-up."""
        if at.step < self.steps:
            return self.start + (1 - self.start) * (at.step + 1) / (self.steps + 1)
        rest = Moment(at.step - self.steps, max(1, at.n_steps - self.steps), at.epoch_steps, at.scores)
        return self.then.factor(rest)
