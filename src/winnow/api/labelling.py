"""Label: the rows of a dataset as they are now, while several people edit them; and edits that can be taken back."""

from __future__ import annotations

import dataclasses
import secrets
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from winnow.data.differences import differences
from winnow.data.draft import Draft
from winnow.data.edits import Edit, MoveToSplit, Relabel, Remove, RenameClass, SetGroup, apply_all, edited
from winnow.data.manifest import Manifest
from winnow.errors import NotFoundError, UserError
from winnow.workspace.records import EditEvent, VersionRecord
from winnow.workspace.workspace import Workspace

Labels = tuple[str, ...] | None
_STEPS = 2000
_UNDO = ":undo:"


class Board:
    """The newest version of a dataset in memory, row by row; several threads may use it.

    A row keeps its number as long as `epoch` stays; removed rows keep theirs, too.

    Attributes:
        workspace: that holds the dataset.
        name: of the dataset.
        epoch: changes when the rows were read anew, because of an import or a restored version.
        version: that is shown.
        task: "classify" or "multilabel".
        sources: (N,) as the user knows them.
        contents: (N,) SHA-256 of the files.
        labels: (N,) tuples; None: unlabelled.
        splits: (N,).
        is_there: (N,) False for rows that were removed since the rows were read.
        log: all versions, oldest first.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self._lock = threading.RLock()
        self._read()

    def _read(self) -> None:
        record = self.workspace.find_dataset(self.name)
        self.name, self._created = record.name, record.created
        self.log = self.workspace.versions(self.name)
        self.version = self.workspace.find_version(self.name).number
        self.log = self.log[: self.version]  # what came in between is told by the next look at the events
        manifest = self.workspace.manifest(self.name, self.version)
        self._draft = Draft(manifest)
        self.epoch = secrets.token_hex(4)
        self.sources: list[str] = manifest.column("source")
        self.contents: list[str] = manifest.column("content")
        self.labels: list[Labels] = [None if many is None else tuple(many) for many in manifest.column("labels")]
        self.splits: list[str] = manifest.column("split")
        self.phashes: list[bytes] = manifest.column("phash")
        self.is_there = np.ones(len(manifest), dtype=np.bool_)
        self._counts: tuple[int, int, dict[str, int]] = (0, 0, {})
        self._changed_at = np.zeros(len(manifest), dtype=np.int64)

    @property
    def task(self) -> str:
        """What a picture may have: one class, or several."""
        return self._draft.task

    @property
    def class_counts(self) -> dict[str, int]:
        """Pictures of each class, by name."""
        counts = self._draft.class_counts
        return {name: counts[name] for name in self._draft.classes}

    @property
    def n_unlabelled(self) -> int:
        """Pictures without a label."""
        return self._counted()[1]

    @property
    def split_counts(self) -> dict[str, int]:
        """Pictures of each split, by name."""
        return self._counted()[2]

    def _counted(self) -> tuple[int, int, dict[str, int]]:
        with self._lock:
            if self._counts[0] != self.version:
                there = np.flatnonzero(self.is_there).tolist()
                splits = Counter(self.splits[row] for row in there)
                ordered = {split: splits[split] for split in ("train", "validation", "test") if splits[split]}
                self._counts = self.version, sum(self.labels[row] is None for row in there), ordered
            return self._counts

    def __len__(self) -> int:
        return len(self._draft)

    @contextmanager
    def held(self) -> Generator[None]:
        """Rows keep their numbers meanwhile: an import that ends in between would give them to other pictures."""
        with self._lock:
            yield

    def catch_up(self) -> None:
        """Take in what was done since, by anybody.

        Raises:
            NotFoundError: the dataset is gone.
        """
        with self._lock:
            if self.workspace.find_dataset(self.name).created != self._created:
                return self._read()
            for event in self.workspace.events(self.name, self.version):
                if event.edits is None:
                    return self._read()
                self._apply(event)
        return None

    def _apply(self, event: EditEvent) -> None:
        draft, number = self._draft, event.version.number
        with draft.attempt():
            apply_all(event.edits or (), draft)
            touched = sorted(draft.touched)
        for row in touched:
            self.is_there[row] = not draft.is_removed(row)
            self.labels[row], self.splits[row] = draft.value("labels", row), draft.value("split", row)
        self._changed_at[touched] = number
        self.version = number
        self.log.append(event.version)

    def changed_since(self, version: int) -> list[int]:
        """The rows that were edited after a version."""
        return np.flatnonzero(self._changed_at > version).tolist()

    def place(self, picture: str) -> int:
        """The first row of a picture by its source; NotFoundError if there is none."""
        with self._lock:
            return self._draft.rows(picture)[0]

    def chosen(self, which: str) -> list[int]:
        """The rows of a filter, in order: "all", "unlabelled", "class:cirrus", "split:test".

        Raises:
            UserError: no filter is called so.
        """
        kind, _, value = which.partition(":")
        with self._lock:
            there = np.flatnonzero(self.is_there).tolist()
            match kind:
                case "all":
                    return there
                case "unlabelled":
                    return [row for row in there if self.labels[row] is None]
                case "class":
                    return [row for row in there if value in (self.labels[row] or ())]
                case "split":
                    return [row for row in there if self.splits[row] == value]
                case _:
                    raise UserError(f"There is no filter '{which}': choose all, unlabelled, class:NAME or split:NAME.")

    def missing(self, pictures: Sequence[str]) -> set[str]:
        """Those of these pictures that are not there (any more)."""
        with self._lock:
            gone: set[str] = set()
            for picture in pictures:
                try:
                    self._draft.rows(picture)
                except NotFoundError:
                    gone.add(picture)
            return gone

    def steps(self, client: str) -> tuple[list[int], list[int]]:
        """What one visitor can undo and redo: the numbers of versions to take back, the next one last.

        Args:
            client: what the visitor's actions are named after, as in "client:17".
        """
        undo: list[int] = []
        redo: list[int] = []
        for record in self.log[-_STEPS:]:
            if record.action is None or not record.action.startswith(client + ":"):
                continue
            taken = taken_back(record)
            if taken in undo:
                undo.remove(taken)
                redo.append(record.number)
            elif taken in redo:
                redo.remove(taken)
                undo.append(record.number)
            else:
                undo.append(record.number)
                redo.clear()
        return undo, redo


def undo_action(client: str, version: int) -> str:
    """The name of the action that takes a version back: a visitor does so once."""
    return f"{client}{_UNDO}{version}"


def taken_back(record: VersionRecord) -> int | None:
    """The version that this one took back; None if it is no such step."""
    _, mark, number = (record.action or "").partition(_UNDO)
    return int(number) if mark and number.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action.

    Attributes:
        record: the version that it made.
        gone: pictures it named that somebody else had removed meanwhile: the others were changed.
    """

    record: VersionRecord
    gone: tuple[str, ...] = ()


def act(board: Board, edits: Sequence[Edit], *, who: str, action: str) -> Done:
    """Store one action of a visitor, once, however often it is sent.

    Args:
        board: of the dataset.
        edits: what to change.
        who: did it, for the log.
        action: its name, that no other action has.

    Raises:
        NotFoundError: none of the pictures is there any more, or a class is not.
        UserError: an edit makes no sense.
    """
    try:
        done = Done(board.workspace.edit(board.name, edits, who=who, action=action))
    except NotFoundError:
        board.catch_up()
        gone = board.missing([picture for edit in edits for picture in edit.pictures])
        left = [kept for edit in edits if (kept := _without(edit, gone)) is not None]
        if not gone or not left:
            raise
        done = Done(board.workspace.edit(board.name, left, who=who, action=action), tuple(sorted(gone)))
    board.catch_up()
    return done


def _without(edit: Edit, gone: set[str]) -> Edit | None:
    if not edit.pictures:
        return edit
    if isinstance(edit, Relabel):
        labels = {picture: labels for picture, labels in edit.labels.items() if picture not in gone}
        return Relabel(labels) if labels else None
    pictures = [picture for picture in edit.pictures if picture not in gone]
    changed: Any = edit
    return dataclasses.replace(changed, pictures=pictures) if pictures else None


def take_back(
    workspace: Workspace, name: str, version: int, *, who: str | None = None, action: str | None = None
) -> VersionRecord:
    """A new version in which one edit is undone; what was done to the same pictures since stays.

    Added pictures are taken out, removed ones come back (at the end), labels, splits and groups are what they were.
    Of merged classes, the labels of boxes stay merged.

    Args:
        workspace: that holds the dataset.
        name: of the dataset.
        version: that the edit made.
        who: takes it back; default: the user of this process.
        action: as in `Workspace.edit`.

    Raises:
        NotFoundError: no such dataset or version.
        UserError: it was an import or a restored version, or nothing of it is left.
    """
    record = workspace.find_version(name, version)
    if record.parent is None or record.kind in ("import", "restore", "change"):
        raise UserError(
            f"Version {version} replaced all rows: it cannot be taken back alone. Go back with "
            f"winnow restore {name} {record.parent or 1}."
        )
    before, after = workspace.manifest(name, record.parent), workspace.manifest(name, version)
    newest = workspace.find_version(name)
    now = workspace.manifest(name, newest.number)
    edits = _inverse(workspace, record, before, after, now)
    back = _gone_and_wanted(before, after, now)
    if not edits and not len(back):
        raise UserError(f"Nothing of version {version} is left to take back: somebody has changed the same since.")
    if not len(back):
        return workspace.edit(name, edits, who=who, action=action)
    manifest = Manifest(pa.concat_tables([now.table, back]), now.provenance, now.task)
    if edits:
        manifest, _ = edited(manifest, edits)
    said = f"brought {len(back):,} picture{'' if len(back) == 1 else 's'} back"
    number = workspace.join(name, manifest, said, newest.number, who=who, action=action)
    return workspace.find_version(name, number)


def _inverse(
    workspace: Workspace, record: VersionRecord, before: Manifest, after: Manifest, now: Manifest
) -> list[Edit]:
    """The edits that lead back, of what is still as the version left it."""
    (event, *_) = workspace.events(record.dataset, record.number - 1)
    if event.edits is not None and len(event.edits) == 1 and isinstance(event.edits[0], RenameClass):
        edit = event.edits[0]
        if edit.new in now.classes and edit.old not in now.classes:
            return [RenameClass(edit.new, edit.old)]
    changed = differences(before, after)
    since = differences(after, now)
    edits: list[Edit] = []
    touched = {change.source for change in since.relabelled} | set(since.removed)
    labels = {change.source: change.before for change in changed.relabelled if change.source not in touched}
    if labels:
        edits.append(Relabel(labels))
    touched = {change.source for change in since.moved} | set(since.removed)
    for split in sorted({change.before for change in changed.moved}):
        moved = [one.source for one in changed.moved if one.before == split and one.source not in touched]
        if moved:
            edits.append(MoveToSplit(moved, split))
    touched = {change.source for change in since.regrouped} | set(since.removed)
    for group in {change.before for change in changed.regrouped}:
        members = [one.source for one in changed.regrouped if one.before == group and one.source not in touched]
        if members:
            edits.append(SetGroup(members, group))
    added = [source for source in changed.added if source not in set(since.removed)]
    return [*edits, Remove(added)] if added else edits


def _gone_and_wanted(before: Manifest, after: Manifest, now: Manifest) -> pa.Table:
    """The rows that the version took out and that nobody has brought back."""
    removed = set(differences(before, after).removed) - set(now.column("source"))
    rows: npt.NDArray[np.int64] = np.flatnonzero([source in removed for source in before.column("source")])
    return before.table.take(pa.array(rows))
