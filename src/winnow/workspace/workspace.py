"""The workspace: one folder with everything a user has made, behind one door."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from winnow.data.blobs import BlobStore
from winnow.workspace.climbs import ClimbStore
from winnow.workspace.database import Database
from winnow.workspace.datasets import BRINGING, DatasetStore
from winnow.workspace.editing import Editor, user_name
from winnow.workspace.history import History
from winnow.workspace.jobs import JobStore
from winnow.workspace.models import ModelStore
from winnow.workspace.names import name_from_source
from winnow.workspace.openings import record_opening
from winnow.workspace.records import (
    ClimbRecord,
    ClimbState,
    DatasetRecord,
    EditEvent,
    ModelRecord,
    Opening,
    VersionRecord,
)
from winnow.workspace.removal import Removed, Remover, size_bytes
from winnow.workspace.upkeep import bring_up_to_date, make_folders

if TYPE_CHECKING:
    from winnow.data.edits import Edit
    from winnow.data.manifest import Manifest


class Workspace:
    """Everything a user has made, in one folder; open it with `Workspace.open`.

    Every method that writes is whole or not at all, may be called by several threads and programs at once,
    and raises `WorkspaceError` with one sentence if the disk or the database does not let it.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database
        self._climbs = ClimbStore(database, folder / "climbs")
        self._models = ModelStore(database, folder / "models")
        self.jobs = JobStore(database, folder / "jobs")
        """Climbs that were asked for, and who works on them."""

    @classmethod
    def open(cls, folder: Path | None = None, *, patience_s: float = 30.0) -> Workspace:
        """Open the workspace in `folder`, made if absent, brought up to date if older.

        Args:
            folder: default: the environment variable WINNOW_WORKSPACE, else ``~/.winnow``.
            patience_s: how long to wait for another program's transaction.

        Raises:
            WorkspaceError: made by a newer Winnow; unreadable, locked, read-only, full; or not a folder.
        """
        chosen = (folder or default_folder()).expanduser().absolute()
        make_folders(chosen)
        database = Database(chosen / "winnow.db", patience_s=patience_s)
        bring_up_to_date(database)
        return cls(chosen, database)

    def close(self) -> None:
        """Let go of the climbs and jobs this process has claimed; one that is not finished can then be resumed."""
        self._climbs.release_all()
        self.jobs.release_all()
        self._database.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Places

    @cached_property
    def blobs(self) -> BlobStore:
        """The content-addressed copies of all pictures."""
        return BlobStore(self.folder / "blobs")

    @property
    def cache_folder(self) -> Path:
        """For what can be computed again: removing it costs time, never work."""
        return self.folder / "cache"

    @property
    def backbones_folder(self) -> Path:
        """For backbone graphs that the user has added."""
        return self.folder / "backbones"

    # Datasets

    def add_dataset(self, name: str, source_text: str) -> DatasetRecord:
        """A new dataset without versions yet; `source_text` says where its pictures came from.

        Raises:
            UserError: the name is no valid name, or is taken.
        """
        return self._datasets.add(name, source_text)

    def add_version(
        self, name: str, manifest: Manifest, what: str, parent: int | None = None, *, who: str | None = None
    ) -> int:
        """Add an immutable version and return its number, counted from 1.

        Examples identical to the newest version's give that version's number and nothing new; so do those of the
        last import, so that importing the same files again undoes no edit. The pictures must be in `blobs`. When
        this returns, manifest and pictures survive a power cut.

        Args:
            name: of the dataset.
            manifest: the examples.
            what: was done to get it, in a few words.
            parent: the version it was made from; None: an import, made from files.
            who: did it; default: the user of this process.

        Raises:
            NotFoundError: no such dataset.
        """
        return self._datasets.add_version(name, manifest, what, parent, who or user_name())

    def join(
        self,
        name: str,
        manifest: Manifest,
        what: str,
        base: int,
        *,
        who: str | None = None,
        action: str | None = None,
    ) -> int:
        """Add a version with more pictures than version `base` had, and return its number.

        What others did to the dataset after `base` stays done: the new pictures join the newest version then.

        Args:
            name: of the dataset.
            manifest: the examples of `base` with the new ones among them (`winnow.data.joining`).
            what: was done, in a few words.
            base: the version that the pictures were joined to. The pictures must be in `blobs`.
            who: did it; default: the user of this process.
            action: as in `edit`.

        Raises:
            NotFoundError: no such dataset or version.
        """
        return self._datasets.join(name, manifest, what, base, who or user_name(), action)

    def edited_pictures(self, name: str) -> set[str]:
        """The pictures (by source or content) whose labels, group or split somebody has set here, by themselves or
        with their whole class."""
        return self._datasets.edited_pictures(name)

    def dropped_pictures(self, name: str) -> set[tuple[str, str]]:
        """(source, content) of the pictures that somebody has taken out here; some may be back (`restore`)."""
        return self._datasets.dropped_pictures(name)

    def edit(
        self,
        name: str,
        edits: Sequence[Edit],
        *,
        who: str | None = None,
        expected_version: int | None = None,
        action: str | None = None,
    ) -> VersionRecord:
        """Apply edits, all or none, to the newest version there is at that moment; they make the next version.

        When this returns, the edit survives a power cut. Any number of programs may edit at once: each edit gets a
        version of its own, and where two change the same picture, the later one holds.

        Args:
            name: of the dataset.
            edits: of `winnow.data.edits`.
            who: did it; default: the user of this process.
            expected_version: what was looked at before deciding.
            action: a name of at most 120 characters that the caller gives to this action alone. Sent again, because
                its answer was lost, it changes nothing and gives the version that it made.

        Raises:
            NotFoundError: no such dataset; an edit names a picture or a class that is not there.
            ConflictError: a picture that an edit names was changed after `expected_version`.
            UserError: an edit makes no sense.
        """
        return self._editor.edit(name, edits, who, expected_version, action)

    def prepare_edits(self, name: str) -> None:
        """Read a dataset's rows ahead, if no other's are at hand, so that its first edit need not wait for them."""
        self._editor.prepare(name)

    def restore(self, name: str, version: int, *, who: str | None = None) -> VersionRecord:
        """A new version with the same rows as an older one; the newest itself, if it is that one.

        Raises:
            NotFoundError: no such dataset or version.
        """
        return self._editor.restore(name, version, who)

    def keep_version(self, name: str, version: int | None = None) -> VersionRecord:
        """The record of a version, the newest by default, whose digest is known and whose rows have a file.

        An edit is one row in the database; this is for what refers to a version for years, such as a climb.

        Raises:
            NotFoundError: there is none.
        """
        return self._datasets.keep_version(name, version)

    def manifest(self, name: str, version: int | None = None) -> Manifest:
        """The examples of a version, the newest by default; NotFoundError if there is none."""
        return self._datasets.manifest(name, version)

    def datasets(self) -> list[DatasetRecord]:
        """All datasets by name."""
        return self._datasets.all()

    def versions(self, name: str) -> list[VersionRecord]:
        """All versions of a dataset, oldest first; NotFoundError if there is no such dataset."""
        return self._datasets.versions(name)

    def events(self, name: str, since: int = 0) -> list[EditEvent]:
        """What happened to a dataset after version `since`, oldest first; NotFoundError if there is no such dataset."""
        return self._datasets.events(name, since)

    def find_dataset(self, name: str) -> DatasetRecord:
        """The dataset of that name; NotFoundError, with the near names, if there is none."""
        return self._datasets.find(name)

    def find_version(self, name: str, version: int | None = None) -> VersionRecord:
        """The record of a version, the newest by default; NotFoundError if there is none."""
        return self._datasets.find_version(name, version)

    def name_from_source(self, source: str | Path) -> str:
        """A good name for a dataset made from `source` that no dataset here has yet."""
        return name_from_source(source, [dataset.name for dataset in self.datasets()])

    # Climbs

    def start_climb(self, dataset: str, version: int, spec_json: Mapping[str, Any]) -> ClimbRecord:
        """A new climb with an empty folder; claimed by this process until it is finished or dies.

        Raises:
            NotFoundError: no such dataset or version.
        """
        self.keep_version(dataset, version)
        return self._climbs.start(dataset, version, spec_json)

    def find_unfinished_climb(self, dataset: str, version: int, spec_digest: str) -> ClimbRecord | None:
        """The newest killed or interrupted climb of that spec, now claimed by this process, or None.

        One that somebody alive is running is left alone, so two programs never resume the same climb.
        `winnow.workspace.climbs.spec_digest` makes the digest.
        """
        return self._climbs.find_unfinished(dataset, version, spec_digest)

    def finish_climb(
        self, climb_id: str, state: ClimbState, *, verdict: str | None = None, seconds: float | None = None
    ) -> ClimbRecord:
        """Write down how a climb ended: "finished", "interrupted" (can be resumed) or "failed" (cannot)."""
        return self._climbs.finish(climb_id, state, verdict=verdict, seconds=seconds)

    def climbs(self, dataset: str) -> list[ClimbRecord]:
        """All climbs on a dataset, oldest first."""
        return self._climbs.of_dataset(dataset)

    # Models

    def add_model(
        self,
        name: str | None,
        climb_id: str | None,
        dataset: str,
        version: int,
        digest: str,
        *,
        made_in: Path,
    ) -> ModelRecord:
        """Move the finished model in the folder `made_in` into the workspace; it becomes the current one.

        Args:
            name: default: the dataset's name. Older models of that name stay reachable as ``name@1``...
            climb_id: of the climb that made it.
            dataset: it was trained on.
            version: of that dataset.
            digest: of the model's graph, as hex. The same digest on the same version as the current model
                of that name gives that model, and `made_in` stays where it is.
            made_in: a folder with all the model's files, complete; best inside the climb's folder.

        Raises:
            UserError: the name is no valid name.
            NotFoundError: no such dataset.
        """
        return self._models.add(name, climb_id, dataset, version, digest, made_in)

    def find_model(self, name: str) -> ModelRecord:
        """The current model of that name, or an older one as ``name@2``; NotFoundError otherwise."""
        return self._models.find(name)

    def models(self) -> list[ModelRecord]:
        """All models by name, then number."""
        return self._models.all()

    # Openings

    def record_opening(self, dataset: str, version: int, model: str, model_digest: str) -> Opening:
        """Count one look at the test split, before it is taken; numbers run over all versions of a dataset.

        Measuring the same model (by its digest) on the same version again returns its first number: it shows
        nothing that was not known.
        """
        return record_opening(self._database, dataset, version, model, model_digest)

    # Removing, sizes

    def remove_dataset(self, name: str, *, force: bool = False) -> Removed:
        """Remove a dataset, its versions, climbs, jobs and count of openings, and pictures no other one uses.

        Raises:
            NotFoundError: no such dataset.
            UserError: it still has models and `force` is False (with `force` they go too), or a climb on
                it is running.
        """
        return self._remover.remove_dataset(name, force=force)

    def remove_model(self, name: str) -> Removed:
        """Remove one model (``name@2``) or all of a name, with the climbs that made them."""
        return self._remover.remove_model(name)

    def dataset_bytes(self, name: str) -> int:
        """Room that all versions take; pictures that two datasets share count in each."""
        size_of: dict[str, int] = {}
        for record in self.versions(name):
            if record.kind not in BRINGING:
                continue  # it has no other pictures than those before it
            manifest = self.manifest(name, record.number)
            size_of.update(zip(manifest.column("content"), manifest.column("bytes"), strict=True))
        manifests = self.folder / "datasets" / self.find_dataset(name).name
        return sum(size_of.values()) + size_bytes(manifests)

    def cache_bytes(self) -> int:
        """Room that the cache takes."""
        return size_bytes(self.cache_folder)

    @cached_property
    def _datasets(self) -> DatasetStore:
        return DatasetStore(self._database, self.blobs, self._history)

    @cached_property
    def _editor(self) -> Editor:
        return Editor(self._database, self._datasets, self._history)

    @cached_property
    def _history(self) -> History:
        return History(self._database, self.folder / "datasets")

    @cached_property
    def _remover(self) -> Remover:
        return Remover(self.folder, self._database, self.blobs, self._climbs, self._models, self.jobs)


def default_folder() -> Path:
    """WINNOW_WORKSPACE if set, else ``~/.winnow``."""
    named = os.environ.get("WINNOW_WORKSPACE", "").strip()
    return Path(named) if named else Path("~/.winnow")
