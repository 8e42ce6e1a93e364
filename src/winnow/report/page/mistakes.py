"""The mistakes the model was most sure of, with their pictures."""

from __future__ import annotations

from winnow.report import words
from winnow.report.markup import Html, tag
from winnow.report.page.pictures import Pictures
from winnow.report.schema import Judgement, Mistake

_SHOWN = 24


def mistakes_section(judgement: Judgement, key: str, pictures: Pictures) -> Html | None:
    """One card a mistake, most sure first; None where there is none."""
    if not judgement.mistakes:
        return None
    return tag(
        "section",
        tag("h3", "Worst mistakes", id=f"{key}-mistakes"),
        tag(
            "p",
            "Wrong answers the model was most sure of. Look closely: often it is the label that is wrong.",
            class_="hint",
        ),
        tag("ol", *(_card(m, pictures) for m in judgement.mistakes[:_SHOWN]), class_="mistakes"),
    )


def _card(mistake: Mistake, pictures: Pictures) -> Html:
    return tag(
        "li",
        pictures.image(mistake.content, f"labelled {mistake.truth}, answered {mistake.answer}"),
        tag("p", "answered ", tag("b", tag("bdi", mistake.answer))),
        tag("p", "labelled ", tag("b", tag("bdi", mistake.truth))),
        tag("p", f"{words.percent(mistake.prob)} sure", *_of_what(mistake)),
        tag("p", tag("bdi", mistake.source), class_="source"),
    )


def _of_what(mistake: Mistake) -> list[Html | str]:
    """Of which class it was so sure, where a picture may show several."""
    if mistake.worst is None:
        return []
    return [" of " if mistake.worst in mistake.false else " of no ", tag("b", tag("bdi", mistake.worst))]
