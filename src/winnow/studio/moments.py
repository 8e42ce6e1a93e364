"""Times as people here say them."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time, as jobs and records tell it."""
    return datetime.now(UTC)


def moment(at: datetime | str) -> str:
    """A time by this machine's clock, such as "21 Nov 2026, 17:40"; text is a time in ISO 8601, as records keep it."""
    here = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone()
    return f"{here.day} {here:%b %Y, %H:%M}"
