"""The scores of the chosen model with their intervals, and the classes one by one."""

from __future__ import annotations

from winnow.metrics.evaluation import ClassScores, Evaluation
from winnow.metrics.intervals import Interval
from winnow.report import words
from winnow.report.limits import is_optimistic
from winnow.report.markup import Html, tag
from winnow.report.schema import Report


def scores_section(report: Report) -> Html:
    """Every metric on the judged pictures and, where opened, on the test split."""
    judged, test = report.judged.evaluation, report.test.evaluation if report.test else None
    heads = [tag("th", "Measure", scope="col"), _column(report.climb.judged_by, judged)]
    if test is not None:
        heads.append(_column("test split", test, "optimistic" if is_optimistic(report) else None))
    rows = [
        tag(
            "tr",
            tag("th", *_name(metric, report.task), scope="row"),
            _figure(metric, judged.scores[metric]),
            _figure(metric, test.scores.get(metric)) if test is not None else None,
        )
        for metric in judged.scores
    ]
    return tag(
        "section",
        tag("h2", "Scores of the chosen model", id="scores"),
        tag("p", _openings(report), class_="hint"),
        tag(
            "div",
            tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows)),
            class_="scroll",
            tabindex="0",  # whoever has no mouse scrolls it with the arrow keys
            role="group",
            aria_labelledby="scores",
        ),
    )


def classes_section(evaluation: Evaluation, key: str) -> Html:
    """A table with one row a class; its columns can be sorted."""
    columns = ("Precision", "Recall", "F1", "AUROC", "Average precision")
    explained = (
        "of the pictures called this, how many are",
        "of the pictures that are this, how many were found",
        "both in one figure (their harmonic mean)",
        "how often a picture of this class ranks above one that is not",
        "precision averaged over all thresholds",
    )
    is_multilabel = evaluation.misses is not None
    heads = [_sortable("Class"), _sortable("Pictures")]
    if is_multilabel:
        heads.append(_sortable("Called from", "the probability from which on the model calls this class"))
    heads += [_sortable(name, why) for name, why in zip(columns, explained, strict=True)]
    return tag(
        "section",
        tag("h3", "Class by class", id=f"{key}-classes"),
        tag(
            "p",
            "Each class by itself. Press a heading to sort."
            if is_multilabel
            else "Each class against all others. Press a heading to sort.",
            class_="hint",
        ),
        tag(
            "div",
            tag(
                "table",
                tag("thead", tag("tr", *heads)),
                tag("tbody", *(_class_row(c) for c in evaluation.per_class)),
                class_="sortable",
                aria_labelledby=f"{key}-classes",
            ),
            class_="scroll tall" if len(evaluation.per_class) > 15 else "scroll",
            tabindex="0",
            role="group",
            aria_labelledby=f"{key}-classes",
        ),
    )


def _openings(report: Report) -> str:
    if report.openings is None or report.test is None:
        return (
            "The test split has not been opened for this model; these figures come from pictures "
            "the model had not seen, but that helped to choose the method."
        )
    if is_optimistic(report):
        return (
            f"The test split has been opened {report.openings.count} times; this report is from opening number "
            f"{report.openings.opening}, so its test figures are optimistic."
        )
    later = report.openings.count - 1
    return "The test split was opened once, for this report: its figures are the honest ones." + (
        f" It has been opened {words.count(later, 'time')} since." if later else ""
    )


def _column(title: str, evaluation: Evaluation, warning: str | None = None) -> Html:
    return tag(
        "th",
        words.capital(title),
        tag("span", warning, class_="mark warning") if warning else None,
        tag("small", words.count(evaluation.n, "picture")),
        scope="col",
        class_="figure",
    )


def _name(metric: str, task: str) -> tuple[Html, Html]:
    better = "" if words.higher_is_better(metric) else ", less is better"
    return tag("span", words.capital(words.plain(metric, task))), tag("small", words.term(metric, task) + better)


def _figure(metric: str, interval: Interval | None) -> Html:
    if interval is None:
        return tag("td", "not defined", class_="figure")
    return tag(
        "td",
        tag("b", words.score(metric, interval.value)),
        tag("small", words.span(metric, interval)),
        class_="figure",
    )


def _sortable(name: str, explained: str | None = None) -> Html:
    kind = None if name == "Class" else "figure"
    return tag("th", tag("button", name, type="button", title=explained), scope="col", class_=kind)


def _class_row(c: ClassScores) -> Html:
    figures = (c.precision, c.recall, c.f1, c.auroc, c.average_precision)
    return tag(
        "tr",
        tag("th", tag("bdi", c.name), scope="row"),
        tag("td", words.number(c.n), class_="figure", data_value=c.n),
        None
        if c.threshold is None
        else tag("td", words.threshold(c.threshold), class_="figure", data_value=c.threshold),
        *(_class_figure(interval) for interval in figures),
    )


def _class_figure(interval: Interval | None) -> Html:
    if interval is None:
        return tag("td", "–", class_="figure", title="not defined for this class", data_value=-1)
    return tag(
        "td",
        words.percent(interval.value),
        tag("small", words.span("accuracy", interval)),
        class_="figure",
        data_value=interval.value,
    )
