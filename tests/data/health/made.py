"""Examples that need no files: rows of a table, and looks of pictures that are neither dark, blank nor blurred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from winnow.data.health.finding import Finding
from winnow.data.health.look import COLUMNS, Looks
from winnow.data.health.subject import Subject
from winnow.data.manifest import Example

USUAL = {"brightness_p5": 0.2, "brightness_p99": 0.9, "entropy": 7.0, "sharpness": 0.6, "jpeg_quality": 90.0}


def example(name: str, label: str | None = "cat", **facts: Any) -> Example:
    """A picture called `name`; its content and pixels are named after it, too."""
    usual = Example(
        content=f"content of {name}",
        pixels=f"pixels of {name}",
        labels=None if label is None else (label,),
        group=None,
        split="train",
        split_by="winnow",
        source=name,
        width=200,
        height=150,
        format="JPEG",
        bytes=10_000,
        is_grey=False,
    )
    return replace(usual, **facts)


def subject(examples: Sequence[Example], looks: dict[int, dict[str, float]] | None = None, **facts: Any) -> Subject:
    """What is known of them; `looks` gives what is unusual about the picture at a place."""
    rows = np.array([[USUAL.get(name, 0.0) for name in COLUMNS] for _ in examples]).reshape(-1, len(COLUMNS))
    for place, odd in (looks or {}).items():
        for name, value in odd.items():
            rows[place, COLUMNS.index(name)] = value
    return Subject(examples=examples, looks=Looks(rows), **facts)


def only(findings: Any) -> Finding:
    """The one finding there is."""
    (finding,) = findings
    return finding


def sources(finding: Finding) -> list[str]:
    """The pictures that a finding shows."""
    return [one.source for one in finding.examples]
