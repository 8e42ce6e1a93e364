"""What every task's rungs have in common: the words in which the ladder speaks to them.

The ladder knows no task: it asks a rung whether it can pay, how long it will take, and for its candidate; and it
asks the problem to judge that candidate on the same examples as all others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from winnow.events import Tell
from winnow.metrics.intervals import Interval
from winnow.metrics.metric import Metric

Settings = dict[str, str | float | int | bool]


class OutOfTimeError(Exception):
    """The climb's budget ended while a rung was at work; the ladder skips the rung and keeps the rest."""


class CannotPayError(Exception):
    """A rung found out at work that it cannot pay here; its text says why, as the end of a sentence."""


@dataclass
class Clock:
    """What is left of a climb's budget."""

    budget_s: float | None = None
    spent_before_s: float = 0.0
    """Seconds of an earlier, killed run of the same climb."""
    _start: float = field(default_factory=time.perf_counter)

    def spent_s(self) -> float:
        """Seconds this climb has taken so far."""
        return self.spent_before_s + time.perf_counter() - self._start

    def left_s(self) -> float:
        """Seconds left; infinite without a budget."""
        return float("inf") if self.budget_s is None else self.budget_s - self.spent_s()

    def check(self) -> None:
        """Between two steps of work: go on, or stop because the budget is spent.

        Raises:
            OutOfTimeError: nothing is left.
        """
        if self.left_s() <= 0:
            raise OutOfTimeError


@dataclass(frozen=True, slots=True)
class Estimate:
    """About how long a rung will take on this machine."""

    own_s: float
    """Seconds of what only this rung does."""
    shared: str | None = None
    """What it needs that other rungs need, too, and that is done once (features)."""
    shared_s: float = 0.0
    """Seconds of that; 0 once it is done."""
    unasked_s: float = float("inf")
    """Where there is no budget and nobody named the rung, it is not tried if it takes longer than so many seconds."""
    measure: Callable[[], Estimate] | None = None
    """Times real work for a surer estimate; asked only when the rung is about to be tried. None: it is sure enough."""

    @property
    def total_s(self) -> float:
        """Seconds if this rung has to do the shared part."""
        return self.own_s + self.shared_s


@dataclass(frozen=True, slots=True)
class Epoch:
    """What a network's losses were on average while it saw all its examples once."""

    losses: Mapping[str, float]
    """By name; empty where no step of the epoch counted."""
    scores: Mapping[str, float]
    """What validation gave; more is better. Empty without validation."""
    lr: float
    """The learning rate of the last step."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """How one network learned."""

    network: str
    """What it learned from: "all pictures", "without fold 2"."""
    epochs: tuple[Epoch, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one rung produced: predictions for the judged examples, and the graph that is its model."""

    predictions: npt.NDArray[np.float32]
    """(n_judged, ...) the answers for the judged examples; for classification (n_judged, C) probabilities."""
    graph: bytes
    picture_ms: float
    """Milliseconds for one example through the whole graph on one core, decoding not counted."""
    settings: Settings
    """What the rung chose by itself, and what it ran in."""
    curves: tuple[LearningCurve, ...] = ()
    """Of each network that was taught for it, that of the model last; none where nothing learns by epochs."""
    weights: Callable[[], bytes] | None = None
    """Gives the network of the model as a file of safetensors; None where none learned, or where several did."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate's worth on the judged examples, more is better."""

    score: Interval
    """The optimised metric as a person reads it."""
    value: float
    """The same, turned so that more is better (log loss: minus log loss)."""
    draws: npt.NDArray[np.float64]
    """(B,) bootstrap replicates of `value`, from the same resamples for every rung."""


def judged_as(metric: Metric[Any], score: Interval, replicates: npt.NDArray[np.float64]) -> Judged:
    """A score and its replicates, turned so that more is better."""
    return Judged(score, metric.sign * score.value, metric.sign * replicates)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The rung of a task that looks at nothing."""

    rung: str
    """Its name."""
    answers: str
    """What it always answers, as the end of a sentence: "the commonest class"."""


class Problem(Protocol):
    """A task bound to the examples of one dataset version."""

    @property
    def n_judged(self) -> int:
        """Examples that every candidate is judged on."""
        ...

    @property
    def n_independent(self) -> int:
        """Independent things among them: clusters, where examples belong together."""
        ...

    @property
    def metric(self) -> Metric[Any]:
        """What the climb optimises."""
        ...

    @property
    def baseline(self) -> Baseline:
        """The rung that looks at nothing: a model that does not beat it gets a caution."""
        ...

    def judge(self, predictions: npt.NDArray[np.float32]) -> Judged | None:
        """How good these predictions for the judged examples are; None where the metric is undefined for them."""
        ...


@dataclass(frozen=True, slots=True)
class Workbench:
    """What the ladder lends to a rung that asks for it."""

    folder: Path
    """For what must survive a kill; it need not exist yet, and is gone once the rung is done."""
    earlier: Mapping[str, Candidate]
    """Of the rungs below this one, in ladder order."""


P = TypeVar("P", contravariant=True)


class Rung(Protocol[P]):
    """One way of doing a task."""

    @property
    def name(self) -> str:
        """The name a user types, such as `features-lda`."""
        ...

    @property
    def title(self) -> str:
        """The name a user reads, such as "features + shrunk LDA"."""
        ...

    def skip_reason(self, problem: P) -> str | None:
        """Why this rung cannot pay here, as the end of a sentence; None if it can."""
        ...

    def estimate(self, problem: P) -> Estimate:
        """About how long it will take on this machine, as things are now."""
        ...

    def climb(self, problem: P, clock: Clock, tell: Tell) -> Candidate:
        """Do it.

        Raises:
            OutOfTimeError: the budget ended first.
            CannotPayError: it turned out that it cannot pay.
        """
        ...


@runtime_checkable
class LongRung(Protocol[P]):
    """A rung that works at a workbench: it goes on after a kill, or builds on what rungs below it made."""

    def climb_at(self, bench: Workbench, problem: P, clock: Clock, tell: Tell) -> Candidate:
        """Do it; the ladder calls this instead of `climb`.

        Raises:
            OutOfTimeError: the budget ended first.
            CannotPayError: it turned out that it cannot pay.
        """
        ...
