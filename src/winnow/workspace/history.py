"""From a version's number to its rows: the nearest snapshot before it, and the edits since.

A label is one small row in the database; a snapshot of a million examples is 100 MB. So a snapshot is written only
where pictures come in from outside, where a climb needs one, and where replaying would take longer than reading one.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, select, update

from winnow.data.whole_files import make_names_durable
from winnow.errors import WorkspaceError
from winnow.workspace.database import Database
from winnow.workspace.tables import datasets, versions

if TYPE_CHECKING:
    from winnow.data.manifest import Manifest

RESTORE = "restore"
# Replaying takes about 10 ns for each character of edits, reading a snapshot about 1 us for each of its rows: past
# these figures a snapshot is worth its room.
_CHARACTERS = 1_000_000
_CHARACTERS_PER_EXAMPLE = 100


@dataclass(frozen=True, slots=True)
class _Way:
    """How to get the rows of a version: read the snapshot of version `base`, then apply `edits` one by one."""

    base: int
    can_be_replayed: bool
    """False if nothing but its snapshot knows the rows of `base`."""
    edits: tuple[str, ...]


class History:
    """Reads versions of the datasets whose manifests lie in ``folder/<name>/v00001.parquet``."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def path(self, name: str, number: int) -> Path:
        """Where the snapshot of a version lies or would lie."""
        return self._folder / name / f"v{number:05d}.parquet"

    def manifest(self, connection: Connection, dataset: Row[Any], number: int) -> Manifest:
        """The rows of a version.

        Raises:
            WorkspaceError: the snapshot it stands on is missing or damaged.
        """
        return self._read(connection, dataset, number)[0]

    def manifest_for_reading(self, dataset: Row[Any], number: int) -> Manifest:
        """The same, in a transaction of its own; leaves a snapshot if it had much to replay."""
        with self._database.read() as connection:
            manifest, replayed = self._read(connection, dataset, number)
        if replayed > max(_CHARACTERS, _CHARACTERS_PER_EXAMPLE * len(manifest)):
            with contextlib.suppress(WorkspaceError):  # no room, or busy: it was only for the next reader
                self._keep(dataset, number, manifest, None)
        return manifest

    def keep(self, dataset: Row[Any], number: int) -> None:
        """Give a version a snapshot and a digest, if it has none yet.

        Raises:
            WorkspaceError: it cannot be read, or the disk refused.
        """
        with self._database.read() as connection:
            manifest = self.manifest(connection, dataset, number)
        self._keep(dataset, number, manifest, manifest.digest())

    def write(self, name: str, number: int, manifest: Manifest) -> None:
        """Write a snapshot, and wait until the disk holds it; the caller holds the write lock."""
        manifest.write(self.path(name, number))
        make_names_durable(self._folder)

    def _keep(self, dataset: Row[Any], number: int, manifest: Manifest, digest: str | None) -> None:
        this = (versions.c.dataset_id == dataset.id) & (versions.c.number == number)
        with self._database.write() as connection:
            # The dataset may have been removed meanwhile: a file then would hold its pictures for ever.
            there = select(datasets.c.id).where(datasets.c.id == dataset.id, datasets.c.created == dataset.created)
            if connection.scalar(there) is None:
                return
            if not connection.scalar(select(versions.c.has_snapshot).where(this)):
                self.write(dataset.name, number, manifest)
            connection.execute(update(versions).where(this).values(has_snapshot=True))
            if digest is not None:
                connection.execute(update(versions).where(this).values(digest=digest))

    def _read(self, connection: Connection, dataset: Row[Any], number: int) -> tuple[Manifest, int]:
        """The rows, and how many characters of edits were replayed for them."""
        # pyarrow costs 0.2 s to import: listing and finding must not pay for it.
        from winnow.data.manifest import Manifest

        ignored: set[int] = set()
        while True:
            way = _way_to(connection, dataset.id, number, ignored)
            try:
                snapshot = Manifest.read(self.path(dataset.name, way.base))
                break
            except WorkspaceError:
                if not way.can_be_replayed:
                    raise
                ignored.add(way.base)  # lost, but older ones and the edits still say what was in it
        if not way.edits and way.base == number:
            return snapshot, 0
        return _replayed(connection, dataset.id, number, snapshot, way), sum(map(len, way.edits))


def _replayed(connection: Connection, dataset_id: int, number: int, snapshot: Manifest, way: _Way) -> Manifest:
    from winnow.data.draft import Draft
    from winnow.data.edits import apply_all, from_json

    draft = Draft(snapshot)
    for edits in way.edits:
        apply_all(from_json(edits), draft)
    row = connection.execute(
        select(versions.c.parent, versions.c.what).where(
            versions.c.dataset_id == dataset_id, versions.c.number == number
        )
    ).one()
    return draft.manifest({**snapshot.provenance, "parent": row.parent, "what": row.what})


def _way_to(connection: Connection, dataset_id: int, number: int, ignored: set[int]) -> _Way:
    """The way to a version; restored ones lead back to what they restore, so the way is always finite."""
    edits: list[str] = []
    while True:
        of_dataset = versions.c.dataset_id == dataset_id
        base = connection.execute(
            select(versions.c.number, versions.c.edits.is_not(None).label("can_be_replayed"))
            .where(of_dataset, versions.c.number <= number, versions.c.has_snapshot, versions.c.number.not_in(ignored))
            .order_by(versions.c.number.desc())
            .limit(1)
        ).one()
        between = of_dataset & (versions.c.number > base.number) & (versions.c.number <= number)
        restored = connection.scalar(select(func.max(versions.c.number)).where(between, versions.c.kind == RESTORE))
        since = select(versions.c.edits).where(between).order_by(versions.c.number)
        if restored is None:
            return _Way(base.number, bool(base.can_be_replayed), (*connection.scalars(since).all(), *edits))
        edits = [*connection.scalars(since.where(versions.c.number > restored)).all(), *edits]
        text = select(versions.c.edits).where(of_dataset, versions.c.number == restored)
        number = restored_version(connection.scalar(text))


def restore_text(version: int) -> str:
    """What a version that restores another one keeps instead of edits."""
    return json.dumps([{"kind": RESTORE, "version": version}], separators=(",", ":"))


def restored_version(text: str | None) -> int:
    """The version that `restore_text` names."""
    return int(json.loads(text or "[]")[0]["version"])
