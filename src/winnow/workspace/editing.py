"""Edits: each is durable at once, applied to the newest version there is when it commits, and never lost.

Writers queue for SQLite's write lock. Inside it an edit is checked against the rows of the newest version, which this
process keeps in memory and brings up to date with what others wrote since; the dear part, reading a snapshot, is done
before.
"""

from __future__ import annotations

import getpass
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from winnow.errors import ConflictError, UserError
from winnow.workspace.database import Database
from winnow.workspace.datasets import DatasetStore, now, require
from winnow.workspace.history import RESTORE, History, restore_text
from winnow.workspace.records import VersionRecord
from winnow.workspace.tables import versions

if TYPE_CHECKING:
    from winnow.data.draft import Draft
    from winnow.data.edits import Edit

# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_INSERT = insert(versions)
_NEWS = (
    select(versions.c.number, versions.c.kind, versions.c.edits)
    .where(versions.c.dataset_id == bindparam("dataset"), versions.c.number > bindparam("known"))
    .order_by(versions.c.number)
)


@dataclass
class _Head:
    """The newest version of a dataset as far as this process knows it."""

    dataset: tuple[int, str]
    """Its id and when it was made: ids of removed datasets are given again."""
    since: int
    """The version whose rows were read; what changed before it is not in `changed_at`."""
    number: int
    draft: Draft
    changed_at: dict[int, int] = field(default_factory=dict[int, int])
    """Row → the newest version that changed it."""


class _OutdatedError(Exception):
    """Something came in that edits do not tell (an import, a restored version): read the rows anew."""


class Editor:
    """Edits the datasets of one workspace; keeps the rows of the one that was edited last."""

    def __init__(self, database: Database, store: DatasetStore, history: History) -> None:
        self._database = database
        self._store = store
        self._history = history
        self._head: _Head | None = None
        # Threads of one process queue here: that is fairer than SQLite's sleeping and trying again.
        self._lock = threading.Lock()

    def edit(
        self,
        name: str,
        edits: Sequence[Edit],
        who: str | None,
        expected_version: int | None,
        action: str | None = None,
    ) -> VersionRecord:
        """See `Workspace.edit`."""
        if not edits:
            raise UserError("There is no edit to make: give at least one.")
        with self._lock:
            while True:
                head = self._read_ahead(name)
                try:
                    return self._commit(name, head, edits, who or user_name(), expected_version, action)
                except _OutdatedError:
                    self._head = None

    def prepare(self, name: str) -> None:
        """See `Workspace.prepare_edits`."""
        with self._lock:
            self._read_ahead(name)

    def restore(self, name: str, version: int, who: str | None) -> VersionRecord:
        """See `Workspace.restore`."""
        with self._database.write() as connection:
            dataset = require(connection, name)
            target = self._store.find_in(connection, dataset, version)
            newest = self._store.find_in(connection, dataset, None)
            if target.number == newest.number:
                return newest
            values = {
                "digest": target.digest,
                "what": f"restored version {target.number}",
                "examples": target.examples,
                "classes": target.classes,
                "bytes": target.bytes,
                "kind": RESTORE,
                "edits": restore_text(target.number),
            }
            return self._insert(connection, dataset, newest.number, who or user_name(), values)

    def _read_ahead(self, name: str) -> _Head:
        """The newest version's rows as this process knows them; read before anybody is kept waiting."""
        if self._head is None:
            from winnow.data.draft import Draft

            with self._database.read() as connection:
                dataset = require(connection, name)
                number = self._store.find_in(connection, dataset, None).number
                draft = Draft(self._history.manifest(connection, dataset, number))
            self._head = _Head((dataset.id, dataset.created), number, number, draft)
        return self._head

    def _catch_up(self, connection: Connection, dataset: Row[Any], head: _Head) -> None:
        from winnow.data.edits import apply_all, from_json

        if head.dataset != (dataset.id, dataset.created):
            raise _OutdatedError
        news = connection.execute(_NEWS, {"dataset": dataset.id, "known": head.number}).all()
        if any(row.edits is None or row.kind == RESTORE for row in news):
            raise _OutdatedError
        for row in news:
            number = int(row.number)
            with head.draft.attempt():
                apply_all(from_json(row.edits), head.draft)
                head.changed_at.update(dict.fromkeys(head.draft.touched, number))
            head.number = number

    def _commit(
        self,
        name: str,
        head: _Head,
        edits: Sequence[Edit],
        who: str,
        expected_version: int | None,
        action: str | None,
    ) -> VersionRecord:
        from winnow.data.edits import apply_all, to_json

        is_applied = False
        try:
            with self._database.write_often() as connection:
                dataset = require(connection, name)
                if (stored := self._store.find_action(connection, dataset, action)) is not None:
                    return stored
                self._catch_up(connection, dataset, head)
                self._refuse_conflict(connection, dataset, head, edits, expected_version)
                with head.draft.attempt():
                    said = apply_all(edits, head.draft)
                    touched = head.draft.touched
                is_applied = True
                values = {
                    "digest": None,
                    "what": said,
                    "examples": len(head.draft),
                    "classes": head.draft.n_classes,
                    "bytes": head.draft.bytes,
                    "kind": edits[0].kind if len(edits) == 1 else "edits",
                    "edits": to_json(edits),
                    "action": action,
                }
                record = self._insert(connection, dataset, head.number, who, values)
        except BaseException:
            if is_applied:  # in memory, but not in the database: only what is there counts
                self._head = None
            raise
        head.number = record.number
        head.changed_at.update(dict.fromkeys(touched, record.number))
        return record

    def _insert(
        self, connection: Connection, dataset: Row[Any], parent: int, who: str, values: dict[str, Any]
    ) -> VersionRecord:
        values |= {"number": parent + 1, "parent": parent, "created": now(), "who": who, "has_snapshot": False}
        connection.execute(_INSERT, {"dataset_id": dataset.id, **values})
        del values["edits"]
        return VersionRecord(dataset=dataset.name, path=self._history.path(dataset.name, parent + 1), **values)

    def _refuse_conflict(
        self, connection: Connection, dataset: Row[Any], head: _Head, edits: Sequence[Edit], expected: int | None
    ) -> None:
        if expected is None or expected == head.number:
            return
        self._store.find_in(connection, dataset, expected)
        pictures = [picture for edit in edits for picture in edit.pictures]
        if expected >= head.since:
            changed = [
                picture
                for picture in pictures
                if any(head.changed_at.get(row, 0) > expected for row in head.draft.rows_ever(picture))
            ]
        else:
            from winnow.data.draft import Draft

            before = Draft(self._history.manifest(connection, dataset, expected))
            changed = [picture for picture in pictures if before.facts(picture) != head.draft.facts(picture)]
        if changed:
            raise ConflictError(
                f"Somebody changed '{changed[0]}'{_and_more(len(changed))} after version {expected}; the newest is "
                f"{head.number}. Look at the changes (winnow diff {dataset.name} {expected} {head.number}) and decide "
                "again."
            )


def user_name() -> str:
    """Who is at work, as the system calls them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "unknown"


def _and_more(count: int) -> str:
    return f" and {count - 1} more pictures" if count > 2 else " and 1 more picture" if count == 2 else ""
