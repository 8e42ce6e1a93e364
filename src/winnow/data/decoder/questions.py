"""What a decoding child may be asked, and how: a letter, <I count, count x <I length, and the parts themselves.

FACTS    the parts are files. Answer: <I length, and a line of JSON for each: its facts, or why it is no picture.
PIXELS   <I least side; one file. Answer: <I length, and why it is no picture, or its height and width, and then its
         pixels, decoded at the scale that is just enough.
INPUTS   the key of an `InputSpec`, then paths: read these files, and decode and resize each as a graph wants to see it.
         Answer: <I length, and a list in JSON with null for each, or code and reason why there is no picture; then the
         inputs (side, side, 3) of those with null, one after the other.
READ     paths: read these files and hold them until the next READ. Answer: <I how many are held, from the first on
         (as many as are little enough together), and for each its SHA-256 and <I size; UNREAD if it cannot be read.
HELD     two rows of bytes, one for each held file: is it asked for its facts, are its bytes wanted? Answer: as to
         FACTS for the first, then the bytes of the second, one after the other.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import IO

FACTS, PIXELS, INPUTS, READ, HELD = b"F", b"P", b"I", b"R", b"H"

HELD_FILE = struct.Struct("<32sI")
"""What is said of each file that a child holds: SHA-256 and size."""
UNREAD = (bytes(32), 0xFFFFFFFF)
"""What is said of a file that it could not read: no file of this size is read anywhere."""
_MANY_BYTES = 16 << 20


def question(what: bytes, parts: Sequence[bytes]) -> list[bytes]:
    """As the child reads it, in pieces to be written one after the other."""
    return pieces([what, struct.pack(f"<{len(parts) + 1}I", len(parts), *map(len, parts)), *parts])


def pieces(parts: list[bytes]) -> list[bytes]:
    """The same bytes in one piece if they are few: each is a call to the system and wakes whoever reads. Many would
    lie in memory twice.
    """
    return parts if sum(map(len, parts)) > _MANY_BYTES else [b"".join(parts)]


def read_question(stream: IO[bytes]) -> tuple[bytes, list[bytes]] | None:
    """What is asked, and its parts; None at the end of the stream."""
    what = stream.read(1)
    if not what:
        return None
    (count,) = struct.unpack("<I", stream.read(4))
    sizes = struct.unpack(f"<{count}I", stream.read(4 * count))
    return what, [stream.read(size) for size in sizes]


def read_parts(stream: IO[bytes], sizes: Sequence[int]) -> list[bytes]:
    """Parts that come one after the other: together if they are few bytes, since whoever reads from a pipe gives
    Python's lock away, and waits to get it back.
    """
    if sum(sizes) > _MANY_BYTES:
        return [stream.read(size) for size in sizes]
    ends = list(accumulate(sizes))
    whole = stream.read(ends[-1]) if ends else b""
    return [whole[end - size : end] for size, end in zip(sizes, ends, strict=True)]
