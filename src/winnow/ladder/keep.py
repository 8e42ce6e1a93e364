"""Keep finished rungs in the climb's folder, so that a killed climb goes on where it was, to the same bits."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from winnow.data.whole_files import disk_errors, write_whole
from winnow.tasks.rung import Candidate, Epoch, LearningCurve

_WEIGHTS = ".safetensors"


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished rung: its candidate and what it cost."""

    candidate: Candidate
    seconds: float
    joules: float


class Shelf:
    """Finished rungs in a folder: `<rung>.npz`, `<rung>.onnx`, where a network learned `<rung>.safetensors`; and
    `<rung>.json`, which is written last."""

    def __init__(self, folder: Path) -> None:
        """Open the folder, or make it.

        Raises:
            WorkspaceError: it cannot be made.
        """
        self.folder = folder
        with disk_errors("write", folder):
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, rung: str, kept: Kept) -> Kept:
        """Keep a finished rung, whole or not at all; what comes back reads its network's weights from here.

        Raises:
            WorkspaceError: no space, no permission.
        """
        buffer = io.BytesIO()
        np.savez(buffer, predictions=kept.candidate.predictions)
        pieces = {".npz": buffer.getvalue(), ".onnx": kept.candidate.graph}
        if kept.candidate.weights is not None:
            pieces[_WEIGHTS] = kept.candidate.weights()
        facts = {
            "picture_ms": kept.candidate.picture_ms,
            "settings": kept.candidate.settings,
            "curves": [asdict(curve) for curve in kept.candidate.curves],
            "seconds": kept.seconds,
            "joules": kept.joules,
            "sha256": {suffix: hashlib.sha256(data).hexdigest() for suffix, data in pieces.items()},
        }
        pieces[".json"] = json.dumps(facts, indent=1).encode("utf-8")
        for suffix, data in pieces.items():
            path = self.folder / f"{rung}{suffix}"
            with disk_errors("write", path):
                write_whole(path, data, is_durable=True)
        return replace(kept, candidate=replace(kept.candidate, weights=self._weights(rung, pieces)))

    def get(self, rung: str) -> Kept | None:
        """A rung finished before; None if it was not, or if its files are damaged."""
        try:
            facts = json.loads((self.folder / f"{rung}.json").read_text(encoding="utf-8"))
            pieces = {suffix: (self.folder / f"{rung}{suffix}").read_bytes() for suffix in facts["sha256"]}
            if any(hashlib.sha256(data).hexdigest() != facts["sha256"][suffix] for suffix, data in pieces.items()):
                return None
            with np.load(io.BytesIO(pieces[".npz"]), allow_pickle=False) as arrays:
                predictions = arrays["predictions"]
            curves = tuple(map(_curve, facts.get("curves", ())))  # none in rungs kept by an earlier version
            candidate = Candidate(
                predictions,
                pieces[".onnx"],
                facts["picture_ms"],
                facts["settings"],
                curves,
                self._weights(rung, pieces),
            )
            return Kept(candidate, float(facts["seconds"]), float(facts["joules"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _weights(self, rung: str, pieces: Mapping[str, bytes]) -> Callable[[], bytes] | None:
        """They stay on the disk: of a climb's networks, one becomes the model."""
        return (self.folder / f"{rung}{_WEIGHTS}").read_bytes if _WEIGHTS in pieces else None


def _curve(facts: dict[str, Any]) -> LearningCurve:
    return LearningCurve(facts["network"], tuple(Epoch(**epoch) for epoch in facts["epochs"]))
