"""Models that are being asked: opening one takes a second or so, so the last few stay open."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from winnow.api.model import Model
from winnow.api.neighbours import TrainingPictures
from winnow.studio.background import Background
from winnow.studio.per_workspace import PerWorkspace
from winnow.workspace.workspace import Workspace

_MOST_OPEN = 4


class OpenModel:
    """A model, and its training pictures once somebody has asked for them."""

    def __init__(self, model: Model, workspace: Workspace) -> None:
        self.model = model
        self._workspace = workspace
        self._lock = threading.Lock()
        self._training_pictures: Background[TrainingPictures] | None = None

    @property
    def training_pictures(self) -> Background[TrainingPictures]:
        """Begun by the first who asks, and again after a failure, whose cause may be mended by now.

        It takes minutes on a large dataset whose features nobody has computed.
        """
        with self._lock:
            if self._training_pictures is None or self._training_pictures.state == "failed":
                model, workspace = self.model, self._workspace
                self._training_pictures = Background(
                    lambda tell: TrainingPictures.of(model, workspace=workspace, tell=tell)
                )
            return self._training_pictures


class OpenModels:
    """The models of one workspace that were asked last."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[Path, str], OpenModel] = OrderedDict()

    def find(self, name: str) -> OpenModel:
        """The model of that name, or the very one that "name@2" means.

        Raises:
            NotFoundError: there is none; says which are near.
            BadDataError: its files are damaged.
        """
        record = self._workspace.find_model(name)
        key = record.folder, record.digest
        with self._lock:
            if key not in self._open:
                self._open[key] = OpenModel(Model(record.folder), self._workspace)
            self._open.move_to_end(key)
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
            return self._open[key]


open_models_of = PerWorkspace(OpenModels)
"""The open models of a workspace, the same for all pages and routes."""
