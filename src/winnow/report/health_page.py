"""The findings of a check as one HTML file that needs nothing else, in the style of the report."""

from __future__ import annotations

from collections.abc import Callable

from winnow.report import words
from winnow.report.health_schema import HealthPart
from winnow.report.html import page_dialog, page_head, page_script
from winnow.report.markup import Html, tag
from winnow.report.page.health import health_section
from winnow.report.page.pictures import Pictures


def as_health_page(health: HealthPart, pictures: Callable[[str], bytes | None]) -> str:
    """Draw a check as one self-contained HTML page, in UTF-8.

    Args:
        health: what was found.
        pictures: gives the encoded thumbnail of a content hash, or None; asked at most once for each picture.
    """
    shown = Pictures(pictures)
    body = tag(
        "body",
        tag(
            "header",
            tag("p", "Winnow check", class_="eyebrow"),
            tag("h1", tag("bdi", health.dataset), tag("small", f" version {health.version}")),
            tag("p", health.in_short(), class_="verdict"),
        ),
        tag("main", health_section(health, shown), _counts(health)),
        tag("footer", f"{words.count(health.pictures, 'picture')}, checked in {words.duration(health.seconds)}"),
        page_dialog(),
        shown.data([]),
        page_script(),
    )
    return f"<!doctype html>\n{tag('html', page_head(f'{health.dataset} · Winnow check'), body, lang='en')}\n"


def _counts(health: HealthPart) -> Html:
    splits = [s for s in ("train", "validation", "test") if any(s in counts for counts in health.counts.values())]
    head = [tag("th", "Class", scope="col"), *(tag("th", s, scope="col", class_="figure") for s in splits)]
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", name), scope="row"),
            *(tag("td", words.number(counts.get(s, 0)), class_="figure") for s in splits),
        )
        for name, counts in health.counts.items()
    ]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))
    return tag("section", tag("h2", "Pictures by class and split"), tag("div", table, class_="scroll tall"))
