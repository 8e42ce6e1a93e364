"""Datasets and their immutable, numbered versions: rows in the database, examples in Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select

from winnow.data.blobs import BlobStore
from winnow.errors import NotFoundError, UserError, WorkspaceError, did_you_mean
from winnow.workspace.database import Database
from winnow.workspace.history import RESTORE, History
from winnow.workspace.names import same_name_key, shown, valid_name
from winnow.workspace.records import DatasetRecord, EditEvent, VersionRecord
from winnow.workspace.tables import datasets, openings, versions

if TYPE_CHECKING:
    from winnow.data.edits import Edit
    from winnow.data.manifest import Manifest

# Made once: every edit asks it, and SQLAlchemy takes longer to build a statement than SQLite to run it.
_BY_KEY = select(datasets).where(datasets.c.key == bindparam("key"))
_NEWEST = versions.c.number.desc()
# Edits may be long, and lists of versions do not show them.
_COLUMNS = tuple(column for column in versions.columns if column.name != "edits")
_BY_ACTION = select(*_COLUMNS).where(
    versions.c.dataset_id == bindparam("dataset"), versions.c.action == bindparam("action")
)
# What makes a version's rows whatever was there before.
_REPLACING = ("import", RESTORE)
BRINGING = ("import", "add", "change")
"""Kinds of versions that may hold pictures no version before them has."""


class DatasetStore:
    """The datasets of one workspace and what was imported into them."""

    def __init__(self, database: Database, blobs: BlobStore, history: History) -> None:
        self._database = database
        self._blobs = blobs
        self._history = history

    def add(self, name: str, source_text: str) -> DatasetRecord:
        """A new dataset without versions yet; see `Workspace.add_dataset`."""
        name = valid_name(name)
        with self._database.write() as connection:
            if _row(connection, name) is not None:
                raise UserError(
                    f"A dataset called {shown(name)} is there already. Choose another name, or remove "
                    f"that one first: winnow rm {name}."
                )
            # To the microsecond: SQLite gives the id of a removed dataset again, and only this tells them apart.
            created = datetime.now(UTC).isoformat(timespec="microseconds")
            connection.execute(
                insert(datasets).values(name=name, key=same_name_key(name), source=source_text, created=created)
            )
            return self._record(connection, require(connection, name))

    def add_version(self, name: str, manifest: Manifest, what: str, parent: int | None, who: str) -> int:
        """The number of a new version with these examples; see `Workspace.add_version`."""
        with ThreadPoolExecutor(1, thread_name_prefix="digest") as pool:  # of many pictures, it takes a while
            digest = pool.submit(manifest.digest)
            self._blobs.flush()
            if not self._is_empty(name):
                digest.result()  # before others have to wait for us
            # The write lock is held while the file is written, so the next number is ours alone. A kill in
            # between leaves a file without a row: nobody sees it, and the next version replaces it.
            with self._database.write() as connection:
                dataset = require(connection, name)
                newest = newest_version(connection, dataset.id)
                if newest is not None and self._is_known(
                    connection, dataset, newest, manifest, digest.result(), parent
                ):
                    return newest.number
                kind = "import" if parent is None else "change"
                return self._insert(connection, dataset, newest, manifest, digest.result, what, parent, kind, who)

    def join(self, name: str, manifest: Manifest, what: str, base: int, who: str, action: str | None = None) -> int:
        """The number of a version that has more pictures than version `base`; see `Workspace.join`."""
        digest = manifest.digest()
        self._blobs.flush()
        with self._database.write() as connection:
            dataset = require(connection, name)
            if (stored := self.find_action(connection, dataset, action)) is not None:
                return stored.number
            newest = newest_version(connection, dataset.id)
            if newest is not None and newest.number != base:
                # Somebody was quicker: what they did must not be undone.
                before, after = (self._history.manifest(connection, dataset, n) for n in (base, newest.number))
                from winnow.data.joining import rejoined

                manifest = rejoined(before, manifest, after)
                digest = manifest.digest()
            if newest is not None and self._has_rows(connection, dataset, newest, manifest, digest):
                return newest.number
            parent = None if newest is None else newest.number
            return self._insert(connection, dataset, newest, manifest, lambda: digest, what, parent, "add", who, action)

    def find_version(self, name: str, version: int | None) -> VersionRecord:
        """The record of a version, the newest by default.

        Raises:
            NotFoundError: no such dataset, no such version, or none at all yet.
        """
        with self._database.read() as connection:
            return self.find_in(connection, require(connection, name), version)

    def find_in(self, connection: Connection, dataset: Row[Any], version: int | None) -> VersionRecord:
        """The same, inside a transaction."""
        newest = newest_version(connection, dataset.id)
        if newest is None:
            raise NotFoundError(
                f"Dataset {shown(dataset.name)} has no pictures yet. Import some: winnow import FOLDER."
            )
        if version is None or version == newest.number:
            return self._version(dataset.name, newest)
        # A number beyond all versions may be beyond the database's integers, too.
        is_one = 1 <= version <= newest.number
        found = connection.execute(_of(dataset.id).where(versions.c.number == version)).first() if is_one else None
        if found is None:
            raise NotFoundError(
                f"Dataset '{dataset.name}' has no version {version}. It has the versions 1 to {newest.number}."
            )
        return self._version(dataset.name, found)

    def find_action(self, connection: Connection, dataset: Row[Any], action: str | None) -> VersionRecord | None:
        """The version that an action made, if it was stored before; None where there is no action."""
        if action is None:
            return None
        row = connection.execute(_BY_ACTION, {"dataset": dataset.id, "action": action}).first()
        return None if row is None else self._version(dataset.name, row)

    def events(self, name: str, since: int) -> list[EditEvent]:
        """What happened to a dataset after a version; see `Workspace.events`."""
        from winnow.data.edits import from_json

        with self._database.read() as connection:
            dataset = require(connection, name)
            of_dataset = (versions.c.dataset_id == dataset.id) & (versions.c.number > since)
            rows = connection.execute(select(versions).where(of_dataset).order_by(versions.c.number)).all()
        return [
            EditEvent(
                self._version(dataset.name, row),
                None if row.edits is None or row.kind == RESTORE else from_json(row.edits),
            )
            for row in rows
        ]

    def versions(self, name: str) -> list[VersionRecord]:
        """All versions of a dataset, oldest first."""
        with self._database.read() as connection:
            dataset = require(connection, name)
            rows = connection.execute(_of(dataset.id).order_by(versions.c.number))
            return [self._version(dataset.name, version) for version in rows]

    def manifest(self, name: str, version: int | None) -> Manifest:
        """The examples of a version, the newest by default."""
        dataset, number = self._place(name, version)
        return self._history.manifest_for_reading(dataset, number)

    def keep_version(self, name: str, version: int | None) -> VersionRecord:
        """Give a version a snapshot and a digest; see `Workspace.keep_version`."""
        dataset, number = self._place(name, version)
        record = self.find_version(name, number)
        if record.digest is None or not record.has_snapshot:
            self._history.keep(dataset, number)
            record = self.find_version(name, number)
        return record

    def find(self, name: str) -> DatasetRecord:
        """The dataset of that name, whatever its case; NotFoundError with near names otherwise."""
        with self._database.read() as connection:
            return self._record(connection, require(connection, name))

    def all(self) -> list[DatasetRecord]:
        """All datasets by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(datasets).order_by(datasets.c.key)).all()
            return [self._record(connection, row) for row in rows]

    def edited_pictures(self, name: str) -> set[str]:
        """The pictures that edits have changed; see `Workspace.edited_pictures`."""
        from winnow.data.draft import Draft
        from winnow.data.edits import apply_all

        found: set[str] = set()
        with self._database.read() as connection:
            dataset = require(connection, name)
            for number, edits in self._edits(connection, dataset):
                found.update(picture for edit in edits for picture in edit.pictures)
                if any(not edit.pictures for edit in edits):  # of whole classes: who was in them then?
                    draft = Draft(self._history.manifest(connection, dataset, number - 1))
                    with draft.attempt():
                        apply_all(edits, draft)
                        found.update(draft.value("source", row) for row in draft.touched)
        return found

    def dropped_pictures(self, name: str) -> set[tuple[str, str]]:
        """The pictures that edits have taken out; see `Workspace.dropped_pictures`."""
        from winnow.data.edits import Remove

        with self._database.read() as connection:
            dataset = require(connection, name)
            made = self._edits(connection, dataset)
            named = {
                picture for _, edits in made for edit in edits if isinstance(edit, Remove) for picture in edit.pictures
            }
            brought = versions.c.kind.in_(BRINGING) & (versions.c.dataset_id == dataset.id)
            numbers = connection.scalars(select(versions.c.number).where(brought)).all() if named else ()
            found: set[tuple[str, str]] = set()
            for number in numbers:
                manifest = self._history.manifest(connection, dataset, number)
                rows = zip(manifest.column("source"), manifest.column("content"), strict=True)
                found.update(row for row in rows if not named.isdisjoint(row))
        return found

    def _edits(self, connection: Connection, dataset: Row[Any]) -> list[tuple[int, tuple[Edit, ...]]]:
        """Every edit there was, by the number of the version that it made."""
        from winnow.data.edits import from_json

        of_edits = versions.c.edits.is_not(None) & (versions.c.kind != RESTORE) & (versions.c.dataset_id == dataset.id)
        query = select(versions.c.number, versions.c.edits).where(of_edits).order_by(versions.c.number)
        return [(int(row.number), from_json(row.edits)) for row in connection.execute(query)]

    def _place(self, name: str, version: int | None) -> tuple[Row[Any], int]:
        with self._database.read() as connection:
            dataset = require(connection, name)
            return dataset, self.find_in(connection, dataset, version).number

    def _is_empty(self, name: str) -> bool:
        """Has the dataset no version yet?"""
        with self._database.read() as connection:
            return newest_version(connection, require(connection, name).id) is None

    def _is_known(
        self,
        connection: Connection,
        dataset: Row[Any],
        newest: Row[Any],
        manifest: Manifest,
        digest: str,
        parent: int | None,
    ) -> bool:
        """Would these rows be nothing new? Then edits made since the same files were last imported stay."""
        if self._has_rows(connection, dataset, newest, manifest, digest):
            return True
        last = connection.execute(_of(dataset.id).where(versions.c.kind.in_(_REPLACING)).order_by(_NEWEST).limit(1))
        row = last.first()
        return parent is None and row is not None and row.kind == "import" and row.digest == digest

    def _has_rows(
        self, connection: Connection, dataset: Row[Any], version: Row[Any], manifest: Manifest, digest: str
    ) -> bool:
        if version.digest is not None or version.examples != len(manifest):
            return version.digest == digest
        return self._history.manifest(connection, dataset, version.number).digest() == digest

    def _insert(
        self,
        connection: Connection,
        dataset: Row[Any],
        newest: Row[Any] | None,
        manifest: Manifest,
        digest: Callable[[], str],
        what: str,
        parent: int | None,
        kind: str,
        who: str,
        action: str | None = None,
    ) -> int:
        bytes_of = dict(zip(manifest.column("content"), manifest.column("bytes"), strict=True))
        number = newest.number + 1 if newest is not None else 1
        with ThreadPoolExecutor(1, thread_name_prefix="snapshot") as pool:  # each takes a while for many pictures
            written = pool.submit(self._history.write, dataset.name, number, manifest)
            self._check_blobs(bytes_of)
            written.result()
        connection.execute(
            insert(versions).values(
                dataset_id=dataset.id,
                number=number,
                parent=parent,
                digest=digest(),
                what=what,
                examples=len(manifest),
                classes=len(manifest.classes),
                bytes=sum(bytes_of.values()),
                created=now(),
                kind=kind,
                who=who,
                has_snapshot=True,
                action=action,
            )
        )
        return number

    def _record(self, connection: Connection, row: Row[Any]) -> DatasetRecord:
        newest = newest_version(connection, row.id)
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
            kind=row.kind,
            who=row.who,
            has_snapshot=row.has_snapshot,
            path=self._history.path(name, row.number),
            action=row.action,
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


def newest_version(connection: Connection, dataset_id: int) -> Row[Any] | None:
    """The newest version of a dataset (without its edits), or None."""
    return connection.execute(_of(dataset_id).order_by(_NEWEST).limit(1)).first()


def now() -> str:
    """This moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _row(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(_BY_KEY, {"key": same_name_key(name)}).first()


def _of(dataset_id: int) -> Select[Any]:
    return select(*_COLUMNS).where(versions.c.dataset_id == dataset_id)


def _hint(connection: Connection, name: str) -> str:
    known: Sequence[str] = connection.scalars(select(datasets.c.name)).all()
    if not known:
        return "There is none yet; make one: winnow import FOLDER."
    return did_you_mean(name, known, otherwise="See what is there: winnow list.")
