"""A listener that shows a person what happens: a progress bar, a line a rung, and the ladder at the end."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from winnow.events import EpochDone, Event, Note, PlanMade, RungFinished, RungSkipped, RungStarted, StepDone
from winnow.events import Progress as Step
from winnow.metrics.intervals import Interval
from winnow.report import words
from winnow.report.schema import Report
from winnow.report.text import summary


class Printer:
    """Prints events to the terminal, to stderr, so that stdout holds only what was asked for.

    Args:
        console: where to; default: stderr.
        metric: the name of the metric that rungs are scored by.
    """

    def __init__(self, console: Console | None = None, *, metric: str = "accuracy") -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._metric = metric
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._what = ""

    def __enter__(self) -> Printer:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case Step(what, done, total):
                self._progress(what, done, total)
            case Note(text, is_warning):
                self._line(("Note: " if is_warning else "") + text, "yellow" if is_warning else "dim")
            case PlanMade(rungs, total_s, budget_s):
                within = f" of a budget of {words.duration(budget_s)}" if budget_s is not None else ""
                self._line(
                    f"{words.count(len(rungs), 'rung')} to climb, about {words.duration(total_s)}{within}.", "dim"
                )
            case RungStarted(title=title):
                self._progress(title, 0, None)
            case RungFinished():
                self._rung(event)
            case StepDone(done=done, total=total):
                self._progress("Training, step", done, total)
            case EpochDone():
                pass  # the bar of its steps says enough here
            case RungSkipped():
                pass  # the ladder at the end lists them together, with their reasons

    def show(self, report: Report) -> None:
        """Print the whole summary of a report."""
        self._console.print(summary(report))

    def _progress(self, what: str, done: int, total: int | None) -> None:
        if self._task is None or what != self._what:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task, self._what = self._bar.add_task(words.printable(what), total=total), what
        self._bar.update(self._task, completed=done, total=total)

    def _rung(self, event: RungFinished) -> None:
        score = words.score_with_span(self._metric, Interval(event.score, event.low, event.high))
        when = "from before" if event.is_from_before else words.duration(event.seconds)
        self._line(f"  ✓ {event.title}: {score}, {when}", "")

    def _line(self, text: str, style: str) -> None:
        self._bar.console.print(Text(words.printable(text), style=style))
