"""Which encoding a text file has. Nobody writes it down, so it is read off the file, once, from end to end."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from winnow.data.sources.source import RefusedSourceError
from winnow.events import Note

_CHUNK_BYTES = 1 << 20
# The longer marks first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def encoding_of(name: str, file: BinaryIO) -> tuple[str, tuple[Note, ...]]:
    """The encoding of a text file that stands at its start, and what to say about it.

    Raises:
        RefusedSourceError: E_EMPTY, there is nothing in it; E_ANN_SCHEMA, it is no text.
    """
    head = file.read(_CHUNK_BYTES)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise RefusedSourceError("E_EMPTY", f"{name} is empty: it needs names of columns and one row for each picture.")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            shown = "UTF-8" if encoding == "utf-8-sig" else encoding.upper()
            return encoding, (Note(f"{name} begins with a byte order mark: it was read as {shown}.", code="W_BOM"),)
    if (encoding := _wide(head[:4096])) is not None:
        text = f"{name} looks like {encoding.upper()} without a mark and was read so: check a few names."
        return encoding, (Note(text, is_warning=True, code="W_ENCODING"),)
    if len(head[:4096].translate(None, _CONTROLS)) < 0.9 * len(head[:4096]):
        raise RefusedSourceError("E_ANN_SCHEMA", f"{name} is no table of text: save it as CSV in UTF-8.")
    if _is_utf8(head, file):
        return "utf-8", ()
    text = f"{name} is not in UTF-8: it was read as Windows-1252. Check names with accents, or save it in UTF-8."
    return "cp1252", (Note(text, is_warning=True, code="W_ENCODING"),)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: mostly Western text, so every other byte is zero."""
    even, odd = head[::2], head[1::2]
    if len(head) < 8:
        return None
    if odd.count(0) > 0.4 * len(odd) and not even.count(0):
        return "utf-16-le"
    if even.count(0) > 0.4 * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


def _is_utf8(head: bytes, file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk = head
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = file.read(_CHUNK_BYTES)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
