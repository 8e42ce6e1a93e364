"""Checkpoints, whole or absent: one file holds tensors (safetensors) and facts (JSON in its header).

A file is written under another name, synced, read again, and only then renamed; its name carries its sha256, so
that a damaged one is known as such. The last two are kept: where the newest is damaged, the one before serves.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from winnow.events import Note, Tell
from winnow.graph.safe_opening import UnsafeModelError, checked_weights

_NAME = re.compile(r"(\d{12})\.([0-9a-f]{64})\.safetensors")
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Saved:
    """What was remembered of a training at some step."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    """Anything that JSON can say."""


def save(folder: Path, step: int, saved: Saved) -> Path:
    """Add the checkpoint of a step to a folder and drop those before the last two.

    Raises:
        OSError: it could not be written (errno ENOSPC: the disk is full); what was there before is still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Sharing memory (tied weights) and other layouts are not for files: each tensor is written by itself, in rows.
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in saved.tensors.items()}
    content = as_bytes(tensors, {"facts": json.dumps(saved.facts)})
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{step:012d}.{digest}.safetensors"
    _write_whole(path, content, digest)
    for old in _newest_first(folder)[_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def load(folder: Path, tell: Tell) -> Saved | None:
    """The newest whole checkpoint of a folder; None: there is none. Damaged ones are passed over with a note."""
    for path in _newest_first(folder):
        if not _is_whole(path):
            tell(Note(f"The checkpoint {path.name} is damaged and was passed over.", is_warning=True))
            continue
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            return Saved({name: file.get_tensor(name) for name in names}, json.loads(file.metadata()["facts"]))
    return None


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _digest(path):
        return False
    try:
        checked_weights(content, path.name, must_be_finite=False)
    except UnsafeModelError:
        return False
    return True


def _write_whole(path: Path, content: bytes, digest: str) -> None:
    draft = path.parent / "draft.part"
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if hashlib.sha256(draft.read_bytes()).hexdigest() != digest:
            raise OSError(f"{draft} does not read back as it was written")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _newest_first(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("*.safetensors") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: (path.name[:12], path.stat().st_mtime_ns), reverse=True)


def _digest(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return match[2]
