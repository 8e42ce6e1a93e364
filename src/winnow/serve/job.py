"""A question on its way through the engine: who waits for its answer, and what came of it."""

from __future__ import annotations

import asyncio
import time
from typing import TypeAlias

from winnow.serve.frames import Outputs, Summary
from winnow.serve.questions import UnansweredError

Outcome: TypeAlias = tuple[Outputs, Summary] | UnansweredError
Waiter: TypeAlias = "asyncio.Future[Outcome]"


class Job:
    """One piece of work for a worker; the same question asked twice at a time is one job with two waiters.

    Attributes:
        payload: what the worker is sent.
        place: of the model, in the workers' order.
        n_classes: how many probabilities will come; None for tensors.
        asked_at: on the clock of `time.monotonic`.
        n_lost: how many workers ended while they computed it.
        waiters: who wants to know.
        is_asked_twice: a second worker has it, because it was stuck behind a slow question at the first.
        is_settled: there is an answer, or a reason why there is none.
    """

    __slots__ = ("asked_at", "is_asked_twice", "is_settled", "n_classes", "n_lost", "payload", "place", "waiters")

    def __init__(self, payload: bytes, place: int, n_classes: int | None) -> None:
        self.payload = payload
        self.place = place
        self.n_classes = n_classes
        self.asked_at = time.monotonic()
        self.n_lost = 0
        self.waiters: list[Waiter] = []
        self.is_asked_twice = False
        self.is_settled = False

    def settle(self, outcome: Outcome) -> None:
        """Give all who still wait the answer, or why there is none."""
        self.is_settled = True
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(outcome)
