"""What to look at in the data: each finding with its pictures and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator

from winnow.data.health.finding import SEVERITIES
from winnow.report import words
from winnow.report.health_schema import FindingPart, HealthPart, ShownPart
from winnow.report.markup import Html, tag
from winnow.report.page.pictures import Pictures

_PICTURES_SHOWN = 8


def health_section(health: HealthPart, pictures: Pictures) -> Html:
    """All findings, serious ones first."""
    return tag(
        "section",
        tag("h2", "What to look at in your data", id="health"),
        tag("p", health.in_short(), class_="hint"),
        *(_group(health, severity, pictures) for severity in SEVERITIES),
        tag("ul", *(tag("li", note) for note in health.notes), class_="limits") if health.notes else None,
    )


def pictures_shown(health: HealthPart) -> Iterator[str]:
    """The pictures that the section shows, by content."""
    for finding in health.findings:
        for one in _seen(finding):
            yield from (content for content in (one.content, one.beside) if content)


def _seen(finding: FindingPart) -> list[ShownPart]:
    return [one for one in finding.examples if one.content][:_PICTURES_SHOWN]


def _group(health: HealthPart, severity: str, pictures: Pictures) -> Html | None:
    findings = health.of_severity(severity)
    if not findings:
        return None
    return tag(
        "div",
        tag("h3", words.capital(severity)),
        *(_finding(finding, pictures) for finding in findings),
        class_=f"findings {severity.replace(' ', '-')}",
    )


def _finding(finding: FindingPart, pictures: Pictures) -> Html:
    parts: list[Html | None] = [tag("p", finding.sentence)]
    seen = _seen(finding)
    if seen:
        parts.append(tag("p", f"Below each picture: {finding.evidence}.", class_="hint"))
        parts.append(tag("ol", *(_card(one, pictures) for one in seen), class_="mistakes"))
    elif finding.examples:
        lines = [tag("li", tag("bdi", one.source), f": {one.said}") for one in finding.examples]
        parts.append(tag("ul", *lines[:_PICTURES_SHOWN]))
    if finding.advice:
        parts.append(tag("p", finding.advice, class_="hint"))
    if finding.fix:
        parts.append(tag("pre", tag("code", "\n".join(finding.fix)), tabindex="0"))
    return tag("article", *parts, class_="finding")


def _card(one: ShownPart, pictures: Pictures) -> Html:
    beside = None if one.beside is None else pictures.image(one.beside, "the picture it is compared with")
    return tag(
        "li",
        tag("div", pictures.image(one.content, one.source), beside, class_="beside-each-other"),
        tag("p", tag("bdi", one.label)) if one.label else None,
        tag("p", tag("bdi", one.said)) if one.said else None,
        tag("p", tag("b", f"{one.evidence:.4g}")),
        tag("p", tag("bdi", one.source), class_="source"),
    )
