"""One finding: its sentence, the pictures that show it, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import quote, urlencode

from nicegui import ui

from winnow.api.dataset import Dataset
from winnow.data.health.finding import Finding, Shown
from winnow.report.words import capital, count
from winnow.studio.checks import pictures_of
from winnow.studio.media import picture_address
from winnow.studio.pages.health.mending import Changed, Mending
from winnow.studio.parts import box, details, heading, link, para, picture, text

_FIRST = 8
_JUDGED_BY_EYE = ("conflicts", "near-conflicts", "label-errors")


def draw_finding(data: Dataset, finding: Finding, changed: Changed) -> None:
    """An article with its buttons; `changed` is called after a fix."""
    with box("article", "card finding"):
        heading(capital(finding.kind.replace("-", " ")), 3)
        para(finding.sentence)
        _evidence(finding)
        if finding.advice:
            para(finding.advice, "hint")
        mending = Mending(data, finding, changed)
        with box("div", "row actions"):
            mending.draw_buttons()
            if pictures_of(finding):
                words = "Review them in Label" if finding.kind in _JUDGED_BY_EYE else "See them in Label"
                link(words, f"/label/{quote(data.name)}?{urlencode({'only': finding.code})}", "button")
            link(finding.code, f"/codes#{finding.code}")
        mending.draw_question()


def _evidence(finding: Finding) -> None:
    seen = [one for one in finding.examples if one.content]
    if seen:
        para(f"Below each picture: {finding.evidence}.", "hint")
        draw_pictures(seen[:_FIRST])
        if len(seen) > _FIRST:
            with details(f"{len(seen) - _FIRST} more") as more:
                _when_opened(more, partial(draw_pictures, seen[_FIRST:]))
    elif finding.examples:
        shown = count(len(finding.examples), "line")
        with (
            details(f"{shown} about it" if finding.count <= len(finding.examples) else f"The first {shown}"),
            box("ul"),
        ):
            for one in finding.examples:
                text("li", f"{one.source}: {one.said}")


def _when_opened(around: ui.element, draw: Callable[[], None]) -> None:
    """Draw what a details element holds when it is first opened: a page of findings would be thousands of elements."""

    def opened() -> None:
        if not around.default_slot.children[1:]:  # behind the summary
            with around:
                draw()

    around.on("toggle", opened, args=[])


def draw_pictures(seen: Sequence[Shown]) -> None:
    """A list of pictures with what speaks for the finding."""
    with box("ol", "shown"):
        for one in seen:
            with box("li"):
                with box("div", "side-by-side"):
                    picture(picture_address(one.content), one.source)
                    if one.beside:
                        picture(picture_address(one.beside), f"What {one.source} is compared with")
                for words, classes in ((one.label, "label"), (one.said, ""), (f"{one.evidence:.3g}", "")):
                    if words:
                        text("p", words, classes, dir="auto")
                text("p", one.source, "source", dir="auto")
