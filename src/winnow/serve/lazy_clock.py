"""A clock that is set anew for next to nothing: most waits end long before it would ring."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class LazyClock:
    """Calls once when a wait has lasted too long.

    A timer that is set stays set, whatever becomes of the wait; when it rings, it looks what is left. Setting and
    taking back one for each wait would cost more than what is waited for.

    Args:
        is_over: called when the time of a wait is over.

    Attributes:
        began_at: when the wait began, on the loop's clock.
    """

    def __init__(self, is_over: Callable[[], object]) -> None:
        self._is_over = is_over
        self.began_at = 0.0
        self._ends_at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    @property
    def is_set(self) -> bool:
        """Whether something is waited for."""
        return self._ends_at < math.inf

    def wait(self, seconds: float) -> None:
        """Wait so long from now on, instead of what was waited for before."""
        loop = asyncio.get_running_loop()
        self.began_at = loop.time()
        self._ends_at = self.began_at + seconds
        if self._ends_at < self._rings_at:
            self._set(seconds)

    def stop(self) -> None:
        """Wait no more."""
        self._ends_at = math.inf

    def close(self) -> None:
        """Wait no more, and never again."""
        self.stop()
        if self._timer is not None:
            self._timer.cancel()

    def _set(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = loop.time() + seconds
        self._timer = loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings_at = None, math.inf
        left = self._ends_at - asyncio.get_running_loop().time()
        if left <= 0:
            self.stop()
            self._is_over()
        elif left < math.inf:
            self._set(left)
