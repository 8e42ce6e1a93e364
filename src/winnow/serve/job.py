"""A question on its way through the engine: who waits for its answer, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from winnow.serve.frames import Outputs, Summary
from winnow.serve.questions import Answer, UnansweredError
from winnow.serve.served import Served

Outcome: TypeAlias = tuple[Outputs, Summary] | UnansweredError
Told: TypeAlias = Callable[[Answer | UnansweredError], None]
Key: TypeAlias = tuple[bytes, str]
"""sha256 of what was asked, and of the graph."""


class Waiter:
    """Somebody who wants to know.

    Attributes:
        job: that finds it out.
        deadline: on the clock of `time.monotonic`; later, it is told that it is too late.
    """

    __slots__ = ("_served", "_told", "deadline", "job")

    def __init__(self, served: Served, job: Job, deadline: float, told: Told) -> None:
        self.job = job
        self.deadline = deadline
        self._served = served
        self._told = told

    def tell(self, outcome: Outcome) -> None:
        """Tell what came of it."""
        if isinstance(outcome, UnansweredError):
            # An error of its own for everyone who asked: each raising adds to its trace.
            self._told(outcome.again())
        else:
            self._told(Answer(self._served, *outcome))


class Job:
    """One piece of work for a worker; the same question asked twice at a time is one job with two waiters.

    Attributes:
        payload: what the worker is sent.
        place: of the model, in the workers' order.
        n_classes: how many probabilities will come; None for tensors.
        key: what makes two questions the same.
        asked_at: on the clock of `time.monotonic`.
        n_lost: how many workers ended while they computed it.
        waiters: who wants to know.
        is_asked_twice: a second worker has it, because it was stuck behind a slow question at the first.
        is_settled: there is an answer, or a reason why there is none.
    """

    __slots__ = (
        "_settled",
        "asked_at",
        "is_asked_twice",
        "is_settled",
        "key",
        "n_classes",
        "n_lost",
        "payload",
        "place",
        "waiters",
    )

    def __init__(
        self, payload: bytes, place: int, n_classes: int | None, key: Key, settled: Callable[[Job, Outcome], None]
    ) -> None:
        self.payload = payload
        self.place = place
        self.n_classes = n_classes
        self.key = key
        self.asked_at = time.monotonic()
        self.n_lost = 0
        self.waiters: list[Waiter] = []
        self.is_asked_twice = False
        self.is_settled = False
        self._settled = settled

    def settle(self, outcome: Outcome) -> None:
        """Say the answer, or why there is none; the first outcome counts."""
        if not self.is_settled:
            self.is_settled = True
            self._settled(self, outcome)
