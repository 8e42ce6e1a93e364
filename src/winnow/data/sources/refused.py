"""What is left out, and why: one file, or a whole source."""

from __future__ import annotations

from collections.abc import Sequence
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


class AllRefusedError(RefusedSourceError):
    """Nothing of a source can be used; `refused` has a line for each part of it, `code` is the first one's."""

    def __init__(self, name: str, refused: Sequence[Refused]) -> None:
        first = refused[0]
        which = (
            f"The one file of {name} could not be imported:"
            if len(refused) == 1
            else f"None of the {len(refused)} files of {name} could be imported. The first:"
        )
        super().__init__(first.code, f"{which} {first.source}: {first.reason}")
        self.refused = tuple(refused)
