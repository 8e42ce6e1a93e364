"""What a network's step costs on this machine: timed once, written down beside the caches, read from then on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.data.whole_files import disk_errors, write_whole
from winnow.machine import fingerprint
from winnow.tasks.pictures import PictureProblem

if TYPE_CHECKING:
    from winnow.train.course import Course, Lesson
    from winnow.train.measure import Pace


def written_picture_s(problem: PictureProblem, timed: str) -> float | None:
    """Seconds a picture takes to be learned from once, if it was timed here before; imports no torch."""
    note = _read(_note(problem, timed))
    return None if note is None else float(note["picture_s"])


def pace_of(problem: PictureProblem, timed: str, course: Course, lesson: Lesson) -> Pace:
    """The pace of what is `timed`: from its note, or measured now and written there.

    So all networks of a rung compute in the same precision, and so does a climb that is done again.
    """
    from winnow.train.course import pace
    from winnow.train.measure import Pace
    from winnow.train.precision import Precision

    path = _note(problem, timed)
    note = _read(path)
    if note is not None:
        step_s = float(note["picture_s"]) * course.batch_size
        return Pace(Precision(bool(note["is_bf16"]), bool(note["is_channels_last"])), step_s)
    found = pace(course, lesson)
    facts = {
        "timed": timed,
        "machine": fingerprint(),
        "picture_s": found.step_s / course.batch_size,
        "is_bf16": found.precision.is_bf16,
        "is_channels_last": found.precision.is_channels_last,
    }
    with disk_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(facts, indent=1).encode("utf-8"), is_durable=False)
    return found


def _note(problem: PictureProblem, timed: str) -> Path:
    return problem.store.reader.cache / "paces" / f"{hashlib.sha256(timed.encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_ours = note["machine"] == fingerprint() and float(note["picture_s"]) > 0
        return note if is_ours and {"is_bf16", "is_channels_last"} <= set(note) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
