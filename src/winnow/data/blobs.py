"""The workspace's copies of files, named by content: equal files are kept once, damage is noticed.

Small files lie together in one SQLite file: writing 100,000 digits of 300 bytes takes a second, where a file each
takes a minute (https://sqlite.org/fasterthanfs.html). Large ones are files. A file may also stay where the user has
it: then only its place is kept, and its content is checked whenever it is read.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from winnow.data.sqlite_file import SqliteFile
from winnow.data.whole_files import disk_errors, make_names_durable, write_whole
from winnow.errors import NotFoundError, WorkspaceError

# Up to about 100 KB SQLite reads faster than a filesystem does; half of that keeps rewriting cheap.
SMALL_BYTES = 64 * 1024
_AT_ONCE = 500
_ASKED_AT_ONCE = 8192

_TABLES = """
CREATE TABLE IF NOT EXISTS small (content BLOB NOT NULL UNIQUE, data BLOB NOT NULL, added REAL NOT NULL);
CREATE TABLE IF NOT EXISTS folders (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS places (
    content BLOB NOT NULL, folder INTEGER NOT NULL REFERENCES folders (id), path BLOB NOT NULL, bytes INTEGER NOT NULL,
    added REAL NOT NULL, PRIMARY KEY (content, folder, path)
) WITHOUT ROWID;
"""


class BlobStore:
    """Files by the SHA-256 of their content; many threads and processes may read and write at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._database = SqliteFile(self.folder / "small.db", _TABLES, "the workspace's pictures")
        self._known_folders: set[Path] = set()
        self._new: list[Path] = []
        self._lock = threading.Lock()

    def put(self, data: bytes) -> str:
        """Keep `data` and give its name (SHA-256, hex). Call `flush` before anything durable names it.

        Raises:
            WorkspaceError: no space, no permission.
        """
        content = hashlib.sha256(data).hexdigest()
        self.put_many([(content, data)])
        return content

    def put_many(self, named: Iterable[tuple[str, bytes]]) -> None:
        """`put` for several files whose names (content, data) are known already; small ones in one transaction.

        Raises:
            WorkspaceError: no space, no permission.
        """
        small: list[tuple[bytes, bytes, float]] = []
        for content, data in named:
            if len(data) <= SMALL_BYTES:
                small.append((bytes.fromhex(content), data, time.time()))
            else:
                self._put_file(content, data)
        if small:
            with self._database.write() as connection:
                self._database.insert(connection, "INSERT OR IGNORE INTO small", small)

    def refer(self, folder: Path, named: Iterable[tuple[str, Path, int]]) -> None:
        """Keep the places of files instead of copies: (content, path, bytes), each below `folder`.

        Raises:
            WorkspaceError: no space, no permission.
        """
        with self._database.write() as connection:
            root = os.fsencode(folder.resolve())
            connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (root,))
            number = connection.execute("SELECT id FROM folders WHERE path = ?", (root,)).fetchone()[0]
            rows = [
                (bytes.fromhex(content), number, os.fsencode(path.relative_to(folder)), size, time.time())
                for content, path, size in named
            ]
            self._database.insert(connection, "INSERT OR IGNORE INTO places", rows)

    def folders(self) -> dict[Path, int]:
        """The folders of the user that hold files kept in place, and how many."""
        if not self._database.is_there():
            return {}
        query = "SELECT f.path, count(p.content) FROM folders f LEFT JOIN places p ON p.folder = f.id GROUP BY f.id"
        return {Path(os.fsdecode(path)): count for path, count in self._database.read(query)}

    def relink(self, old: Path, new: Path) -> int:
        """Files that were kept in place below `old` lie below `new` now; gives how many.

        Raises:
            NotFoundError: no files were kept in place there, or the contents of some lie nowhere in `new`.
        """
        old, new = old.expanduser().absolute(), new.resolve()
        query = "SELECT p.content, p.path, p.bytes FROM places p JOIN folders f ON f.id = p.folder WHERE f.path = ?"
        kept = list(self._database.read(query, os.fsencode(old))) if self._database.is_there() else []
        if not kept:
            known = ", ".join(str(folder) for folder in self.folders()) or "none"
            raise NotFoundError(f"No pictures were kept in place in {old}. Folders with such pictures: {known}.")
        # Contents are checked whenever they are read; a wrong folder shows itself by names and sizes. A file that was
        # renamed and imported again has a place under each name, and lies at one of them.
        here = {content for content, path, size in kept if _has_size(new / os.fsdecode(path), size)}
        gone = [path for content, path, _ in kept if content not in here]
        if gone:
            raise NotFoundError(
                f"{len(gone)} of {len(kept)} pictures are not in {new}, or not the same "
                f"(the first: {os.fsdecode(gone[0])}). Give the folder that was moved, with all that was in it, or "
                "import it from there (winnow import --in-place)."
            )
        if os.fsencode(new) != os.fsencode(old):
            self._move_places(os.fsencode(old), os.fsencode(new))
        return len(kept)

    def read(self, content: str) -> bytes:
        """The bytes of `content`, checked against their name.

        Raises:
            WorkspaceError: the copy is missing, unreadable or damaged; a file kept in place has moved or changed.
        """
        data = self._small(content)
        path = self.path(content)
        if data is None and not path.exists() and (places := self._places(content)):
            return _read_in_place(places, content)
        if data is None:
            data = _read_copy(path)
        if hashlib.sha256(data).hexdigest() != content:
            raise WorkspaceError(
                f"The workspace's copy {path if path.exists() else content} is damaged (its content does not match "
                "its name): import the dataset again to restore it."
            )
        return data

    def path(self, content: str) -> Path:
        """Where a large file of that content lies or would lie."""
        return self.folder / content[:2] / content

    def has(self, content: str) -> bool:
        """Is `content` there?"""
        return not self.missing([content])

    def missing(self, contents: Iterable[str]) -> list[str]:
        """Those of `contents` of which there is neither a copy nor a place, in their order."""
        lost: list[str] = []
        left = iter(contents)
        while some := list(islice(left, _ASKED_AT_ONCE)):
            unknown = self._unknown(some)
            lost += [content for content in some if content in unknown and not self.path(content).is_file()]
        return lost

    def uncopied(self, sizes: Mapping[str, int]) -> set[str]:
        """Those of these contents (with their sizes in bytes) of which there is no whole copy here.

        Raises:
            WorkspaceError: the copies cannot be read.
        """
        small = [bytes.fromhex(content) for content, size in sizes.items() if size <= SMALL_BYTES]
        rows = self._database.find("content", "small", small) if small and self._database.is_there() else ()
        copied = {content.hex() for (content,) in rows}
        copied |= {
            content for content, size in sizes.items() if size > SMALL_BYTES and _has_size(self.path(content), size)
        }
        return sizes.keys() - copied

    def contents(self, *, older_than_s: float = 0.0) -> Iterator[str]:
        """The names of all copies and of all files kept in place that were put at least so many seconds ago."""
        latest = time.time() - older_than_s
        in_database: set[str] = set()
        if self._database.is_there():
            query = "SELECT content FROM small WHERE added <= ?1 UNION SELECT content FROM places WHERE added <= ?1"
            in_database = {content.hex() for (content, *_) in self._database.read(query, latest)}
        yield from in_database
        for path in self._files():
            if path.name not in in_database and path.stat().st_mtime <= latest:
                yield path.name

    def size_of(self, content: str) -> int:
        """Bytes that the copy of `content` takes in the workspace; 0 where there is none."""
        query = "SELECT length(data) FROM small WHERE content = ?"
        if self._database.is_there() and (row := self._database.first(query, bytes.fromhex(content))) is not None:
            return int(row[0])
        try:
            return self.path(content).stat().st_size
        except OSError:
            return 0

    def remove(self, contents: Iterable[str]) -> int:
        """Forget copies and places; gives the bytes that were freed. Files of the user's are left alone.

        Raises:
            WorkspaceError: the disk refused.
        """
        left = iter(contents)
        freed = 0
        while batch := list(islice(left, _AT_ONCE)):
            freed += sum(self.size_of(content) for content in batch)
            for content in batch:
                with disk_errors("remove", self.path(content)):
                    self.path(content).unlink(missing_ok=True)
            if self._database.is_there():
                keys = [(bytes.fromhex(content),) for content in batch]
                with self._database.write() as connection:
                    connection.executemany("DELETE FROM small WHERE content = ?", keys)
                    connection.executemany("DELETE FROM places WHERE content = ?", keys)
        return freed

    def flush(self) -> None:
        """Wait until the disk holds all that was put, so that it survives a power cut.

        Raises:
            WorkspaceError: the disk refused.
        """
        with self._lock:
            new, self._new = self._new, []
        if not new and not self._database.is_dirty:
            return
        with disk_errors("write", self.folder):
            # On Linux one sync waits for all files at once, where file by file takes milliseconds each.
            # Elsewhere sync does not wait, or does not exist.
            if sys.platform == "linux":
                os.sync()
            else:
                for path in [*new, *self._database.files()]:
                    with path.open("rb+") as file:
                        os.fsync(file.fileno())
                for folder in {path.parent for path in new} | {self.folder}:
                    make_names_durable(folder)
        self._database.is_dirty = False

    def _put_file(self, content: str, data: bytes) -> None:
        path = self.path(content)
        if _has_size(path, len(data)):
            return
        with disk_errors("write", path):
            if path.parent not in self._known_folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._known_folders.add(path.parent)
            write_whole(path, data, is_durable=False)
        with self._lock:
            self._new.append(path)

    def _unknown(self, contents: Sequence[str]) -> set[str]:
        """Those of `contents` that are neither small copies nor places."""
        left = [bytes.fromhex(content) for content in contents]
        for table in ("small", "places") if self._database.is_there() else ():
            left = list(self._database.absent(table, left))
        return {content.hex() for content in left}

    def _small(self, content: str) -> bytes | None:
        if not self._database.is_there():
            return None
        row = self._database.first("SELECT data FROM small WHERE content = ?", bytes.fromhex(content))
        return None if row is None else row[0]

    def _places(self, content: str) -> list[Path]:
        """Where the user has it or had it, the newest place first."""
        if not self._database.is_there():
            return []
        query = (
            "SELECT f.path, p.path FROM places p JOIN folders f ON f.id = p.folder WHERE p.content = ? "
            "ORDER BY p.added DESC, p.path"
        )
        rows = self._database.read(query, bytes.fromhex(content))
        return [Path(os.fsdecode(folder)) / os.fsdecode(path) for folder, path in rows]

    def _move_places(self, old: bytes, new: bytes) -> None:
        """All places in one folder are in the other now, which may be known already: it was imported from there."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (new,))
            numbers = dict(connection.execute("SELECT path, id FROM folders WHERE path IN (?, ?)", (old, new)))
            if old in numbers:  # else another program was faster
                connection.execute(
                    "INSERT OR IGNORE INTO places SELECT content, ?, path, bytes, added FROM places WHERE folder = ?",
                    (numbers[new], numbers[old]),
                )
                connection.execute("DELETE FROM places WHERE folder = ?", (numbers[old],))
                connection.execute("DELETE FROM folders WHERE id = ?", (numbers[old],))

    def _files(self) -> Iterator[Path]:
        with disk_errors("read", self.folder):
            if self.folder.is_dir():
                for below in sorted(self.folder.iterdir()):
                    if below.is_dir() and len(below.name) == 2:
                        yield from (path for path in below.iterdir() if len(path.name) == 64)


def _read_copy(path: Path) -> bytes:
    try:
        with disk_errors("read", path):
            return path.read_bytes()
    except WorkspaceError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise WorkspaceError(
                f"The workspace's copy {path} is missing: import the dataset again to restore it."
            ) from error
        raise


def _read_in_place(places: Sequence[Path], content: str) -> bytes:
    """From the first place that still holds it: a picture that was moved and imported again is known at both."""
    errors: list[WorkspaceError] = []
    for path in places:
        try:
            data = path.read_bytes()
        except OSError as error:
            errors.append(
                WorkspaceError(
                    f"{path} was kept in place and is no longer there ({error.strerror}): move it back, or say where "
                    "its folder is now: winnow relink OLD_FOLDER NEW_FOLDER."
                )
            )
            continue
        if hashlib.sha256(data).hexdigest() == content:
            return data
        errors.append(
            WorkspaceError(
                f"{path} was kept in place and has changed since it was imported: restore it, or import the dataset "
                "again."
            )
        )
    raise errors[0]


def _has_size(path: Path, size: int) -> bool:
    # A power cut before `flush` may leave a name with an empty file: it is written anew, not trusted.
    try:
        return path.stat().st_size == size
    except OSError:
        return False
