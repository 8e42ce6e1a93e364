"""The findings of a check in a terminal: one screen, serious ones first, with the command that mends each."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from winnow.data.health.finding import SEVERITIES
from winnow.report import words
from winnow.report.health_schema import FindingPart, HealthPart, ShownPart

_MARKS = {"serious": "bold red", "worth a look": "yellow", "good to know": "dim"}
EVIDENCE_LINES = 10
"""For all findings together: more is in --json and --html."""
_EACH = 2


def health_summary(health: HealthPart) -> RenderableType:
    """Every finding in a sentence, the most telling pictures, and what to type."""
    shown = _evidence(health)
    parts: list[RenderableType] = [
        Text(f"{words.printable(health.dataset)}, version {health.version}", style="bold"),
        Text(
            f"{words.count(health.pictures, 'picture')} of {words.count(len(health.counts), 'class', 'classes')}, "
            f"checked in {words.duration(health.seconds)}. {health.in_short()}"
        ),
    ]
    for severity in SEVERITIES:
        findings = health.of_severity(severity)
        if findings:
            parts.append(Text(f"\n{words.capital(severity)}", style=_MARKS[severity]))
        for place, finding in enumerate(findings):
            parts += _lines(finding, shown.get(id(finding), ()))
            following = findings[place + 1] if place + 1 < len(findings) else None
            is_said_below = following is not None and (following.fix, following.advice) == (finding.fix, finding.advice)
            if not is_said_below:
                parts += _what_to_do(finding)
    if health.notes:
        parts.append(Text("\nNot checked", style="bold"))
        parts += [_indented(note) for note in health.notes]
    return Group(*parts)


def _evidence(health: HealthPart) -> dict[int, tuple[ShownPart, ...]]:
    """Which pictures are listed below which finding: a few each, until the lines are spent."""
    left = EVIDENCE_LINES
    chosen: dict[int, tuple[ShownPart, ...]] = {}
    for finding in health.findings:
        chosen[id(finding)] = finding.examples[: min(_EACH, left)]
        left -= len(chosen[id(finding)])
    return chosen


def _lines(finding: FindingPart, shown: tuple[ShownPart, ...]) -> list[RenderableType]:
    lines: list[RenderableType] = [_indented(finding.sentence)]
    for one in shown:
        facts = [words.printable(one.source), words.printable(one.label), words.printable(one.said)]
        number = f"{one.evidence:.3g}" if one.content else ""
        lines.append(_indented("  ".join(part for part in (*facts, number) if part), 4, style="dim"))
    return lines


def _what_to_do(finding: FindingPart) -> list[RenderableType]:
    if finding.fix:
        return [_indented(f"→ {words.printable(finding.fix[0])}", 4, style="cyan")]
    return [_indented(f"→ {words.printable(finding.advice)}", 4)] if finding.advice else []


def _indented(said: str, columns: int = 2, style: str = "") -> RenderableType:
    return Padding(Text(words.printable(said), style=style), (0, 0, 0, columns))
