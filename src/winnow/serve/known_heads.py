"""Heads of requests that were understood before: the same bytes mean the same, and need not be taken apart again.

A client that asks again and again sends the same head each time, but for the length of the body. Only heads of raw
pictures are remembered, after HTTP's own parser has read them and the door has let them in; a head is known by a
digest of its bytes, so no token stays in the front; a worker keeps the last head of each connection that is lent to it.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from winnow.serve.short_way import ShortHead

MOST_KNOWN = 4096
MOST_HEAD_BYTES = 4096
_END = b"\r\n\r\n"
_MOST_DIGITS = 15
_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*(?=\r\n)")


class SeenHead:
    """The first bytes of a request, if they are a whole head that says how long its body is.

    Attributes:
        key: the same for the same head, whatever the body's length.
        n_bytes: of the body.
        end: where the body begins.
    """

    __slots__ = ("end", "key", "n_bytes")

    def __init__(self, key: bytes, n_bytes: int, end: int) -> None:
        self.key = key
        self.n_bytes = n_bytes
        self.end = end


def see_head(data: bytes) -> SeenHead | None:
    """Where the head ends and what it says of the body; nothing else of it is looked at."""
    cut = _cut(data)
    return None if cut is None else _seen(*cut)


class LikeLast:
    """The same for one connection, on which a head is mostly the one before with another length."""

    __slots__ = ("_after", "_before", "_key")

    def __init__(self) -> None:
        self._before = self._after = self._key = b""

    def see(self, data: bytes) -> SeenHead | None:
        """As `see_head`."""
        if self._key and data.startswith(self._before):
            begin = len(self._before)
            stop = data.find(self._after, begin, begin + _MOST_DIGITS + len(self._after))
            if stop > begin and data[begin:stop].isdigit():
                return SeenHead(self._key, int(data[begin:stop]), stop + len(self._after))
        cut = _cut(data)
        if cut is None:
            return None
        seen = _seen(*cut)
        self._before, self._after, self._key = cut[0], cut[2] + _END, seen.key
        return seen


def _seen(before: bytes, n_bytes: int, after: bytes, end: int) -> SeenHead:
    return SeenHead(hashlib.blake2b(before + after, digest_size=16).digest(), n_bytes, end)


def _cut(data: bytes) -> tuple[bytes, int, bytes, int] | None:
    """A head before and behind the body's length, that length, and where the body begins."""
    end = data.find(_END, 0, MOST_HEAD_BYTES)
    length = None if end <= 0 else _LENGTH.search(data, 0, end + 2)
    if length is None:
        return None
    begin, stop = length.span(1)
    return data[:begin], int(length[1]), data[stop:end], end + len(_END)


class KnownHeads:
    """What heads were found to say."""

    def __init__(self) -> None:
        self._known: dict[bytes, ShortHead] = {}

    def get(self, seen: SeenHead) -> ShortHead | None:
        """What such a head said; None: it is new."""
        return self._known.get(seen.key)

    def put(self, seen: SeenHead, head: ShortHead) -> None:
        """Remember it. Where every head is another, as with a number for each request, memory stays bounded."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[seen.key] = head
