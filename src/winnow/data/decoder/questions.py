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
from typing import IO

FACTS, PIXELS, INPUTS, READ, HELD = b"F", b"P", b"I", b"R", b"H"

HELD_FILE = struct.Struct("<32sI")
"""What is said of each file that a child holds: SHA-256 and size."""
UNREAD = (bytes(32), 0xFFFFFFFF)
"""What is said of a file that it could not read: no file of this size is read anywhere."""


def question(what: bytes, parts: Sequence[bytes]) -> bytes:
    """As the child reads it."""
    return b"".join([what, struct.pack(f"<{len(parts) + 1}I", len(parts), *map(len, parts)), *parts])


def read_question(stream: IO[bytes]) -> tuple[bytes, list[bytes]] | None:
    """What is asked, and its parts; None at the end of the stream."""
    what = stream.read(1)
    if not what:
        return None
    (count,) = struct.unpack("<I", stream.read(4))
    sizes = struct.unpack(f"<{count}I", stream.read(4 * count))
    return what, [stream.read(size) for size in sizes]
