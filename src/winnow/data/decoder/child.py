"""The process that decodes: files or their paths in on stdin, facts out on stdout, within limits the system enforces.

`main`, which `winnow.data.decoder.pool` starts, answers questions (`winnow.data.decoder.questions`) until stdin ends.
Nothing is ever unpickled, on either side.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.decoder.facts import facts_of_all, to_text
from winnow.data.decoder.questions import HELD, HELD_FILE, INPUTS, PIXELS, READ, UNREAD, pieces, read_question
from winnow.data.inputs import InputSpec, read_input
from winnow.data.quiet import quiet_pillow
from winnow.data.regular_files import read_file, why_unread

try:
    import resource
    import signal
except ImportError:  # Windows: the parent's patience is the only limit
    resource = signal = None

CPU_S = 5.0
"""Processor time that one file may take. Not the clock's: a busy machine must not change a verdict."""
MEMORY_BYTES = 768 << 20
"""Address space that decoding may take beyond what the process has when it starts. Pillow and the arrays made of its
pixels use less than two thirds of it; the rest is what allocators and the decoders' libraries reserve."""

_HELD_BYTES = 8 << 20
_MOMENT_S = 0.05
"""Between two starts of the clock while many pictures are decoded."""


def main() -> None:
    """Answer questions until there are none."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    limit_memory()
    held: list[bytes | None] = []
    with quiet_pillow():  # once, not for every picture
        while (asked := read_question(questions)) is not None:
            what, parts = asked
            if what == READ:
                held.clear()  # before others take their room
                held += _read(parts)
                answers.write(struct.pack("<I", len(held)) + b"".join(map(_about, held)))
            elif what == HELD:
                is_asked, is_wanted = parts
                facts = _facts([data or b"" for data, one in zip(held, is_asked, strict=True) if one])
                wanted = [data or b"" for data, one in zip(held, is_wanted, strict=True) if one]
                answers.writelines(pieces([facts, *wanted]))
            elif what == PIXELS:
                line, pixels = _pixels(parts[1], *struct.unpack("<I", parts[0]))
                answers.write(_framed(line))
                answers.write(pixels)
            elif what == INPUTS:
                answers.writelines(_inputs(InputSpec.from_key(parts[0].decode()), parts[1:]))
            else:
                answers.write(_facts(parts))
            answers.flush()


def limit_memory() -> None:
    """Let the system refuse this process more memory than a picture may take; a no-op where it cannot."""
    if resource is None:
        return
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(paths: Sequence[bytes]) -> list[bytes | None]:
    """The files from the first on, up to so many bytes together; None for one that only its asker can say more of."""
    start_clock()
    held: list[bytes | None] = []
    n_bytes = 0
    for path in paths:
        try:
            data = read_file(path, is_picture=True)
        except (UnreadablePictureError, OSError, ValueError, MemoryError):
            data = None
        held.append(data)
        n_bytes += len(data or b"")
        if n_bytes >= _HELD_BYTES:
            break
    return held


def _about(data: bytes | None) -> bytes:
    return HELD_FILE.pack(*UNREAD) if data is None else HELD_FILE.pack(hashlib.sha256(data).digest(), len(data))


def _facts(files: Sequence[bytes]) -> bytes:
    return _framed("\n".join(map(to_text, facts_of_all(files, _start_now_and_then()))))


def _framed(line: str) -> bytes:
    text = line.encode()
    return struct.pack("<I", len(text)) + text


def _pixels(data: bytes, at_least_px: int) -> tuple[str, bytes | memoryview]:
    start_clock()
    try:
        pixels = np.ascontiguousarray(decode(data, at_least_px=at_least_px).pixels)
    except UnreadablePictureError as error:
        return to_text(error), b""
    return json.dumps(pixels.shape[:2]), pixels.data.cast("B")


def _inputs(spec: InputSpec, paths: Sequence[bytes]) -> list[bytes]:
    why: list[tuple[str, str] | None] = []
    inputs: list[bytes] = []
    for path in paths:
        start_clock()
        try:
            inputs.append(read_input(read_file(path, is_picture=True), spec).tobytes())
            why.append(None)
        except UnreadablePictureError as error:
            why.append((error.code, error.reason))
        except (OSError, ValueError) as error:
            why.append(why_unread(error))
    return [_framed(json.dumps(why)), *inputs]


def start_clock() -> None:
    """Let the system end this process when it has computed for `CPU_S` from now on; a no-op where it cannot."""
    if signal is not None:
        signal.setitimer(signal.ITIMER_PROF, CPU_S)  # SIGPROF ends the process, whatever library it is in


def _start_now_and_then() -> Callable[[], None]:
    """`start_clock` that does nothing if it did a moment ago: a call to the system for each small picture would take a
    thirtieth of the time. A file may then have that moment less than `CPU_S`."""
    last = -math.inf

    def start_unless_new() -> None:
        nonlocal last
        if (now := time.monotonic()) - last > _MOMENT_S:
            last = now
            start_clock()

    return start_unless_new


def stop_clock() -> None:
    """What follows is no decoding: `start_clock` is taken back."""
    if signal is not None:
        signal.setitimer(signal.ITIMER_PROF, 0)
