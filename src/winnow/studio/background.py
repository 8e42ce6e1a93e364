"""Work that takes longer than a page is open: it goes on in a thread, and any page may come and look."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from winnow.errors import UserError
from winnow.events import Event, Note, Progress, Tell

T = TypeVar("T")
State = Literal["running", "done", "failed", "stopped"]

_log = logging.getLogger(__name__)


class StoppedError(Exception):
    """Somebody pressed Stop: raised inside the work by its next word."""


class Background(Generic[T]):
    """One piece of work in a thread of its own; it ends with the studio at the latest.

    Args:
        work: is given what hears its events, and gives the outcome.
        afterwards: called in the thread when it is over, however it went.
    """

    def __init__(self, work: Callable[[Tell], T], afterwards: Callable[[], None] = lambda: None) -> None:
        self.state: State = "running"
        self.progress: Progress | None = None
        """What is being done now, and how far."""
        self.notes: list[Note] = []
        self.outcome: T | None = None
        self.error = ""
        """Why it failed, in a sentence."""
        self._is_stopping = threading.Event()
        self._start, self._end = time.monotonic(), 0.0
        self._thread = threading.Thread(target=self._run, args=(work, afterwards), name="background", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """False once it is done, failed or stopped."""
        return self.state == "running"

    @property
    def seconds(self) -> float:
        """How long it has taken so far, or took."""
        return (time.monotonic() if self.is_running else self._end) - self._start

    def stop(self) -> None:
        """Ask it to end: it does so with its next word, within a second or so."""
        self._is_stopping.set()

    @property
    def is_stopping(self) -> bool:
        """Whether somebody pressed Stop."""
        return self._is_stopping.is_set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until it is over; for those who are not a page."""
        self._thread.join(timeout_s)

    def _run(self, work: Callable[[Tell], T], afterwards: Callable[[], None]) -> None:
        state: State = "failed"
        try:
            self.outcome = work(self._hear)
            state = "done"
        except StoppedError:
            state = "stopped"
        except UserError as error:
            self.error = str(error)
        except Exception:
            _log.exception("work in the background failed")
            self.error = "Something went wrong inside Winnow; the terminal that runs the studio says more."
        finally:
            afterwards()
            self._end = time.monotonic()
            self.state = state  # last: who sees it over sees all of it

    def _hear(self, event: Event) -> None:
        if self._is_stopping.is_set():
            raise StoppedError
        if isinstance(event, Progress):
            self.progress = event
        elif isinstance(event, Note):
            self.notes.append(event)
