"""What a study measured, as one document: a page, a drawing, a terminal and a program read the same."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from winnow.metrics.intervals import Interval

Verdict = Literal["holds", "does not hold", "not decided by this much data"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Comparison(_Part):
    """One thing that must be so if the claim is true: a number by seed whose mean should lie above `at_least`."""

    what: str
    """What the number is, such as "accuracy on unseen pictures, with batch norm minus without"."""
    unit: str = ""
    """After the number; "points": shares in [0, 1], shown as hundredths."""
    by_seed: tuple[float, ...]
    interval: Interval
    """The mean over the seeds, and where the mean of other seeds would lie."""
    at_least: float = 0.0
    verdict: Verdict


class Series(_Part):
    """One line of a chart; `lows` and `highs` are empty or a 95 % interval at every point."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()
    is_theory: bool = False
    """What a formula says, not a measurement."""


class Chart(_Part):
    """Lines over a common axis; the page writes the same numbers into a table beside it."""

    title: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    x_names: tuple[str, ...] = ()
    """Words for the places 0, 1, ... where the axis counts no quantity."""
    is_log_x: bool = False
    is_log_y: bool = False


class StudyReport(_Part):
    """A study that was run."""

    study: str
    title: str
    claim: str
    """What the books say, a sentence."""
    source: str
    """Who says so."""
    pictures: str
    """What was learned from, in words; empty: no pictures."""
    seeds: tuple[int, ...]
    settings: dict[str, str | int | float]
    comparisons: tuple[Comparison, ...]
    charts: tuple[Chart, ...]
    verdict: Verdict
    """The claim holds if every comparison does, and does not if one does not."""
    sentence: str
    """The claim, what was measured, and whether it holds."""
    seconds: float
    machine: dict[str, str | int | float]
    libraries: dict[str, str]
    command: str
