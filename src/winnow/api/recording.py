"""A climb that others can see: while it runs it says that it lives, what happens is written down, a stop is heard.

The same for a climb in a worker and for one in somebody's terminal.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import traceback
from collections.abc import Generator
from datetime import UTC, datetime

from winnow.api.dataset import Dataset
from winnow.api.heartbeat import Heartbeat
from winnow.api.model import Model
from winnow.api.training import climb_on
from winnow.api.wish import Wish
from winnow.errors import UserError
from winnow.events import Event, Progress, RungStarted, StepDone, Tell
from winnow.workspace.jobs import JobStore
from winnow.workspace.records import JobRecord, JobState

_SPARE_S = 0.5
"""Between two steps, or two words of progress, that are written down."""


def run_job(data: Dataset, record: JobRecord, tell: Tell, *, is_worker: bool) -> Model:
    """Climb as the job asks, seen by all, and write down how it ended.

    Args:
        data: the dataset version that the job names.
        record: the job, claimed by this process.
        tell: hears everything, unthinned.
        is_worker: asked to leave (SIGTERM), put the job back into the queue; else nobody would go on with it: stop it.

    Raises:
        KeyboardInterrupt: it was stopped before there was anything to keep.
        SystemExit: 143, after SIGTERM.
        UserError: as `winnow.train` does.
    """
    jobs = data.workspace.jobs
    try:
        with _terminable(), Recording(jobs, record, tell) as recording:
            model = _climb(data, record, recording)
    except KeyboardInterrupt:
        jobs.end(record.id, "stopped")
        raise
    except SystemExit:
        if is_worker:
            jobs.give_back(record.id)
        else:
            jobs.end(record.id, "stopped")
        raise
    except UserError as error:
        jobs.end(record.id, "failed", error=str(error))
        raise
    except BaseException as error:
        jobs.end(record.id, "failed", error=_fault(record, error))
        raise
    climb = model.report.numbers.climb
    state: JobState = "stopped" if climb.was_interrupted else "done"
    jobs.end(record.id, state, climb_id=climb.id, model=model.full_name)
    return model


class Recording:
    """While this context lasts, the job lives: called with events, it writes them down and passes them on.

    If somebody asks the job to stop, the main thread gets a KeyboardInterrupt, once, as by Ctrl-C; should that be lost
    on the way, the next rung that is to start raises it.
    """

    def __init__(self, jobs: JobStore, record: JobRecord, tell: Tell) -> None:
        self._tell = tell
        self._writer = jobs.write_events(record.id)
        self._heartbeat = Heartbeat(jobs, record.id, self._stop)
        self._guard = threading.Lock()
        self._may_interrupt = True
        self._thinned = _Thinned()
        self.is_stopping = record.state == "stopping"

    def __enter__(self) -> Recording:
        self._heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._heartbeat.__exit__()
        self._write(*self._thinned.rest())
        self._writer.close()

    def __call__(self, event: Event) -> None:
        """Write it down, thinned, and pass it on.

        Raises:
            KeyboardInterrupt: a rung is about to start although somebody has asked to stop.
        """
        if self.is_stopping and isinstance(event, RungStarted):
            raise KeyboardInterrupt
        self._write(*self._thinned.of(event, time.monotonic()))
        self._tell(event)

    def interrupt_no_more(self) -> None:
        """From here on a stop comes too late: the climb is done."""
        with self._guard:
            self._may_interrupt = False

    def _write(self, *events: Event) -> None:
        for event in events:
            with contextlib.suppress(OSError):  # a full disk costs what was said, not the climb
                self._writer.append(event, datetime.now(UTC))

    def _stop(self) -> None:
        with self._guard:
            # Who takes up a job that is to stop begins no rung anyway, and makes a model of what is finished.
            may_interrupt, self.is_stopping = self._may_interrupt and not self.is_stopping, True
            if may_interrupt:
                _interrupt_main_thread()


class _Thinned:
    """Steps and progress, at most one in a while, and the last one before anything else is said."""

    def __init__(self) -> None:
        self._about: str | None = None
        self._at = 0.0
        self._held: Event | None = None

    def of(self, event: Event, now: float) -> list[Event]:
        """What is to be written down now that this was said."""
        about = event.what if isinstance(event, Progress) else "steps" if isinstance(event, StepDone) else None
        if about is not None and about == self._about and now - self._at < _SPARE_S:
            self._held = event
            return []
        # More of the same overtakes what was held back; anything else comes after it.
        before = [] if about == self._about and about is not None else self.rest()
        self._about, self._at, self._held = about, now, None
        return [*before, event]

    def rest(self) -> list[Event]:
        """What was held back."""
        held, self._held = self._held, None
        return [] if held is None else [held]


def _climb(data: Dataset, record: JobRecord, recording: Recording) -> Model:
    wish = Wish.from_json(record.wish)
    try:
        model = climb_on(data, wish, recording)
        recording.interrupt_no_more()
    except KeyboardInterrupt:
        if not recording.is_stopping:
            raise
        # It came between two rungs or after the last one. What is finished is kept: no other rung is begun now.
        return climb_on(data, wish, recording)
    return model


def _fault(record: JobRecord, error: BaseException) -> str:
    path = record.folder / "error.txt"
    with contextlib.suppress(OSError):
        path.write_text(traceback.format_exc(), encoding="utf-8", errors="backslashreplace")
    kind = type(error).__name__
    return f"A fault of Winnow ended it ({kind}: {error}). Please report it with {path}, or try other rungs."


@contextlib.contextmanager
def _terminable() -> Generator[None]:
    """SIGTERM leaves as Ctrl-C does, with everything written down, where it would else end the process at once.

    SIGINT is heard even where a shell started us with `&` and so had us ignore it: it is how a stop reaches the climb.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, _leave)
    if before[signal.SIGINT] is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _interrupt_main_thread() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # also out of a wait
    else:
        import _thread

        _thread.interrupt_main()
