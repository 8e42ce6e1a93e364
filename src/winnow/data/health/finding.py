"""A finding: what is odd about a dataset, how bad it is, the pictures that show it, and what would mend it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from winnow.data.edits import Edit
from winnow.data.manifest import Example

Severity = Literal["serious", "worth a look", "good to know"]
SEVERITIES: tuple[Severity, ...] = ("serious", "worth a look", "good to know")
Action = Literal["drop", "move", "relabel", "merge"]

MOST_SHOWN = 100
"""Examples that a finding keeps to be looked at; `count` counts all, and the edits of a fix name all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture that shows what a finding means.

    Attributes:
        content: SHA-256 of its file.
        source: as the user knows it.
        label: its label or labels, "" where it has none.
        evidence: the number that speaks for the finding (see `Finding.evidence`).
        said: what there is to say of this picture, in a few words; may be "".
        beside: SHA-256 of the picture to compare it with, or None.
    """

    content: str
    source: str
    label: str
    evidence: float
    said: str = ""
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """What would mend a finding, as a new version of the dataset.

    Attributes:
        action: "drop", "move", "relabel" or "merge".
        edits: what it would change.
        is_judgement: a person should look first: these pictures may be right as they are.
    """

    action: Action
    edits: tuple[Edit, ...]
    is_judgement: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing that a user should know of a dataset.

    Attributes:
        kind: what was found, as it is named on the command line, such as "near-duplicates".
        code: the same for programs, such as "W_NEAR_DUP".
        severity: "serious": later figures would be wrong; "worth a look": they may be; "good to know".
        sentence: what was found, in plain words, with the field's term beside.
        count: how many pictures (or classes, for findings about classes).
        examples: those that show it best, most telling first; at most `MOST_SHOWN`.
        evidence: what the number of an example means.
        fixes: what would mend it, best first; none where only a person can.
        advice: what to do where there is no fix, or beside it.
        interval: (value, low, high) of the figure in the sentence, at 95 %, where it has one.
    """

    kind: str
    code: str
    severity: Severity
    sentence: str
    count: int
    examples: tuple[Shown, ...] = ()
    evidence: str = ""
    fixes: tuple[Fix, ...] = field(default=())
    advice: str = ""
    interval: tuple[float, float, float] | None = None

    def commands(self, dataset: str) -> tuple[str, ...]:
        """What to type to mend it, best first."""
        return tuple(
            shlex.join(["winnow", "fix", dataset, f"--{fix.action}", self.kind]) + (" --dry-run" * fix.is_judgement)
            for fix in self.fixes
        )


def shown(example: Example, evidence: float, said: str = "", beside: Example | None = None) -> Shown:
    """An example as evidence."""
    label = ", ".join(example.labels or ())
    return Shown(
        example.content, example.source, label, float(evidence), said, None if beside is None else beside.content
    )


def most_telling(examples: Iterable[Shown], *, least: bool = False) -> tuple[Shown, ...]:
    """Those with the largest evidence first (`least`: the smallest); equal ones stay in order; at most `MOST_SHOWN`."""
    return tuple(sorted(examples, key=lambda one: one.evidence if least else -one.evidence)[:MOST_SHOWN])


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Serious ones first; those of one severity stay in order."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def counted(n: int, what: str, many: str | None = None) -> str:
    """A number of things.

    >>> counted(1, "picture"), counted(1200, "class", "classes")
    ('1 picture', '1,200 classes')
    """
    return f"{n:,} {what if n == 1 else many or what + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names in quotes, the first few of many.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ("'a' and 'b'", "'a', 'b', 'c' and 2 more")
    """
    quoted = [f"'{name}'" for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(quoted)} and {len(names) - most} more"
    return " and ".join((", ".join(quoted[:-1]), quoted[-1])) if len(quoted) > 1 else "".join(quoted)


def percent(share: float) -> str:
    """A share in whole per cent, with a digit more where that would say 0 or 100 and not mean it.

    >>> percent(0.42), percent(0.996), percent(1.0)
    ('42 %', '99.6 %', '100 %')
    """
    whole = f"{100 * share:.0f}"
    return f"{whole if whole not in ('0', '100') or share in (0, 1) else f'{100 * share:.1f}'} %"
