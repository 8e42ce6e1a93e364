"""What came of a climb: the verdict in words, the honest figure, and what to do next."""

from __future__ import annotations

from urllib.parse import quote

from winnow.api.jobs import Job
from winnow.report import words
from winnow.report.limits import is_optimistic
from winnow.report.schema import Report
from winnow.studio.pages.evaluate.reports import report_address
from winnow.studio.parts import Cell, box, heading, link, para, table, text


def show_outcome(job: Job, report: Report | None) -> None:
    """Into the open element: how it ended, and the ways on."""
    if report is not None and job.model is not None:
        _show_verdict(job.model, report)
        return
    if job.state == "failed":
        heading("It failed")
        para(job.error or "Nobody knows why.", "notice wrong", role="alert")
        _ways(
            (("See the pictures", f"/label/{quote(job.dataset)}"), ("Choose otherwise", f"/train/{quote(job.dataset)}"))
        )
    elif job.model is not None:
        heading("It is over")
        para(f"The model that came of it, {job.model}, was removed since.")
    else:
        heading("It was stopped")
        para("No method was done by then, so nothing was kept. Ask for the same again, or give it less to do.")


def _show_verdict(model: str, report: Report) -> None:
    heading("The verdict")
    para(report.verdict, "lead", id="verdict")
    if report.climb.was_interrupted:
        para("It was stopped early: dearer methods might have done better.")
    rows = _figures(report)
    table(words.capital(words.plain(report.climb.optimise, report.task)), ("Judged on", "Score", "95 % interval"), rows)
    para(_honesty(report), "hint")
    _ways(
        (
            ("Look closer at the model", f"/evaluate/{quote(model)}"),
            ("Try it on pictures", f"/predict/{quote(model)}"),
            ("The whole report", report_address(model)),
        )
    )
    with box("p"):
        text("span", _next_step(report))


def _ways(ways: tuple[tuple[str, str], ...]) -> None:
    with box("p", "row"):
        for place, (said, href) in enumerate(ways):
            link(said, href, "button main-action" if place == 0 else "button")


def _figures(report: Report) -> list[list[Cell]]:
    metric = report.climb.optimise
    judged = f"{words.capital(report.climb.judged_by)}, {words.count(report.climb.n_judged, 'picture')}"
    found = [(judged, report.judged)]
    if report.test is not None:
        found.append((f"Test split, {words.count(report.test.evaluation.n, 'picture')}", report.test))
    rows: list[list[Cell]] = []
    for said, judgement in found:
        interval = judgement.evaluation.scores.get(metric)
        measured = interval is not None
        score = words.score(metric, interval.value) if interval is not None else "not defined"
        rows.append([said, score, words.span(metric, interval) if measured else "–"])
    return rows


def _honesty(report: Report) -> str:
    if report.dataset.pictures_in("test") == 0:
        return (
            "No pictures were kept aside as a test. The method was chosen with the pictures it is scored on, so the "
            "score is a little flattering."
        )
    if report.test is None or report.openings is None:
        return (
            "The test split stays closed. The score above is a little flattering: the method was chosen with the same "
            "pictures. Opening the test split once gives the honest figure."
        )
    if is_optimistic(report):
        return (
            f"The test split was opened {report.openings.opening} times up to this climb: what earlier looks taught "
            "may have shaped this model, so its figure is flattering."
        )
    return (
        "This was the first look at the test split: its figure is the honest one. Every further look makes it less so."
    )


def _next_step(report: Report) -> str:
    if report.health is not None and report.health.of_severity("serious"):
        return f"Next: {report.health.in_short()} The report shows what to look at first."
    return "Next: look at what it gets wrong, correct the labels that are wrong, and train again."
