"""What the engine counts of its work, as plain numbers for a page of metrics."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of a histogram's bins, in seconds; one more bin is for all above."""


@dataclass(slots=True)
class Histogram:
    """How many durations fell into each bin.

    Attributes:
        bins: counts for `BOUNDS_S` and for what is longer; not cumulative.
        total_s: the sum of all durations, in seconds.
    """

    bins: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.bins[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def join(self, other: Histogram) -> None:
        """Count all of another's durations, too."""
        self.bins = [a + b for a, b in zip(self.bins, other.bins, strict=True)]
        self.total_s += other.total_s

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self.bins)


@dataclass(slots=True)
class Counts:
    """The engine's work since it started, and what it holds now; what became of each question, `meters` counts.

    Attributes:
        waiting: questions that no worker has yet.
        waiting_bytes: what those hold.
        computing: questions that workers have.
        workers: workers that are ready, of the line-up that answers new questions.
        restarts: workers that ended and were replaced.
        swaps: line-ups that took over.
        cached: questions whose answer was known from earlier ones.
        in_queue: from being asked to being handed to a worker.
        decode: reading a picture, in the worker.
        graph: running the graph, in the worker.
        cpu_s: seconds of the processor that workers spent on both.
    """

    waiting: int = 0
    waiting_bytes: int = 0
    computing: int = 0
    workers: int = 0
    restarts: int = 0
    swaps: int = 0
    cached: int = 0
    in_queue: Histogram = field(default_factory=Histogram)
    decode: Histogram = field(default_factory=Histogram)
    graph: Histogram = field(default_factory=Histogram)
    cpu_s: float = 0.0
