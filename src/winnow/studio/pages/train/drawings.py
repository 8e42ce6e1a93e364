"""The ladder while it grows, and how networks learn: drawn by the report's own functions, so that both look alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

from winnow.events import EpochDone
from winnow.report import words
from winnow.report.lines import drawing
from winnow.report.markup import Html, tag
from winnow.report.page.ladder import ladder_table
from winnow.report.study_schema import Chart, Series
from winnow.studio.pages.train.story import Lesson, Story, Try

LADDER_ID = "ladder"
_LINES = 8
"""Newest lessons in one drawing: with more the hues repeat."""


def growing_ladder(story: Story, metric: str, task: str) -> Html:
    """What is climbed so far, what is at work, and what is still to come."""
    waiting = [_waiting(one) for one in story.tries.values() if one.state != "over"]
    return ladder_table(story.results, metric, task, labelled_by=LADDER_ID, waiting=waiting)


def _waiting(one: Try) -> Html:
    said = "at work now" if one.state == "at work" else "still to come"
    return tag(
        "tr",
        tag("th", tag("span", one.title, class_="name"), tag("small", said), scope="row", role="rowheader"),
        tag("td", role="cell", class_="drawing"),
        tag("td", "–", role="cell", class_="figure"),
        tag("td", "–", role="cell", class_="figure"),
        tag("td", f"about {words.duration(one.estimate_s)}", role="cell", class_="figure"),
        role="row",
        class_="at-work" if one.state == "at work" else "to-come",
    )


def learning_charts(lessons: Sequence[Lesson]) -> tuple[Chart, ...]:
    """How the loss fell and, where it was watched, how the score rose: a line a network, by epoch."""
    shown = lessons[-_LINES:]
    losses = _series(shown, [[_total(epoch) for epoch in lesson.epochs] for lesson in shown])
    watched = next((name for lesson in shown for epoch in lesson.epochs for name in epoch.scores), None)
    charts = [Chart(title="Loss", x_title="epoch", y_title="mean loss of the epoch", series=losses)]
    if watched is not None:
        scores = [[epoch.scores.get(watched, math.nan) for epoch in lesson.epochs] for lesson in shown]
        title = words.capital(words.term(watched))
        charts.append(Chart(title=title, x_title="epoch", y_title=title, series=_series(shown, scores)))
    return tuple(chart for chart in charts if chart.series)


def learning_drawing(chart: Chart) -> Html:
    """One of them."""
    return drawing([chart])


def learning_table(lessons: Sequence[Lesson]) -> Html:
    """The same as a table: a row an epoch."""
    columns = ("Network", "Epoch", "Loss", "Score while it learns")
    head = tag("tr", *(tag("th", name, scope="col") for name in columns))
    rows = [_epoch_row(lesson, epoch) for lesson in lessons[-_LINES:] for epoch in lesson.epochs]
    return tag("table", tag("caption", "Mean loss of each epoch"), tag("thead", head), tag("tbody", *rows))


def _epoch_row(lesson: Lesson, epoch: EpochDone) -> Html:
    scores = ", ".join(f"{words.term(name)} {value:.3f}" for name, value in epoch.scores.items())
    return tag(
        "tr",
        tag("th", lesson.title, scope="row"),
        tag("td", epoch.epoch),
        tag("td", f"{_total(epoch):.4g}"),
        tag("td", scores or "–"),
    )


def _series(lessons: Sequence[Lesson], values: Sequence[Sequence[float]]) -> tuple[Series, ...]:
    """Lines through what is a number: a loss that ran away to infinity has no place in a drawing."""
    lines: list[Series] = []
    for lesson, ys in zip(lessons, values, strict=True):
        points = [(float(e.epoch), y) for e, y in zip(lesson.epochs, ys, strict=True) if math.isfinite(y)]
        if points:
            lines.append(Series(name=lesson.title, xs=tuple(x for x, _ in points), ys=tuple(y for _, y in points)))
    return tuple(lines)


def _total(epoch: EpochDone) -> float:
    return sum(epoch.losses.values())
