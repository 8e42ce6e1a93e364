"""Answers for a whole folder of this machine: they go on in the background, and are kept as a table to download."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from winnow.api.answer_table import write_answers
from winnow.api.model import Model, Prediction
from winnow.api.pictures import Given, pictures_of
from winnow.data.whole_files import disk_errors
from winnow.events import Progress, Tell
from winnow.studio.background import Background
from winnow.studio.per_workspace import PerWorkspace
from winnow.workspace.workspace import Workspace

MOST_SHOWN = 200
"""Lines that a page shows; the file has all."""
_AT_ONCE = 32
_MOST_KEPT = 8
_KEPT_S = 7 * 24 * 3600.0


class FolderAnswers:
    """A model's answers for what a path of this machine names."""

    def __init__(self, model: Model, path: str, folder: Path) -> None:
        self.id = secrets.token_hex(16)
        self.model = model
        self.path = path
        self.file = folder / f"{self.id}.csv"
        self.shown: list[Prediction] = []
        """The first ones."""
        self.n_answered = self.n_failed = 0
        self.work = Background(self._answer)

    def _answer(self, tell: Tell) -> None:
        given = pictures_of(self.path)
        partial = self.file.with_suffix(".partial")
        several = self.model.thresholds is not None
        with disk_errors("write", self.file):
            partial.parent.mkdir(parents=True, exist_ok=True)
            try:
                # A byte-order mark: without it spreadsheets take names in UTF-8 for something else.
                with partial.open("w", encoding="utf-8-sig", newline="") as file:
                    write_answers(file, self._each(given, tell), self.model.classes, has_several=several)
                partial.replace(self.file)
            finally:
                partial.unlink(missing_ok=True)  # where somebody pressed Stop

    def _each(self, given: list[Given], tell: Tell) -> Iterator[Prediction]:
        for start in range(0, len(given), _AT_ONCE):
            tell(Progress("answering", start, len(given)))
            for one in self.model.predict_each(given[start : start + _AT_ONCE]):
                self.n_answered += one.error is None
                self.n_failed += one.error is not None
                if len(self.shown) < MOST_SHOWN:
                    self.shown.append(one)
                yield one


class AllFolderAnswers:
    """The last ones of a workspace since the studio was started."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.cache_folder / "answers"
        self._all: dict[str, FolderAnswers] = {}

    def begin(self, model: Model, path: str) -> FolderAnswers:
        """Start answering for a file, folder or pattern."""
        self._tidy()
        begun = FolderAnswers(model, path, self._folder)
        self._all[begun.id] = begun
        return begun

    def find(self, one: str) -> FolderAnswers | None:
        """Those of that id."""
        return self._all.get(one)

    def of_model(self, model: Model) -> list[FolderAnswers]:
        """Those of one model, the newest first."""
        return [one for one in reversed(self._all.values()) if one.model.digest == model.digest]

    def _tidy(self) -> None:
        done = [one for one in self._all.values() if not one.work.is_running]
        for one in done[: max(0, len(done) - _MOST_KEPT)]:
            del self._all[one.id]
        long_ago = time.time() - _KEPT_S
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.stem not in self._all and path.stat().st_mtime < long_ago:
                    path.unlink(missing_ok=True)


folder_answers_of = PerWorkspace(AllFolderAnswers)
"""Those of a workspace, the same for all pages."""
