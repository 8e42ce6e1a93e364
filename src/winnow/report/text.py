"""The report in a terminal: tables that stay readable at 80 columns, without colours and in a pipe.

User text is shown as `rich.text.Text`, never as rich's markup, and without control characters: a class called
``[red]`` or one with an escape sequence is just a name.
"""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from winnow.metrics.confusion import ConfusionTable, MissTable
from winnow.metrics.evaluation import ClassScores, Evaluation
from winnow.metrics.intervals import Interval
from winnow.report import words
from winnow.report.limits import is_optimistic, limits
from winnow.report.scale import Scale, scale_for
from winnow.report.schema import Report, RungResult

_WIDE = 118
"""From this many columns on there is room for a drawing beside the numbers."""
_STRIP = 26
_CLASSES_SHOWN = 12
"""With more classes the confusion matrix does not fit; its most confused pairs are listed."""
_PAIRS_SHOWN = 15


def summary(report: Report) -> RenderableType:
    """The verdict, the ladder, the scores and the limits: what a person should see after a climb."""
    return Group(
        Text(f"{words.printable(report.dataset.name)} · model {words.printable(report.model)}", style="bold"),
        Text(""),
        Text(words.printable(report.verdict)),
        Text(""),
        ladder_table(report),
        scores_table(report),
        *_health(report),
        Text("\nWhat these figures cannot tell you", style="bold"),
        _listed(limits(report)),
    )


def _health(report: Report) -> list[RenderableType]:
    """One line for what only a look at the data mends; the page has the rest."""
    if report.health is None:
        return []
    serious = [finding.sentence for finding in report.health.of_severity("serious")]
    said = f"{report.health.in_short()} See them: winnow check {report.dataset.name}"
    lines: list[RenderableType] = [Text("\nYour data", style="bold"), Text(words.printable(said))]
    return [*lines, _listed(tuple(serious))] if serious else lines


def ladder_table(report: Report) -> RenderableType:
    """Every rung with its score, gain and time; wide terminals get the intervals drawn, too."""
    return _Ladder(report)


class _Ladder:
    """Looks at the width of the terminal when it is printed."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report, metric = self._report, self._report.climb.optimise
        scored = [rung.score for rung in report.ladder if rung.score is not None]
        scale = None
        if scored and options.max_width >= _WIDE:
            scale = scale_for(
                scored, higher_is_better=words.higher_is_better(metric), unit_range=words.is_share(metric)
            )
        table = _table("", "Method")
        if scale is not None:
            table.add_column("", no_wrap=True)
        unit = ", points" if words.is_share(metric) else ""
        for name in (words.capital(words.term(metric, report.task)), f"Gain{unit}", "Time"):
            table.add_column(name, justify="right", no_wrap=True)
        for rung in report.ladder:
            if rung.score is not None:
                table.add_row(*_ladder_row(rung, rung.score, metric, scale), style=_style(rung))
        yield table
        yield Text("> chosen   + earned its place: gains more than chance over the best cheaper one", style="dim")
        for why, titles in _without_score(report).items():
            yield Text(f"{words.capital(why[0])}, {why[1]}: {', '.join(titles)}", style="dim")
        yield Text("")


def _without_score(report: Report) -> dict[tuple[str, str], list[str]]:
    """Titles of the rungs that have no score, by what became of them and why."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for rung in report.ladder:
        if rung.score is None:
            why = (rung.state, words.printable(rung.reason or "no reason was recorded"))
            grouped.setdefault(why, []).append(words.printable(rung.title))
    return grouped


def scores_table(report: Report) -> RenderableType:
    """Every metric with its interval, on the judged pictures and, where opened, on the test split."""
    judged, test = report.judged.evaluation, report.test.evaluation if report.test else None
    table = _table("Score")
    table.add_column(words.printable(words.capital(report.climb.judged_by)), justify="right")
    if test is not None and report.openings is not None:
        honesty = f"opening {report.openings.opening}" + (", optimistic" if is_optimistic(report) else "")
        table.add_column(f"Test split ({honesty})", justify="right")
    for metric, interval in judged.scores.items():
        cells = [_interval(metric, interval)]
        if test is not None:
            cells.append(_interval(metric, test.scores.get(metric)))
        better = "" if words.higher_is_better(metric) else " (less is better)"
        table.add_row(Text(words.capital(words.term(metric, report.task)) + better), *cells)
    table.add_section()
    counts = [words.count(e.n, "picture") for e in (judged, test) if e is not None]
    table.add_row("Judged on", *counts, style="dim")
    return table


def per_class_table(evaluation: Evaluation) -> RenderableType:
    """One row a class: how many pictures, precision, recall and F1, the last with its interval.

    Where a picture may show several classes, also from which probability on each is called.
    """
    table = _table("Class")
    called = ["Called from"] if evaluation.misses is not None else []
    for name in ("Pictures", *called, "Precision", "Recall", "F1 (interval)"):
        table.add_column(name, justify="right", no_wrap=True)
    for c in evaluation.per_class:
        table.add_row(*_class_row(c))
    return table


def confusion_table(evaluation: Evaluation) -> RenderableType:
    """The confusion matrix where it fits, else the most confused pairs of classes.

    Where a picture may show several classes: what is missed and what is falsely called.
    """
    if evaluation.misses is not None:
        return _misses_table(evaluation, evaluation.misses)
    table = evaluation.confusion
    assert table is not None, "an evaluation has the one or the other"
    if len(table.classes) > _CLASSES_SHOWN:
        return _pairs_table(table)
    matrix = _table("Truth / answer")
    for name in table.classes:
        matrix.add_column(_name(name, 6), justify="right")
    for i, (name, row) in enumerate(zip(table.classes, table.counts, strict=True)):
        cells = [Text(str(n) if n else "·", style="bold" if i == j else "" if n else "dim") for j, n in enumerate(row)]
        matrix.add_row(_name(name, 24), *cells)
    return matrix


def _misses_table(evaluation: Evaluation, misses: MissTable) -> RenderableType:
    table = _table("Class")
    for name in ("Pictures", "Found", "Missed", "Falsely called"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Instead")
    for c, scores in enumerate(evaluation.per_class):
        counts = (scores.n, scores.n_found or 0, misses.missed[c], misses.false[c])
        instead = max(range(len(misses.classes)), key=lambda other: misses.instead[c][other])
        n = misses.instead[c][instead]
        said = _name(f"{misses.classes[instead]} ({words.number(n)})", 30) if n else Text("–")
        table.add_row(_name(scores.name, 30), *(Text(words.number(count)) for count in counts), said)
    return table


def _pairs_table(confusion: ConfusionTable) -> RenderableType:
    pairs = sorted((-n, i, j) for i, row in enumerate(confusion.counts) for j, n in enumerate(row) if n and i != j)
    table = _table("Truth", "Taken for")
    table.add_column("Pictures", justify="right")
    for n, i, j in pairs[:_PAIRS_SHOWN]:
        table.add_row(_name(confusion.classes[i], 30), _name(confusion.classes[j], 30), str(-n))
    if len(pairs) > _PAIRS_SHOWN:
        table.caption = f"and {words.count(len(pairs) - _PAIRS_SHOWN, 'rarer pair')}"
    return table


def _listed(sentences: tuple[str, ...]) -> Table:
    listed = Table.grid(padding=(0, 1, 0, 0))
    for said in sentences:
        listed.add_row("-", Text(words.printable(said)))
    return listed


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def _ladder_row(rung: RungResult, score: Interval, metric: str, scale: Scale | None) -> list[Text]:
    marks = (">" if rung.is_chosen else "") + ("+" if rung.has_earned else "")
    cells = [Text(marks), Text(words.printable(rung.title))]
    if scale is not None:
        cells.append(Text(_strip(score, scale)))
    return [
        *cells,
        Text(words.score_with_span(metric, score)),
        Text("–" if rung.gain is None else words.gain_with_span(metric, rung.gain)),
        Text("–" if rung.seconds is None else words.duration(rung.seconds)),
    ]


def _strip(interval: Interval, scale: Scale) -> str:
    """An interval as text: ``   ---o--   ``; plain signs, since not every pipe knows box drawing."""
    low, high = sorted((_column(scale, interval.low), _column(scale, interval.high)))
    line = [" "] * low + ["-"] * (high - low + 1) + [" "] * (_STRIP - high)
    line[_column(scale, interval.value)] = "o"
    return "".join(line)


def _column(scale: Scale, value: float) -> int:
    return round(scale.place(value) * _STRIP)


def _style(rung: RungResult) -> str:
    return "bold" if rung.is_chosen else "" if rung.has_earned else "dim"


def _interval(metric: str, interval: Interval | None) -> Text:
    return Text("not defined" if interval is None else words.score_with_span(metric, interval))


def _class_row(c: ClassScores) -> list[Text]:
    f1 = "–" if c.f1 is None else f"{words.percent(c.f1.value)} ({words.span('macro_f1', c.f1)})"
    shares = [Text("–" if s is None else words.percent(s.value)) for s in (c.precision, c.recall)]
    threshold = [] if c.threshold is None else [Text(words.threshold(c.threshold))]
    return [_name(c.name, 30), Text(words.number(c.n)), *threshold, *shares, Text(f1)]


def _name(name: str, at_most: int) -> Text:
    shown = Text(words.printable(name), no_wrap=True, overflow="ellipsis")
    shown.truncate(at_most, overflow="ellipsis")
    return shown
