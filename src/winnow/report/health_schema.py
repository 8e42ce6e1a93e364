"""What a check found, as one part of a document: a page, a terminal and a program read the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from winnow.data.health.finding import SEVERITIES, Finding, counted
from winnow.metrics.intervals import Interval


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShownPart(_Part):
    """One picture that shows what a finding means; see `winnow.data.health.finding.Shown`."""

    content: str
    source: str
    label: str
    evidence: float
    said: str = ""
    beside: str | None = None


class FindingPart(_Part):
    """One finding, with the commands that would mend it; see `winnow.data.health.finding.Finding`."""

    kind: str
    code: str
    severity: Literal["serious", "worth a look", "good to know"]
    sentence: str
    count: int
    interval: Interval | None = None
    evidence: str = ""
    examples: tuple[ShownPart, ...] = ()
    advice: str = ""
    fix: tuple[str, ...] = ()
    """Command lines, best first."""

    @classmethod
    def of(cls, finding: Finding, dataset: str) -> FindingPart:
        """A finding of this dataset."""
        return cls(
            kind=finding.kind,
            code=finding.code,
            severity=finding.severity,
            sentence=finding.sentence,
            count=finding.count,
            interval=None if finding.interval is None else Interval(*finding.interval),
            evidence=finding.evidence,
            examples=tuple(
                ShownPart(
                    content=one.content,
                    source=one.source,
                    label=one.label,
                    evidence=round(one.evidence, 4),
                    said=one.said,
                    beside=one.beside,
                )
                for one in finding.examples
            ),
            advice=finding.advice,
            fix=finding.commands(dataset),
        )


class HealthPart(_Part):
    """All that was found in one dataset version."""

    dataset: str
    version: int
    pictures: int
    counts: dict[str, dict[str, int]]
    """Pictures by class, then by split."""
    findings: tuple[FindingPart, ...]
    """Serious ones first."""
    notes: tuple[str, ...] = ()
    """What could not be checked, and why."""
    features: str = ""
    """What the model that judged the labels looked at; "" where there was none."""
    seconds: float = 0.0

    def in_short(self) -> str:
        """How many findings of each severity, in words."""
        numbers = [(len(self.of_severity(severity)), severity) for severity in SEVERITIES]
        told = ", ".join(f"{n} {severity}" for n, severity in numbers if n)
        return f"{counted(len(self.findings), 'finding')}: {told}." if told else "Nothing odd was found."

    def of_severity(self, severity: str) -> Sequence[FindingPart]:
        """The findings of one severity."""
        return [finding for finding in self.findings if finding.severity == severity]
