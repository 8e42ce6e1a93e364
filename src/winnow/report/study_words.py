"""A study's numbers as people say them."""

from __future__ import annotations

from collections.abc import Sequence

from winnow.report.study_schema import Comparison, Verdict
from winnow.report.words import MINUS

POINTS = "points"
"""The unit of differences between shares."""


def sentence(claim: str, comparisons: Sequence[Comparison], n_seeds: int, verdict: Verdict) -> str:
    """The claim, what was measured with which certainty, and whether it holds."""
    measured = "; ".join(comparison_in_words(one) for one in comparisons)
    return f"{claim} Measured with {n_seeds} seeds, mean and 95 % interval: {measured}. Verdict: {verdict}."


def comparison_in_words(one: Comparison) -> str:
    """What it is, its mean, its interval and its verdict, as "accuracy ...: +3.1 points (1.9 to 4.3), holds"."""
    return f"{one.what} {mean_in_words(one)} ({span_in_words(one)}): {one.verdict}"


def mean_in_words(one: Comparison) -> str:
    """The mean over the seeds with its unit, and its sign if it is a difference between shares."""
    return f"{_signed(one.interval.value, one.unit)} {one.unit}".rstrip()


def span_in_words(one: Comparison) -> str:
    """The two ends of the interval, as "1.9 to 4.3"."""
    low, high = (_signed(end, one.unit).removeprefix("+") for end in (one.interval.low, one.interval.high))
    return f"{low} to {high}"


def needed_in_words(one: Comparison) -> str:
    """What the mean must pass for the claim, as "> 0"."""
    value = 100 * one.at_least if one.unit == POINTS else one.at_least
    return f"> {value:.3g}".replace("-", MINUS)


def value_in_words(value: float) -> str:
    """A number of a chart, with four digits.

    >>> value_in_words(0.98765), value_in_words(1e-7)
    ('0.9877', '1e-07')
    """
    return f"{value:.4g}".replace("-", MINUS) if abs(value) >= 1e-3 or value == 0 else f"{value:.3g}"


def _signed(value: float, unit: str) -> str:
    written = f"{100 * value:+.1f}" if unit == POINTS else f"{value:.3g}"
    return written.replace("-", MINUS)
