"""The process that decodes: pictures in on stdin, facts out on stdout, within limits that the system enforces.

`main`, which `winnow.data.decoder.pool` starts, reads requests: <I count, <I least side, count x <I length, the bytes
of the files. To a least side of 0 it answers with <I length and a line of JSON for each file: its facts. To any other,
asked of one file, with <I length and why it is no picture, or its height and width, and then its pixels, decoded at the
scale that is just enough. It ends when stdin does. Nothing is ever unpickled, on either side.
"""

from __future__ import annotations

import contextlib
import json
import struct
import sys
from pathlib import Path

import numpy as np

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.decoder.facts import facts_of_all, to_text
from winnow.data.quiet import quiet_pillow

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


def main() -> None:
    """Answer requests until there are none."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    limit_memory()
    with quiet_pillow():  # once, not for every picture
        while len(head := requests.read(8)) == 8:
            count, at_least_px = struct.unpack("<2I", head)
            sizes = struct.unpack(f"<{count}I", requests.read(4 * count))
            files = [requests.read(size) for size in sizes]
            if at_least_px:
                line, pixels = _pixels(files[0], at_least_px)
            else:
                line, pixels = "\n".join(map(to_text, facts_of_all(files, _start_clock))), b""
            answers.write(struct.pack("<I", len(line.encode())) + line.encode())
            answers.write(pixels)
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


def _pixels(data: bytes, at_least_px: int) -> tuple[str, bytes | memoryview]:
    _start_clock()
    try:
        pixels = np.ascontiguousarray(decode(data, at_least_px=at_least_px).pixels)
    except UnreadablePictureError as error:
        return to_text(error), b""
    return json.dumps(pixels.shape[:2]), pixels.data.cast("B")


def _start_clock() -> None:
    if signal is not None:
        signal.setitimer(signal.ITIMER_PROF, CPU_S)  # SIGPROF ends the process, whatever library it is in
