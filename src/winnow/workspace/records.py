"""What the workspace knows about a dataset, a version, a climb, a model and an opening: plain facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from winnow.data.edits import Edit

ClimbState = Literal["running", "finished", "interrupted", "failed"]
JobState = Literal["queued", "running", "stopping", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One immutable version of a dataset, and the event that made it."""

    dataset: str
    number: int
    parent: int | None
    digest: str | None
    """Of its rows; None until somebody needed it (`Workspace.keep_version`)."""
    what: str
    """What was done to get it, in a few words: "imported 2,031 pictures"."""
    examples: int
    classes: int
    bytes: int
    """Of all its pictures together, each different file counted once."""
    created: str
    kind: str
    """"import", "add", "restore", the kind of its edit ("relabel", "merge", ...), or "edits" for several at once."""
    who: str
    """Who did it; "" if that was not written down."""
    has_snapshot: bool
    """True if its examples lie in the Parquet file at `path`; else they are an older version's, edited."""
    path: Path
    action: str | None = None
    """Which action of a program that sends it again if in doubt; no other version of the dataset has it."""


@dataclass(frozen=True, slots=True)
class EditEvent:
    """A version as those follow it who hold the rows of the one before."""

    version: VersionRecord
    edits: tuple[Edit, ...] | None
    """What led to it from the version before; None where the rows must be read anew (an import, a restored one)."""


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A named dataset; `newest` is None until its first version is in."""

    name: str
    source: str
    created: str
    newest: VersionRecord | None
    openings: int
    """How often the test split of any of its versions has been looked at."""


@dataclass(frozen=True, slots=True)
class ClimbRecord:
    """One run up the ladder; everything it writes while it runs goes into `folder`."""

    id: str
    dataset: str
    version: int
    spec: dict[str, Any]
    spec_digest: str
    state: ClimbState
    verdict: str | None
    seconds: float | None
    started: str
    finished: str | None
    folder: Path


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One finished model; `folder` holds its files."""

    name: str
    number: int
    dataset: str
    version: int
    climb_id: str | None
    digest: str
    created: str
    is_current: bool
    """True for the newest of its name: the one that the bare name means."""
    folder: Path

    @property
    def full_name(self) -> str:
        """The name that means this very model for ever, such as ``clouds@2``."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True, slots=True)
class Opening:
    """One look at a test split: the `number`-th of the `count` that its dataset has had so far."""

    number: int
    count: int
    is_new: bool
    """False if this very model was already measured on this very version: a second look tells nothing new."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A climb that was asked for: what is wanted, who works on it, how it ended. Times are in UTC."""

    id: int
    dataset: str
    version: int
    wish: dict[str, Any]
    state: JobState
    created: datetime
    started: datetime | None
    """When it was first taken up."""
    heartbeat: datetime | None
    """When its worker last said that it lives."""
    ended: datetime | None
    host: str | None
    pid: int | None
    """Of the process that has it, or had it last."""
    attempts: int
    """How often it was taken up."""
    error: str | None
    climb_id: str | None
    model: str | None
    """The full name of what came of it."""
    folder: Path
    """What it said lies there."""
