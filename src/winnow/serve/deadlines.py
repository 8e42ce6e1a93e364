"""One clock for all who wait: a timer for each question would cost more than looking at all of them now and then."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from winnow.serve.job import Waiter


class Deadlines:
    """Gives up for those whose deadline has passed.

    Args:
        give_up: called once for each of them.
    """

    def __init__(self, give_up: Callable[[Waiter], None]) -> None:
        self._give_up = give_up
        self._waiting: set[Waiter] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    def __len__(self) -> int:
        return len(self._waiting)

    def watch(self, waiter: Waiter) -> None:
        """Give up for this one at its deadline."""
        self._waiting.add(waiter)
        # Most may wait equally long: then the timer stands for one who has its answer by then, and is set anew once.
        if waiter.deadline < self._rings_at:
            self._set(waiter.deadline)

    def forget(self, waiter: Waiter) -> None:
        """It waits no more."""
        self._waiting.discard(waiter)

    def _set(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = deadline
        wait_s = max(0.0, deadline - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings_at = None, math.inf
        now = time.monotonic()
        late = [waiter for waiter in self._waiting if waiter.deadline <= now]
        self._waiting.difference_update(late)
        if self._waiting:
            self._set(min(waiter.deadline for waiter in self._waiting))
        for waiter in late:
            self._give_up(waiter)
