"""Datasets and their immutable, numbered versions: rows in the database, examples in Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from winnow.data.blobs import BlobStore
from winnow.data.whole_files import make_names_durable
from winnow.errors import NotFoundError, UserError, WorkspaceError, did_you_mean
from winnow.workspace.database import Database
from winnow.workspace.names import same_name_key, shown, valid_name
from winnow.workspace.records import DatasetRecord, VersionRecord
from winnow.workspace.tables import datasets, openings, versions

if TYPE_CHECKING:
    from winnow.data.manifest import Manifest


class DatasetStore:
    """The datasets of one workspace; manifests lie in ``datasets/<name>/v00001.parquet``."""

    def __init__(self, database: Database, folder: Path, blobs: BlobStore) -> None:
        self._database = database
        self._folder = folder
        self._blobs = blobs

    def add(self, name: str, source_text: str) -> DatasetRecord:
        """A new dataset without versions yet; see `Workspace.add_dataset`."""
        name = valid_name(name)
        with self._database.write() as connection:
            if _row(connection, name) is not None:
                raise UserError(
                    f"A dataset called {shown(name)} is there already. Choose another name, or remove "
                    f"that one first: winnow rm {name}."
                )
            connection.execute(
                insert(datasets).values(name=name, key=same_name_key(name), source=source_text, created=now())
            )
            return self._record(connection, require(connection, name))

    def add_version(self, name: str, manifest: Manifest, what: str, parent: int | None) -> int:
        """The number of a new version with these examples; see `Workspace.add_version`."""
        digest = manifest.digest()
        self._blobs.flush()
        bytes_of = dict(zip(manifest.column("content"), manifest.column("bytes"), strict=True))
        # The write lock is held while the file is written, so the next number is ours alone. A kill in
        # between leaves a file without a row: nobody sees it, and the next version replaces it.
        with self._database.write() as connection:
            row = require(connection, name)
            newest = _newest(connection, row.id)
            if newest is not None and newest.digest == digest:
                return newest.number
            self._check_blobs(bytes_of)
            number = newest.number + 1 if newest is not None else 1
            path = self.manifest_path(row.name, number)
            manifest.write(path)
            make_names_durable(self._folder)
            connection.execute(
                insert(versions).values(
                    dataset_id=row.id,
                    number=number,
                    parent=parent,
                    digest=digest,
                    what=what,
                    examples=len(manifest),
                    classes=len(manifest.classes),
                    bytes=sum(bytes_of.values()),
                    created=now(),
                )
            )
        return number

    def manifest(self, name: str, version: int | None) -> Manifest:
        """The examples of a version, the newest by default."""
        # pyarrow costs 0.2 s to import: listing and finding must not pay for it.
        from winnow.data.manifest import Manifest

        return Manifest.read(self.find_version(name, version).path)

    def find_version(self, name: str, version: int | None) -> VersionRecord:
        """The record of a version, the newest by default.

        Raises:
            NotFoundError: no such dataset, no such version, or none at all yet.
        """
        known = self.versions(name)
        if not known:
            raise NotFoundError(f"Dataset {shown(name)} has no pictures yet. Import some: winnow import FOLDER.")
        if version is None:
            return known[-1]
        for record in known:
            if record.number == version:
                return record
        raise NotFoundError(
            f"Dataset '{known[0].dataset}' has no version {version}. It has the versions 1 to {known[-1].number}."
        )

    def versions(self, name: str) -> list[VersionRecord]:
        """All versions of a dataset, oldest first."""
        with self._database.read() as connection:
            row = require(connection, name)
            rows = connection.execute(
                select(versions).where(versions.c.dataset_id == row.id).order_by(versions.c.number)
            )
            return [self._version(row.name, version) for version in rows]

    def find(self, name: str) -> DatasetRecord:
        """The dataset of that name, whatever its case; NotFoundError with near names otherwise."""
        with self._database.read() as connection:
            return self._record(connection, require(connection, name))

    def all(self) -> list[DatasetRecord]:
        """All datasets by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(datasets).order_by(datasets.c.key)).all()
            return [self._record(connection, row) for row in rows]

    def manifest_path(self, name: str, number: int) -> Path:
        """Where the manifest of a version lies."""
        return self._folder / name / f"v{number:05d}.parquet"

    def _record(self, connection: Connection, row: Row[Any]) -> DatasetRecord:
        newest = _newest(connection, row.id)
        opened = connection.scalar(select(func.count()).where(openings.c.dataset_id == row.id))
        return DatasetRecord(
            name=row.name,
            source=row.source,
            created=row.created,
            newest=None if newest is None else self._version(row.name, newest),
            openings=opened or 0,
        )

    def _version(self, name: str, row: Row[Any]) -> VersionRecord:
        return VersionRecord(
            dataset=name,
            number=row.number,
            parent=row.parent,
            digest=row.digest,
            what=row.what,
            examples=row.examples,
            classes=row.classes,
            bytes=row.bytes,
            created=row.created,
            path=self.manifest_path(name, row.number),
        )

    def _check_blobs(self, contents: dict[str, int]) -> None:
        # Somebody may have removed another dataset, and with it pictures this import found already stored.
        missing = len(self._blobs.missing(contents))
        if missing:
            raise WorkspaceError(
                f"{missing} of the pictures vanished from the workspace while they were imported (was a "
                "dataset removed meanwhile?). Import again."
            )


def require(connection: Connection, name: str) -> Row[Any]:
    """The row of the dataset called `name`.

    Raises:
        NotFoundError: there is none; says which names are near.
    """
    row = _row(connection, name)
    if row is None:
        raise NotFoundError(f"No dataset is called {shown(name)}. {_hint(connection, name)}")
    return row


def now() -> str:
    """This moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _row(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(datasets).where(datasets.c.key == same_name_key(name))).first()


def _newest(connection: Connection, dataset_id: int) -> Row[Any] | None:
    ordered = select(versions).where(versions.c.dataset_id == dataset_id).order_by(versions.c.number.desc())
    return connection.execute(ordered.limit(1)).first()


def _hint(connection: Connection, name: str) -> str:
    known: Sequence[str] = connection.scalars(select(datasets.c.name)).all()
    if not known:
        return "There is none yet; make one: winnow import FOLDER."
    return did_you_mean(name, known, otherwise="See what is there: winnow list.")
