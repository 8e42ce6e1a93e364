"""The report as a model card in Markdown, to lie beside a model where it is shared.

Sections after Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from winnow.metrics.intervals import Interval
from winnow.report import words
from winnow.report.card_metadata import front_matter
from winnow.report.limits import is_optimistic, limits
from winnow.report.schema import Report, RungResult

_CLASSES_SHOWN = 40
"""More classes than this are summed up by the best and worst ones."""


def as_model_card(report: Report) -> str:
    """Draw a report as a model card, ready to be a README.md on the Hugging Face Hub.

    User text is escaped, so that it is shown as it is.
    """
    parts = (
        _title(report),
        _intended_use(report),
        _data(report),
        _method(report),
        _figures(report),
        _classes(report),
        _limits(report),
        _cost(report),
        _reproduce(report),
    )
    return f"{front_matter(report)}\n" + "\n\n".join(parts) + "\n"


def _title(report: Report) -> str:
    return f"# {_plain(report.dataset.name)}: model {_plain(report.model)}\n\n{_plain(report.verdict)}"


def _intended_use(report: Report) -> str:
    names = [_plain(name) for name in report.dataset.classes]
    shown = ", ".join(names[:_CLASSES_SHOWN])
    more = f" and {len(names) - _CLASSES_SHOWN} more" if len(names) > _CLASSES_SHOWN else ""
    n_classes = words.count(len(names), "class", "classes")
    answers = (
        f"The model says of {n_classes} which a picture shows: none, one or several ({shown}{more}), with a "
        "probability for each.\n\nIt knows no other class, and says nothing of what else is in a picture. "
        if report.is_multilabel
        else f"The model answers one of {n_classes} for a picture ({shown}{more}), with a probability for each.\n\n"
        "It knows no other class: a picture of something else gets one of these answers too. "
    )
    return (
        f"## Intended use\n\nTask: {_plain(report.task)}. {answers}Its figures hold for "
        "pictures made the way the dataset was; elsewhere, measure again before relying on it. Decisions about "
        "people need more than this card: nobody has measured here how it treats different groups."
    )


def _data(report: Report) -> str:
    dataset = report.dataset
    table = _table(["Split", "Pictures"], [[s, words.number(dataset.pictures_in(s))] for s in dataset.splits])
    return (
        "## Data\n\n"
        f"Dataset {_plain(dataset.name)}, version {dataset.version}, content hash `{_code(dataset.digest)}`.\n\n{table}"
    )


def _method(report: Report) -> str:
    climb, metric = report.climb, report.climb.optimise
    term = words.term(metric, report.task)
    head = ["Method", f"{words.capital(term)} (95 % interval)", "Gain over the best cheaper", "Time", ""]
    rows = [_rung_row(rung, metric) for rung in report.ladder]
    return (
        "## Method\n\n"
        f"Methods were tried from cheap to dear on the same {words.count(climb.n_judged, 'picture')} "
        f"({_plain(climb.judged_by)}), optimising {term}. A method earned its place if the interval of "
        "its gain over the best cheaper one, corrected for all comparisons, excludes zero.\n\n" + _table(head, rows)
    )


def _rung_row(rung: RungResult, metric: str) -> list[str]:
    if rung.score is None:
        return [_plain(rung.title), f"{rung.state}: {_plain(rung.reason or 'no reason was recorded')}", "", "", ""]
    marks = [word for word, applies in (("chosen", rung.is_chosen), ("earned its place", rung.has_earned)) if applies]
    return [
        f"**{_plain(rung.title)}**" if rung.is_chosen else _plain(rung.title),
        words.score_with_span(metric, rung.score),
        "–" if rung.gain is None else words.gain_with_span(metric, rung.gain),
        "–" if rung.seconds is None else words.duration(rung.seconds),
        ", ".join(marks),
    ]


def _figures(report: Report) -> str:
    judged, test = report.judged.evaluation, report.test.evaluation if report.test else None
    head = ["Measure", f"{words.capital(_plain(report.climb.judged_by))} ({words.count(judged.n, 'picture')})"]
    if test is not None:
        honesty = ", optimistic" if is_optimistic(report) else ""
        opening = f"opening {report.openings.opening}{honesty}" if report.openings else "opened"
        head.append(f"Test split ({words.count(test.n, 'picture')}; {opening})")
    rows = [
        [words.term(m, report.task), _interval(m, i), *([_interval(m, test.scores.get(m))] if test is not None else [])]
        for m, i in judged.scores.items()
    ]
    return "## Figures\n\nWith 95 % intervals in brackets.\n\n" + _table(head, rows)


def _classes(report: Report) -> str:
    classes = report.judged.evaluation.per_class
    said = ""
    if len(classes) > _CLASSES_SHOWN:
        half = _CLASSES_SHOWN // 2
        by_f1 = sorted(classes, key=lambda c: -1.0 if c.f1 is None else c.f1.value)
        said = f"The {half} worst and the {half} best of {len(classes)} classes.\n\n"
        classes = (*by_f1[:half], *by_f1[-half:])
    head = ["Class", "Pictures", "Precision", "Recall", "F1"]
    rows = [
        [_plain(c.name), words.number(c.n), *(_interval("macro_f1", i) for i in (c.precision, c.recall, c.f1))]
        for c in classes
    ]
    if report.is_multilabel:
        head += ["Average precision", "Called from"]
        for row, c in zip(rows, classes, strict=True):
            row += [_interval("macro_f1", c.average_precision), words.threshold(c.threshold)]
    return f"### By class\n\n{said}" + _table(head, rows)


def _limits(report: Report) -> str:
    return "## Limits\n\n" + "\n".join(f"- {_plain(said)}" for said in limits(report))


def _cost(report: Report) -> str:
    climb = report.climb
    spent = f"{words.duration(climb.seconds)} and {words.energy(climb.joules)}"
    said = f"The climb took {spent} ({_plain(climb.energy_method)})."
    chosen = next((rung for rung in report.ladder if rung.is_chosen), None)
    if chosen is not None and chosen.graph_bytes is not None:
        said += f" The model takes {words.size(chosen.graph_bytes)}"
        if chosen.picture_ms is not None:
            said += f" and {words.milliseconds(chosen.picture_ms)} a picture on one core"
        said += "."
    return "## Cost\n\n" + said


def _reproduce(report: Report) -> str:
    climb = report.climb
    libraries = ", ".join(f"{name} {version}" for name, version in climb.libraries.items())
    machine = ", ".join(f"{name}: {value}" for name, value in climb.machine.items())
    # An indented block cannot be closed by what it holds, unlike a fenced one.
    command = "\n".join(f"    {line}" for line in words.printable(climb.command).splitlines())
    return (
        f"## How to get the same again\n\n{command}\n\n"
        f"Seed {climb.seed}, Winnow {_plain(climb.winnow_version)}, {_plain(libraries)}.\n"
        f"Machine: {_plain(machine)}. Started {_plain(climb.started)}."
    )


def _interval(metric: str, interval: Interval | None) -> str:
    return "not defined" if interval is None else words.score_with_span(metric, interval)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(written: str) -> str:
    """Text that Markdown shows as it is: its signs are escaped, and it stays on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", words.printable(written))


def _code(written: str) -> str:
    return words.printable(written).replace("`", "'")
