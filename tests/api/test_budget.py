"""A budget is a time as people write it."""

from __future__ import annotations

import pytest

from winnow.api.budget import seconds_of
from winnow.errors import UserError


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("30s", 30), ("5m", 300), ("5 min", 300), ("1.5h", 5400), (" 2H ", 7200), (12, 12), (0.5, 0.5)],
)
def test_a_budget_is_read_as_written(written: str | float, seconds: float) -> None:
    assert seconds_of(written) == seconds


def test_no_budget_is_no_limit() -> None:
    assert seconds_of(None) is None


@pytest.mark.parametrize("written", ["soon", "5", "5 parsecs", "", "-5s", "1h30m"])
def test_what_is_no_time_is_refused_with_examples_of_one(written: str) -> None:
    with pytest.raises(UserError, match="write 30s, 5m or 1h"):
        seconds_of(written)


@pytest.mark.parametrize("nothing", [0, -1, "0s", float("nan"), float("inf")])
def test_a_budget_is_more_than_nothing_and_ends(nothing: str | float) -> None:
    with pytest.raises(UserError, match="more than 0 seconds"):
        seconds_of(nothing)
