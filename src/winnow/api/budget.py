"""Time as people write it: 10s, 5m, 1h."""

from __future__ import annotations

import math
import re

from winnow.errors import UserError

_UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_PATTERN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|m|min|h)\s*$", re.IGNORECASE)


def seconds_of(budget: str | float | None) -> float | None:
    """A budget in seconds; None for no budget.

    Args:
        budget: "30s", "5m", "1.5h", or a number of seconds.

    Raises:
        UserError: it is no time, or not more than 0.

    >>> seconds_of("5m")
    300.0
    """
    if budget is None:
        return None
    if isinstance(budget, str):
        match = _PATTERN.match(budget)
        if match is None:
            raise UserError(f"'{budget}' is no budget: write 30s, 5m or 1h.")
        seconds = float(match[1]) * _UNITS_S[match[2].lower()]
    else:
        seconds = float(budget)
    if not (math.isfinite(seconds) and seconds > 0):
        raise UserError(f"A budget is more than 0 seconds, not {budget}: write 30s, 5m or 1h.")
    return seconds


def budget_in_words(seconds: float) -> str:
    """A budget as people write it, which `seconds_of` reads.

    >>> budget_in_words(300.0), budget_in_words(45.5)
    ('5m', '45.5s')
    """
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:g}m" if minutes and not rest and minutes < 100_000 else f"{seconds:.15g}s"
