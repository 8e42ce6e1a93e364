"""How the networks of a climb learned: their losses and scores, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable

from winnow.report import words
from winnow.report.markup import Html, tag
from winnow.report.page.chart import chart_figure
from winnow.report.schema import EpochFacts, Report, RungResult
from winnow.report.study_schema import Chart, Series

Values = Callable[[EpochFacts], dict[str, float]]


def learning_section(report: Report) -> Html | None:
    """A chart for each method that taught networks; None where there is none."""
    taught = [rung for rung in report.ladder if rung.curves]
    if not taught:
        return None
    return tag(
        "section",
        tag("h2", "How the networks learned", id="learning"),
        tag(
            "p",
            "The mean loss over the pictures that a network learned from, after each time it saw them all. It shows "
            "whether learning went well and had come to rest, not what the model is worth: that is in the ladder.",
            class_="hint",
        ),
        *(_rung(rung) for rung in taught),
    )


def learning_charts(rung: RungResult) -> tuple[Chart, ...]:
    """One chart for each named loss and score of a method's networks, one line a network."""
    return tuple(_chart(rung, name, of) for of in (_losses, _scores) for name in _names(rung, of))


def _rung(rung: RungResult) -> Html:
    return tag("div", tag("h3", words.capital(rung.title)), *(chart_figure(chart) for chart in learning_charts(rung)))


def _losses(epoch: EpochFacts) -> dict[str, float]:
    return epoch.losses


def _scores(epoch: EpochFacts) -> dict[str, float]:
    return epoch.scores


def _names(rung: RungResult, of: Values) -> list[str]:
    return list({name: None for curve in rung.curves for epoch in curve.epochs for name in of(epoch)})


def _chart(rung: RungResult, name: str, of: Values) -> Chart:
    lines: list[Series] = []
    for curve in rung.curves:
        # An epoch in which no step counted has no loss.
        known = {float(n): of(epoch)[name] for n, epoch in enumerate(curve.epochs, start=1) if name in of(epoch)}
        lines.append(Series(name=curve.network, xs=tuple(known), ys=tuple(known.values())))
    lines = [line for line in lines if line.xs]
    title, y_title = f"{rung.title}: {name.replace('_', ' ')} by epoch", name.replace("_", " ")
    return Chart(title=title, x_title="epoch", y_title=y_title, series=tuple(lines))
