"""Datasets made to be exported, whose pictures lie in memory, and what an import of the export gives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from winnow.data.manifest import Example, Manifest
from winnow.data.sources import open_source
from winnow.data.sources.source import Found, ImportOptions, Refused
from winnow.data.targets import TARGETS, write_dataset
from winnow.data.targets.target import Outgoing, Target
from winnow.events import Note, tell_nobody

from ..pictures import file_of, noise

TARGETS_BY_NAME: dict[str, Target] = {target.name: target for target in TARGETS}
FILES: dict[str, bytes] = {}


def picture(seed: int, labels: tuple[str, ...] | None, **about: Any) -> Example:
    """A PNG of 16 x 12 pixels of noise; all that is not said is usual."""
    data = file_of(noise(seed))
    content = hashlib.sha256(data).hexdigest()
    FILES[content] = data
    usual = {"source": f"camera/{seed}.png", "split": "train", "split_by": "user", "group": None, "format": "PNG"}
    size = {"width": 16, "height": 12, "bytes": len(data), "is_grey": False}
    return Example(content=content, pixels=content, labels=labels, **{**usual, **size, **about})


def going(examples: Iterable[Example], *, only: str | None = None) -> Outgoing:
    """A dataset called clouds, on its way out."""
    return Outgoing("clouds", 3, Manifest.of(list(examples)), only, FILES.__getitem__)


def export(examples: Iterable[Example], to: str, path: Path) -> tuple[Note, ...]:
    """Write them to `path`; gives what was told."""
    return write_dataset(going(examples), TARGETS_BY_NAME[to], path, tell_nobody)


def imported(path: Path) -> list[Found]:
    """What an import finds; nothing is refused."""
    items = list(open_source(path).find(ImportOptions()))
    assert [item for item in items if isinstance(item, Refused)] == []
    return [item for item in items if isinstance(item, Found)]
