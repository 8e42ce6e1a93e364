"""When a picture was taken, from the ways people and cameras write it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

# EXIF writes 2024:05:31 13:00:00; Germans 31.05.2024; and some 2024/05/31. 05/06/2024 is two different days.
_YEAR_FIRST = re.compile(r"(\d{4})[:/.](\d{1,2})[:/.](\d{1,2})(.*)", re.DOTALL)
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.DOTALL)
# Seconds since 1970 from 1990 to 2100, and the same in milliseconds.
_SECONDS = (631_152_000, 4_102_444_800)


def iso_time(value: Any) -> str | None:
    """A date or time in ISO 8601, or None where it says none, or could mean two.

    >>> iso_time("2024:05:31 13:00:00"), iso_time("31.5.2024"), iso_time("05/06/2024")
    ('2024-05-31T13:00:00', '2024-05-31', None)
    """
    if isinstance(value, date):  # a datetime is a date, too
        return value.isoformat()
    if isinstance(value, str):
        return _from_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(float(value))
    return None


def _from_text(text: str) -> str | None:
    if not 8 <= len(text) <= 40:
        return None
    if re.fullmatch(r"\d{9,13}(\.\d{1,9})?", text):
        return _from_number(float(text))
    if match := _YEAR_FIRST.fullmatch(text):
        text = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}{match[4]}"
    elif match := _DAY_FIRST.fullmatch(text):
        text = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}{match[4]}"
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _from_number(number: float) -> str | None:
    for seconds in (number, number / 1000):
        if _SECONDS[0] <= seconds <= _SECONDS[1]:
            return datetime.fromtimestamp(seconds, UTC).isoformat()
    return None
