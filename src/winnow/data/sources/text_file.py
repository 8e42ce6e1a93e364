"""Annotation files as bytes and as text: whole, or just their beginning, which tells formats apart."""

from __future__ import annotations

import codecs
from weakref import WeakKeyDictionary

from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.tree import Tree

# COCO's largest list of annotations (instances_train2017.json) has 449 MB.
MAX_BYTES = 512 << 20
_HEAD_BYTES = 32 << 10

_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Every layout looks at the same beginnings, and an archive unpacks a whole file to show its first bytes.
_heads: WeakKeyDictionary[Tree, dict[str, bytes]] = WeakKeyDictionary()


def read_bytes(tree: Tree, path: str, *, at_most: int = MAX_BYTES) -> bytes:
    """A whole annotation file.

    Raises:
        RefusedSourceError: E_ANN_SCHEMA, it is larger than `at_most` bytes; E_UNREADABLE, the disk refused.
        UnreadablePictureError: the archive is damaged there.
    """
    try:
        file = tree.file(path)
        n_bytes = file.stat().st_size if file is not None else 0
        data = b"" if n_bytes > at_most else tree.reader(path)()
    except OSError as error:
        raise RefusedSourceError(
            "E_UNREADABLE", f"{path} cannot be read ({error.strerror}): check its rights and disk."
        ) from error
    if (n_bytes := max(n_bytes, len(data))) > at_most:
        limit = f"{at_most >> 20} MB" if at_most >= 1 << 20 else f"{at_most >> 10} KB"
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{path} has {n_bytes / 2**20:.1f} MB, more than the {limit} that are read: split it."
        )
    return data


def beginning(tree: Tree, path: str) -> bytes:
    """The first 32 KB of a file; b"" where it cannot be read."""
    known = _heads.setdefault(tree, {})
    if path not in known:
        known[path] = _read_head(tree, path)
    return known[path]


def _read_head(tree: Tree, path: str) -> bytes:
    try:
        file = tree.file(path)
        if file is None:
            return tree.reader(path)()[:_HEAD_BYTES]
        if not file.is_file():  # reading a pipe would wait for ever
            return b""
        with file.open("rb") as opened:
            return opened.read(_HEAD_BYTES)
    except (OSError, ValueError, RefusedSourceError):
        return b""


def as_text(data: bytes) -> tuple[str, bool]:
    """The text, and whether a byte order mark stood before it. UTF-8, or what the mark says.

    Raises:
        UnicodeDecodeError: it is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding), True
    return data.decode("utf-8"), False


def loose_text(data: bytes) -> str:
    """As `as_text`, for a beginning that may be cut inside a letter."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    return data.decode("utf-8", errors="replace")
