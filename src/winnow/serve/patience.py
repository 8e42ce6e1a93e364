"""How long a client goes on with a busy server, and how long one whole call of it may take."""

from __future__ import annotations

import math
import random
import time

from winnow.errors import UserError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_LONGEST_ADVICE_S = 60.0


class BusyServerError(UserError):
    """The server did not find time within our patience, or within the time of the call."""


class CallTime:
    """All the time that one call has, questions asked again included; it begins now.

    Args:
        seconds: None: as long as it takes.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.ends = math.inf if seconds is None else time.monotonic() + seconds
        self._seconds = seconds

    @property
    def is_over(self) -> bool:
        """Nobody waits any more."""
        return time.monotonic() >= self.ends

    def too_late(self, why: str) -> BusyServerError:
        """What is raised when it is over, or will be before anything comes of it."""
        return BusyServerError(
            f"{why} The whole call had {self._seconds:g} s (timeout_s): allow more, or ask for less at once."
        )


class Patience:
    """How long to wait before asking again, and when to give up.

    Args:
        seconds: since the last success, or the first question.
        call: within which all of it happens.
    """

    def __init__(self, seconds: float, call: CallTime) -> None:
        self.call = call
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._pause_s = _FIRST_PAUSE_S

    def renew(self) -> None:
        """Something was answered: the server lives."""
        self._until = time.monotonic() + self._seconds
        self._pause_s = _FIRST_PAUSE_S

    def wait(self, advised_s: float | None, why: str) -> None:
        """Pause for as long as the server advised, else a little longer each time.

        Raises:
            BusyServerError: that would be too long.
        """
        # Several clients that were refused together shall not come back together.
        pause_s = self._pause_s * random.uniform(0.5, 1.0)
        if advised_s is not None:
            pause_s = max(pause_s, min(advised_s, _LONGEST_ADVICE_S))
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        back_at = time.monotonic() + pause_s
        if back_at > self._until:
            raise BusyServerError(
                f"{why} This went on for {self._seconds:g} s: ask again later, or fewer at once, or let the server "
                "have more workers."
            )
        if back_at > self.call.ends:
            raise self.call.too_late(why)
        time.sleep(pause_s)
