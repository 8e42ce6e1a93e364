"""What is left out, and why: one file, or a whole source."""

from __future__ import annotations

from dataclasses import dataclass

from winnow.errors import BadDataError


@dataclass(frozen=True, slots=True)
class Refused:
    """A line of the import report: what was left out and why (`code` for programs, `reason` for people)."""

    source: str
    code: str
    reason: str


class RefusedSourceError(BadDataError):
    """A whole source (an archive, a table) cannot be used; `code` says why to programs."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason
