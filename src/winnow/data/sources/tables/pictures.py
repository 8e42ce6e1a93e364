"""A cell -> a picture: a path in the table's folder, bytes, base64, an array or image; a URL where that is allowed."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urljoin

from winnow.data.pixels import encode_png, pixels_from_array
from winnow.data.regular_files import read_file
from winnow.data.sources.fetch import fetch_picture
from winnow.data.sources.pictures_of import Pictures, is_address, shown
from winnow.data.sources.source import Refused, label_text
from winnow.data.sources.tables.names import SUFFIXES, looks_like_picture
from winnow.data.sources.tables.parquet import StoredInParquet
from winnow.data.sources.tree import Tree

# Pictures written as text stay in memory until they are read: so many bytes of them for each table.
_MAX_TEXT_BYTES = 256 << 20
# base64 of the first bytes of JPEG, PNG, GIF and WebP; a path is never that long.
_BASE64_STARTS = ("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR")
_LEAST_BASE64_CHARS = 256
_DATA_URI = re.compile(r"data:image/[\w.+-]+(;[\w.+=-]+)*;base64,", re.IGNORECASE)


class Cell(NamedTuple):
    """A picture that a cell holds or names: see `Found`; `name`: what a picture inside the table was called."""

    source: str
    read: Callable[[], bytes]
    path: Path | None = None
    name: str | None = None


class PictureCells:
    """Finds the pictures of one table.

    Args:
        tree: where its paths lead; None: a DataFrame of the user's own, whose paths go anywhere.
        near: the table's path in it.
        is_alone: did the user name the table, not its folder? (Then that folder is not walked without need.)
        split: of several files of one name, one in a folder of this split is taken.
        allows_urls: may pictures be fetched from the network?
        base_url: where the table itself came from: its paths start there.
        hosts: names of machines that the user wrote down, which may be on the own network.
    """

    def __init__(
        self,
        tree: Tree | None,
        near: str = "",
        *,
        is_alone: bool = True,
        split: str | None = None,
        allows_urls: bool = False,
        base_url: str | None = None,
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._tree = tree
        self._near = near
        self._split = split
        self._allows_urls = allows_urls
        self._base_url = base_url
        self._hosts = hosts
        self._pictures = None if tree is None or base_url else Pictures(tree, is_lazy=is_alone)
        self._folders = _folders(tree)
        self._text_bytes = 0
        # What made the last mere name one of a file: the next has mostly the same.
        self._suffix = ""

    def holds(self, cell: Any) -> bool:
        """Is this a picture, or the name of one that is there? (What is behind a URL, nobody knows.)"""
        if isinstance(cell, str):
            text = cell.strip()
            if is_address(text) or _base64_of(text) is not None:
                return True
            if self._base_url is not None:
                return looks_like_picture(text)
            if self._pictures is None:
                return looks_like_picture(text) or _is_file(text)
        elif not isinstance(cell, int):
            return isinstance(cell, StoredInParquet | bytes | PurePath) or (
                isinstance(cell, Mapping) and ("bytes" in cell or "path" in cell)
            )
        elif isinstance(cell, bool) or self._pictures is None:
            return False
        return isinstance(self._in_tree(str(cell).strip()), str)

    def find(self, place: str, cell: Any) -> Cell | Refused:
        """The picture of a cell, or the line that says why there is none.

        Args:
            place: where the cell stands; the source of pictures that lie in the table.
        """
        if isinstance(cell, Mapping):
            stored, path = cell.get("bytes"), cell.get("path")
            cell = path if stored is None else stored
        if isinstance(cell, StoredInParquet):
            return Cell(place, cell.read, None, cell.path)
        if isinstance(cell, bytes | bytearray | memoryview):
            return Cell(place, partial(bytes, cell))
        if isinstance(cell, str | int | float | PurePath) or cell is None:
            return self._named(place, label_text(cell))
        return Cell(place, partial(_encoded, cell))  # an array or a Pillow image, of a DataFrame

    def _named(self, place: str, text: str | None) -> Cell | Refused:
        if text is None or "\0" in text:
            return Refused(place, "E_ANN_PATH", "The row names no file: fill in its path.")
        if (data := _base64_of(text)) is not None:
            return self._written(place, data)
        if is_address(text) or (self._base_url is not None and self._tree is None):
            return self._at_url(text)
        if self._tree is None:
            return Cell(
                PurePosixPath(text.replace("\\", "/")).as_posix(),
                partial(read_file, text, is_picture=True),
                Path(text).absolute(),
            )
        found = self._in_tree(text)
        if isinstance(found, Refused):
            return found
        return Cell(found, self._tree.picture(found), self._tree.file(found))

    def _written(self, place: str, data: str) -> Cell | Refused:
        self._text_bytes += len(data)
        if self._text_bytes > _MAX_TEXT_BYTES:
            reason = f"The table holds more than {_MAX_TEXT_BYTES >> 20} MB of pictures as text: use files or Parquet."
            return Refused(place, "E_URL_BLOCKED", reason)
        return Cell(place, partial(_decoded, data))

    def _at_url(self, text: str) -> Cell | Refused:
        url = text if self._base_url is None else urljoin(self._base_url, text.replace("\\", "/"))
        if self._allows_urls and url.casefold().startswith(("http:", "https:")):
            return Cell(url, partial(fetch_picture, url, self._hosts))
        if self._pictures is not None and not text.casefold().startswith("file:"):
            found = self._pictures.find(text, near=self._near, split=self._split)
            if isinstance(found, str) and self._tree is not None:
                return Cell(found, self._tree.picture(found), self._tree.file(found))
        if self._allows_urls:
            reason = "Only http and https addresses of pictures are opened: download the picture, then import it."
        else:
            reason = "Addresses are not opened unless you allow it: add --allow-urls (allow_urls=True), or download it."
        return Refused(shown(text), "E_URL_BLOCKED", reason)

    def _in_tree(self, text: str) -> str | Refused:
        assert self._pictures is not None
        for folder in self._folders:
            if text.startswith(folder):  # written from the root of the disk, and yet inside
                text = text[len(folder) :]
        found = self._pictures.find(text + self._suffix, near=self._near, split=self._split)
        if isinstance(found, str) or found.code != "E_MISSING" or looks_like_picture(text):
            return found
        for suffix in ("", *SUFFIXES):
            again = self._pictures.find(text + suffix, near=self._near, split=self._split)
            if isinstance(again, str) or again.code == "E_ANN_REF":  # there, or there twice
                self._suffix = suffix
                return again
        return found


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name that is too long, or none at all
        return False


def _folders(tree: Tree | None) -> tuple[str, ...]:
    """How paths inside the tree may begin if they are written from the root of the disk."""
    here = None if tree is None else tree.file("")
    if here is None:
        return ()
    return tuple({f"{folder.as_posix().rstrip('/')}/" for folder in (here.absolute(), here.resolve())})


def _base64_of(text: str) -> str | None:
    """The base64 of a data URI, or of a picture without one."""
    if match := _DATA_URI.match(text[:200]):
        return text[match.end() :]
    is_one = len(text) >= _LEAST_BASE64_CHARS and text.startswith(_BASE64_STARTS)
    return text if is_one and re.fullmatch(r"[\w+/=\s-]+", text) else None


def _encoded(cell: Any) -> bytes:
    return encode_png(pixels_from_array(cell))


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, altchars=b"-_" if "-" in data or "_" in data else None)
    except (binascii.Error, ValueError):
        return b"no base64"  # which no decoder takes for a picture
