"""Sources that lie elsewhere: an archive or table behind http(s), and whatever lies in an object store.

Nothing is fetched unless the user said so (`ImportOptions.allows_urls`). What must be a file here (an archive) is
downloaded into a temporary folder that goes when its last picture was read, or when the program ends.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from winnow.data.sources.containers import archive_at, looks_like_archive
from winnow.data.sources.fetch import fetch_into
from winnow.data.sources.folder import FolderTree
from winnow.data.sources.object_store import SCHEMES, store_tree
from winnow.data.sources.refused import Refused, RefusedSourceError
from winnow.data.sources.source import Found, ImportOptions
from winnow.data.sources.tables.pictures import PictureCells
from winnow.data.sources.tables.reading import SUFFIXES, read_table
from winnow.data.sources.tables.rows import TableRows
from winnow.data.sources.tarred import spool_folder
from winnow.data.sources.tree import Tree
from winnow.errors import BadDataError
from winnow.events import Note

_TIMEOUT_S = 6 * 3600.0
_ROOM_LEFT_BYTES = 256 << 20
_ADDRESS = re.compile(rf"(https?|{'|'.join(SCHEMES)})://", re.IGNORECASE)

Items = Iterator[Found | Refused | Note]
FindPath = Callable[[Path, ImportOptions], Items]
FindTree = Callable[[Tree, str | None, ImportOptions], Items]


def is_remote(source: str) -> bool:
    """Is this an address that can be imported from?

    >>> is_remote("https://example.org/photos.zip"), is_remote("s3://bucket/photos"), is_remote("photos/cats")
    (True, True, False)
    """
    return _ADDRESS.match(source.strip()) is not None


def find_remote(url: str, find_path: FindPath, find_tree: FindTree, options: ImportOptions) -> Items:
    """All pictures of a source elsewhere.

    Args:
        find_path: finds the pictures of a file on this machine.
        find_tree: finds the pictures of a tree (or of the one file in it that is named).

    Raises:
        RefusedSourceError: E_URL_BLOCKED, it was not allowed or leads where it may not; E_URL_FAILED, it cannot be
            fetched; and what the source itself raises.
    """
    url = url.strip()
    if not options.allows_urls:
        raise RefusedSourceError(
            "E_URL_BLOCKED",
            f"{url} lies on the network, which Winnow uses only if you allow it: add --allow-urls (allow_urls=True), "
            "or download it and import the file.",
        )
    if url.casefold().startswith("http"):
        return _from_http(url, find_path, options)
    return _from_store(url, find_path, find_tree, options)


def _from_http(url: str, find_path: FindPath, options: ImportOptions) -> Items:
    parts = urlsplit(url)
    # The user wrote this name down: it may be a machine on the own network.
    hosts = frozenset({parts.hostname.casefold()} if parts.hostname else ())
    folder, name = _Folder(), _file_name(parts.path)
    with folder.file(name) as file:
        fetch_into(file, url, hosts, max_bytes=folder.room(), timeout_s=_TIMEOUT_S)
    path = folder.path / name
    _refuse_web_page(path, url)
    # Addresses such as /export?of=7 tell no kind; what is no archive is read as a table, by what is in it.
    if name.casefold().endswith(SUFFIXES) or ("." not in name and not _is_archive(path, url)):
        pictures = PictureCells(None, allows_urls=True, base_url=url, hosts=hosts)
        yield from TableRows(read_table(FolderTree(folder.path), name), pictures, options).found()
    else:
        yield from _held(folder, path, url, find_path, options)


def _from_store(url: str, find_path: FindPath, find_tree: FindTree, options: ImportOptions) -> Items:
    tree, name = store_tree(url)
    if name is None or not looks_like_archive(name):
        if name is None and not tree.paths:
            raise RefusedSourceError("E_EMPTY", f"{url} holds no objects: check the address.")
        yield from find_tree(tree, name, options)
        return
    folder, file_name = _Folder(), _file_name(name)
    with folder.file(file_name) as file:
        tree.download(name, file)
    path = folder.path / file_name
    yield from _held(folder, path, url, find_path, options)


def _refuse_web_page(path: Path, url: str) -> None:
    with path.open("rb") as file:
        start = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise RefusedSourceError(
            "E_URL_FAILED",
            f"{url} is a web page (to log in, or to show a file?): give the address of the file itself.",
        )


def _is_archive(path: Path, url: str) -> bool:
    try:
        return archive_at(path) is not None
    except RefusedSourceError as error:
        raise _named(error, path, url) from error


def _file_name(path: str) -> str:
    """The name of a download: the address's last part, less what a file system may not like."""
    name = re.sub(r"[^\w.-]", "_", unquote(posixpath.basename(path.rstrip("/"))))[-100:]
    return name if name.strip("._") else "download"


class _Folder:
    """A temporary folder that lives as long as something holds this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="winnow-", dir=spool_folder()))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def room(self) -> int:
        """Bytes that may still be written there."""
        return max(shutil.disk_usage(self.path).free - _ROOM_LEFT_BYTES, 0)

    @contextmanager
    def file(self, name: str) -> Generator[BinaryIO]:
        """A new file in it; a full disk gets a sentence."""
        try:
            with (self.path / name).open("wb") as file:
                yield file
        except OSError as error:
            raise BadDataError(
                f"The download cannot be kept in {self.path.parent} ({error.strerror}): set TMPDIR to a larger disk."
            ) from error


@dataclass(frozen=True, slots=True)
class _HeldRead:
    """Reads from the folder, and holds it."""

    read: Callable[[], bytes]
    folder: _Folder

    def __call__(self) -> bytes:
        return self.read()


def _held(folder: _Folder, path: Path, url: str, find_path: FindPath, options: ImportOptions) -> Items:
    """The pictures of a download, which hold its folder; errors name the address in its place."""
    try:
        for item in find_path(path, options):
            yield item._replace(read=_HeldRead(item.read, folder), path=None) if isinstance(item, Found) else item
    except RefusedSourceError as error:
        raise _named(error, path, url) from error
    except BadDataError as error:
        raise BadDataError(str(error).replace(str(path), url)) from error


def _named(error: RefusedSourceError, path: Path, url: str) -> RefusedSourceError:
    return RefusedSourceError(error.code, error.reason.replace(str(path), url))
