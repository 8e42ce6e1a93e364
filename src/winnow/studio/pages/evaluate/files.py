"""What can be kept of a model: its report, its card, and the data behind every chart."""

from __future__ import annotations

from winnow.report.schema import Report
from winnow.report.tables import charts
from winnow.studio.pages.evaluate.judged_sets import JUDGED, TEST, set_address
from winnow.studio.parts import box, details, heading, link, para

_FILES = (
    ("report.html", "The report, one page that needs nothing else"),
    ("model-card.md", "The model card, for those who are given the model"),
    ("report.json", "All numbers, for programs"),
    ("ladder.csv", "The ladder as a table (CSV)"),
)


def files(model: str, report: Report) -> None:
    """Links that download.

    Args:
        model: its full name.
        report: tells which charts there are.
    """
    with box("section", "card"):
        heading("To keep")
        with box("ul", "downloads"):
            for file, said in _FILES:
                with box("li"):
                    link(said, set_address(model, "files") + f"/{file}", download="")
        with details("The data behind every chart, as tables (CSV)"):
            _charts(model, report)


def _charts(model: str, report: Report) -> None:
    for name, judgement, said in (
        (JUDGED, report.judged, report.climb.judged_by),
        (TEST, report.test, "the test split"),
    ):
        if judgement is None:
            continue
        para(f"From {said}:")
        with box("ul", "downloads"):
            for chart, table in charts(judgement).items():
                with box("li"):
                    link(table.title, set_address(model, name) + f"/{chart}.csv", download="")
