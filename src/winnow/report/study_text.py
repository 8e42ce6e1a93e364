"""A study in a terminal: the claim, what was measured, the verdict."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from winnow.report import words
from winnow.report.study_schema import StudyReport
from winnow.report.study_words import mean_in_words, needed_in_words, span_in_words

_STYLES = {"holds": "green", "does not hold": "red", "not decided by this much data": "yellow"}


def study_summary(study: StudyReport) -> RenderableType:
    """What a person should see after a study; the charts are in --out."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Measured", ratio=1)
    for name in ("Mean", "95 % interval", "Needs"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Verdict", max_width=16)
    for one in study.comparisons:
        cells = (mean_in_words(one), span_in_words(one), needed_in_words(one))
        table.add_row(Text(words.capital(one.what)), *cells, Text(one.verdict, style=_STYLES[one.verdict]))
    with_what = f"{words.count(len(study.seeds), 'seed')}, {words.duration(study.seconds)}"
    if study.pictures:
        with_what = f"{words.printable(study.pictures)}; {with_what}"
    return Group(
        Text(study.title, style="bold"),
        Text(f"{study.claim} ({study.source})"),
        Text(words.capital(f"{with_what}."), style="dim"),
        Text(""),
        table,
        Text.assemble("Verdict: ", (study.verdict, _STYLES[study.verdict]), "."),
    )
