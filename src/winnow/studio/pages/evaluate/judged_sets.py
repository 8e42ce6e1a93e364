"""The pictures that a model was judged on: what the climb judged, the test split, and what was measured since."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from winnow.api.evaluation import answers_kept, evaluate
from winnow.api.judged_pictures import JudgedPictures
from winnow.api.measured import Measured
from winnow.api.model import REPORT, Model
from winnow.api.report import ReportFile
from winnow.errors import NotFoundError
from winnow.events import Tell
from winnow.report.schema import Judgement
from winnow.studio.background import Background
from winnow.studio.open_models import open_models_of
from winnow.studio.per_workspace import PerWorkspace
from winnow.workspace.records import ModelRecord
from winnow.workspace.workspace import Workspace

JUDGED, TEST, OTHER = "judged", "test", "data-"
"""What a set is called in an address: the third is followed by a dataset's name."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A model's answers to one set of pictures."""

    name: str
    """As in an address."""
    judgement: Judgement
    pictures: JudgedPictures | None
    """Picture by picture; None: a model of before does not keep it."""
    classes: tuple[str, ...]
    dataset: str
    sources: Mapping[str, str]
    """By content hash: what the user calls a picture."""

    def answers(self) -> bytes:
        """Probabilities (N, C) float32, then truths (N,) int32; where a picture may show several classes truths and
        calls, (N, C) uint8 each. Little-endian, row by row."""
        assert self.pictures is not None
        parts = [self.pictures.probs.astype("<f4")]
        if self.pictures.called is None:
            parts.append(self.pictures.truths.astype("<i4"))
        else:
            parts += [self.pictures.truths.astype(np.uint8), self.pictures.called.astype(np.uint8)]
        return b"".join(part.tobytes() for part in parts)


class Measurements:
    """Models measured on other datasets, since the studio was opened; a page may be left and come back."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._of: dict[tuple[str, str], Background[Measured]] = {}

    def begin(self, model: str, dataset: str) -> Background[Measured]:
        """Measure a model (by its full name) on a dataset, unless that is being done already."""
        with self._lock:
            known = self._of.get((model, dataset))
            if known is None or not known.is_running:
                opened = open_models_of(self._workspace).find(model).model
                known = Background(lambda tell: _measured(opened, dataset, self._workspace, tell))
                self._of[model, dataset] = known
            return known

    def find(self, model: str, dataset: str) -> Background[Measured] | None:
        """What was begun last."""
        return self._of.get((model, dataset))

    def of_model(self, model: str) -> dict[str, Background[Measured]]:
        """All of one model, by dataset."""
        return {dataset: work for (name, dataset), work in self._of.items() if name == model}


measurements_of = PerWorkspace(Measurements)
"""Those of a workspace, the same for all pages and routes."""


def report_of(record: ModelRecord) -> ReportFile:
    """The report as it lies beside the model now: the command line may have opened the test split meanwhile.

    Raises:
        NotFoundError: there is none.
        BadDataError: it is damaged.
    """
    return ReportFile.read(record.folder / REPORT)


def set_address(model: str, name: str) -> str:
    """Where the data of a set of this model is; routes stand below."""
    return f"/evaluate/{quote(model, safe='')}/{quote(name, safe='')}"


def find_set(workspace: Workspace, model: str, name: str) -> JudgedSet:
    """One set of pictures of the model of that name.

    Raises:
        NotFoundError: no such model or set.
    """
    record = workspace.find_model(model)
    if name.startswith(OTHER):
        return _measured_set(workspace, record, name.removeprefix(OTHER))
    numbers = report_of(record).numbers
    judgement = {JUDGED: numbers.judged, TEST: numbers.test}.get(name)
    if judgement is None:
        raise NotFoundError(f"The model {record.full_name} was not judged on '{name[:40]}'.")
    return JudgedSet(
        name,
        judgement,
        _pictures(workspace, record, name),
        open_models_of(workspace).find(record.full_name).model.classes,
        record.dataset,
        _sources(workspace, record.dataset, record.version),
    )


def _measured(model: Model, dataset: str, workspace: Workspace, tell: Tell) -> Measured:
    found = evaluate(model, dataset, workspace=workspace, tell=tell)
    assert isinstance(found, Measured)
    return found


def _measured_set(workspace: Workspace, record: ModelRecord, dataset: str) -> JudgedSet:
    work = measurements_of(workspace).find(record.full_name, dataset)
    if work is None or work.outcome is None:
        raise NotFoundError(f"{record.full_name} was not measured on '{dataset[:40]}' since the studio was opened.")
    classes = open_models_of(workspace).find(record.full_name).model.classes
    found = work.outcome
    sources = _sources(workspace, dataset, None)
    return JudgedSet(f"{OTHER}{dataset}", found.judgement, found.pictures, classes, dataset, sources)


def _pictures(workspace: Workspace, record: ModelRecord, name: str) -> JudgedPictures | None:
    try:
        return JudgedPictures.read(record.folder, "test" if name == TEST else "judged")
    except NotFoundError:
        if name != TEST:
            return None
    try:
        return answers_kept(open_models_of(workspace).find(record.full_name).model, "test", workspace)
    except NotFoundError:
        return None


def _sources(workspace: Workspace, dataset: str, version: int | None) -> dict[str, str]:
    try:
        manifest = workspace.manifest(dataset, version)
    except NotFoundError:
        return {}
    return dict(zip(manifest.column("content"), manifest.column("source"), strict=True))
