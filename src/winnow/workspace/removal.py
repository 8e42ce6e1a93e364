"""Removing: first the rows, then the files that nothing mentions any more.

In that order a kill leaves at worst files that nobody lists; the other order would leave names that lead
nowhere. Files go under the write lock, so that nobody can bring the same name or picture back meanwhile.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, func, select

from winnow.data.blobs import BlobStore
from winnow.errors import UserError
from winnow.workspace.claim import is_claimed
from winnow.workspace.climbs import ClimbStore
from winnow.workspace.database import Database
from winnow.workspace.datasets import require
from winnow.workspace.jobs import JobStore
from winnow.workspace.models import ModelStore
from winnow.workspace.names import same_name_key
from winnow.workspace.records import ModelRecord
from winnow.workspace.tables import climbs, datasets, models

ORPHAN_AGE_S = 24 * 3600.0
"""A picture that no manifest mentions may belong to an import that runs now; after a day it does not."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone now, and how much room that made."""

    dataset: str | None
    models: tuple[str, ...]
    bytes: int


class Remover:
    """Takes datasets and models out of one workspace."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        blobs: BlobStore,
        climb_store: ClimbStore,
        model_store: ModelStore,
        job_store: JobStore,
    ) -> None:
        self._folder = folder
        self._database = database
        self._blobs = blobs
        self._climbs = climb_store
        self._models = model_store
        self._jobs = job_store

    def remove_dataset(self, name: str, *, force: bool) -> Removed:
        """See `Workspace.remove_dataset`."""
        with self._database.write() as connection:
            row = require(connection, name)
            own = self._models.of_dataset(connection, row.id)
            if own and not force:
                listed = ", ".join(model.full_name for model in own)
                raise UserError(
                    f"Dataset '{row.name}' still has {_models(len(own))} ({listed}). Remove them first, or "
                    "remove everything at once with --force."
                )
            climb_ids = list(connection.scalars(select(climbs.c.id).where(climbs.c.dataset_id == row.id)))
            homes = [self._climbs.folder(climb_id) for climb_id in climb_ids]
            homes += self._jobs.of_dataset(connection, row.id)
            self._refuse_while_running(homes, row.name)
            connection.execute(delete(models).where(models.c.dataset_id == row.id))
            connection.execute(delete(datasets).where(datasets.c.id == row.id))
        home = self._folder / "datasets" / row.name
        with self._database.write() as connection:
            freed = self._remove_models(connection, own)
            freed += sum(map(_remove_folder, homes))
            if connection.scalar(select(datasets.c.id).where(datasets.c.key == row.key)) is None:
                released = _contents(home.glob("v*.parquet")) or set()
                freed += _remove_folder(home) + self._remove_pictures(released)
        return Removed(row.name, tuple(model.full_name for model in own), freed)

    def remove_model(self, name: str) -> Removed:
        """See `Workspace.remove_model`."""
        with self._database.write() as connection:
            gone = self._models.named(connection, name)
            climb_ids = {model.climb_id for model in gone if model.climb_id is not None}
            self._refuse_while_running(map(self._climbs.folder, climb_ids), gone[0].name)
            for model in gone:
                connection.execute(
                    delete(models).where(models.c.key == same_name_key(model.name), models.c.number == model.number)
                )
            still = set(connection.scalars(select(models.c.climb_id).where(models.c.climb_id.in_(climb_ids))))
            finished = sorted(climb_ids - still)
            connection.execute(delete(climbs).where(climbs.c.id.in_(finished)))
        with self._database.write() as connection:
            freed = self._remove_models(connection, gone)
            freed += sum(_remove_folder(self._climbs.folder(climb_id)) for climb_id in finished)
        return Removed(None, tuple(model.full_name for model in gone), freed)

    def _remove_models(self, connection: Connection, gone: Sequence[ModelRecord]) -> int:
        freed = 0
        for model in gone:
            again = select(func.count()).where(
                models.c.key == same_name_key(model.name), models.c.number == model.number
            )
            if not connection.scalar(again):
                freed += _remove_folder(model.folder)
        for home in {model.folder.parent for model in gone}:
            if home.is_dir() and not any(home.iterdir()):
                home.rmdir()
        return freed

    def _remove_pictures(self, released: set[str]) -> int:
        """Delete the pictures that no manifest mentions: those `released` now, and any older than a day."""
        # Manifests on disk, not rows: after a lost database the pictures must stay.
        wanted = _contents((self._folder / "datasets").glob("*/v*.parquet"))
        if wanted is None:
            return 0
        leftovers = set(self._blobs.contents(older_than_s=ORPHAN_AGE_S))
        return self._blobs.remove((released | leftovers) - wanted)

    def _refuse_while_running(self, folders: Iterable[Path], name: str) -> None:
        if any(map(is_claimed, folders)):
            raise UserError(
                f"A climb on '{name}' is running now. Wait for it, or stop it (Ctrl-C, or winnow jobs stop), and try "
                "again."
            )


def size_bytes(folder: Path) -> int:
    """What the files under `folder` hold together."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _contents(manifests: Iterable[Path]) -> set[str] | None:
    """Every picture that these manifests mention; None if one of them cannot be read."""
    from winnow.data.manifest import Manifest  # pyarrow, 0.2 s, only for a removal

    found: set[str] = set()
    for path in manifests:
        try:
            found.update(Manifest.read(path).column("content"))
        except Exception:  # a damaged file may raise anything; then nothing is thrown away
            return None
    return found


def _remove_folder(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    freed = size_bytes(folder)
    shutil.rmtree(folder)
    return freed


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"
