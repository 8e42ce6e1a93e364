"""Numbers as people say them (most is shown by the examples in `words.py`)."""

from __future__ import annotations

import math

import pytest

from winnow.metrics.intervals import Interval
from winnow.report import words


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.9996, "99.96 %"), (0.99999, "99.999 %"), (0.0004, "0.04 %")],
)
def test_almost_all_is_not_all(share: float, said: str):
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.02, "20 ms"),
        (0.0999, "0.1 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (120, "2 min"),
        (7200, "2 h"),
    ],
)
def test_times_change_units_without_gaps(seconds: float, said: str):
    assert words.duration(seconds) == said


def test_losses_are_not_said_in_per_cent():
    assert words.score_with_span("log_loss", Interval(0.5, 0.4, 0.6)) == "0.500 (0.400 to 0.600)"
    assert words.gain_with_span("log_loss", Interval(-0.5, -0.6, 0.1)) == "−0.500 (−0.600 to 0.100)"


def test_a_metric_we_do_not_know_is_still_said():
    assert words.term("top5_hits") == words.plain("top5_hits") == "top5 hits"
    assert words.score("top5_hits", 0.25) == "0.250"


def test_undefined_is_said_so():
    assert words.score("accuracy", math.nan) == "not defined"
