"""One process that decodes, from the side that asks: starting it, asking it, and why it died."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from winnow.data.decode import MAX_PIXELS, UnreadablePictureError
from winnow.data.decoder.facts import PictureFacts, from_lines, from_text
from winnow.data.decoder.questions import FACTS, HELD, HELD_FILE, INPUTS, PIXELS, READ, UNREAD, question, read_parts
from winnow.data.inputs import InputSpec
from winnow.data.regular_files import MAX_FILE_BYTES
from winnow.errors import WorkspaceError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

Outcome = PictureFacts | UnreadablePictureError
Pixels = NDArray[np.uint8]
Answer = TypeVar("Answer")

PATIENCE_S = 600.0
"""How long a batch may take by the clock: far more than its processor time, for machines that are busy."""
# With -m, a numpy.py among somebody's pictures would be run as soon as they are imported from that folder: -P keeps the
# current folder off the path, and Winnow itself is found where it was found for us.
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from winnow.data.decoder.child import main; main()"
COMMAND = (sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[3]))
_MOST_ANSWER_BYTES = 1 << 16
_PIPE_BYTES = 1 << 20
_CPU_LIMIT = getattr(signal, "SIGPROF", 27)


class HeldFile(NamedTuple):
    """A file that a child holds: the SHA-256 of its content (hex), and its size."""

    content: str
    n_bytes: int


class Child:
    """One process; `ask` is called by one thread at a time, `kill` by any."""

    def __init__(self) -> None:
        # One thread each, and what libraries print of hostile files is of no use to anyone.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
        try:
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                # Ctrl-C is for us: we end the children ourselves.
                start_new_session=True,
            )
        except OSError as error:
            raise WorkspaceError(
                f"No process for decoding pictures can be started ({error.strerror}): close other programs, or "
                "raise the limit of processes (ulimit -u)."
            ) from error
        _widen(self._process.stdout)
        self._asked: float | None = None
        self._was_late = False

    def ask(self, files: Sequence[bytes]) -> list[Outcome]:
        """The facts of the files; none at all if the child died meanwhile."""

        def read(stdout: IO[bytes]) -> list[Outcome]:
            return _read_facts(stdout, len(files))

        return self._exchange(question(FACTS, files), read) or []

    def ask_to_read(self, paths: Sequence[str]) -> list[HeldFile | None]:
        """Let it read and hold files: as many as it holds at once; none at all if the child died meanwhile."""

        def read(stdout: IO[bytes]) -> list[HeldFile | None]:
            (count,) = struct.unpack("<I", stdout.read(4))
            if not 0 < count <= len(paths):
                raise ValueError(f"{count} of {len(paths)} files")
            held = HELD_FILE.iter_unpack(stdout.read(HELD_FILE.size * count))
            files = [None if one == UNREAD else HeldFile(one[0].hex(), one[1]) for one in held]
            if max((file.n_bytes for file in files if file), default=0) > MAX_FILE_BYTES:
                raise ValueError("larger than any file that is read")
            return files

        return self._exchange(question(READ, [os.fsencode(path) for path in paths]), read) or []

    def ask_held(
        self, files: Sequence[HeldFile | None], asked: Collection[int], wanted: Collection[int]
    ) -> tuple[list[Outcome], list[bytes]] | None:
        """Of the files it holds, the facts of some and the bytes of some; None if the child died meanwhile."""
        is_asked, is_wanted = (bytes(place in some for place in range(len(files))) for some in (asked, wanted))

        def read(stdout: IO[bytes]) -> tuple[list[Outcome], list[bytes]]:
            facts = _read_facts(stdout, len(asked))
            given = [file for file, one in zip(files, is_wanted, strict=True) if file and one]
            parts = read_parts(stdout, [file.n_bytes for file in given])
            if [hashlib.sha256(data).hexdigest() for data in parts] != [file.content for file in given]:
                raise ValueError("other bytes than those that were read")
            return facts, parts

        return self._exchange(question(HELD, [is_asked, is_wanted]), read)

    def ask_pixels(self, data: bytes, at_least_px: int) -> Pixels | UnreadablePictureError | None:
        """The pixels of one file, or why it is no picture; None if the child died meanwhile."""

        def read(stdout: IO[bytes]) -> Pixels | UnreadablePictureError:
            line = _read_line(stdout, _MOST_ANSWER_BYTES)
            match json.loads(line):
                case [int(height), int(width)] if 0 < height * width <= MAX_PIXELS:
                    values = stdout.read(3 * height * width)
                    return np.frombuffer(values, dtype=np.uint8).reshape(height, width, 3)
                case _:
                    error = from_text(line)
                    if isinstance(error, PictureFacts):
                        raise ValueError("facts, where pixels were asked for")
                    return error

        return self._exchange(question(PIXELS, [struct.pack("<I", at_least_px), data]), read)

    def ask_inputs(self, paths: Sequence[str], spec: InputSpec) -> list[Pixels | UnreadablePictureError]:
        """Files as inputs of a graph; none at all if the child died meanwhile."""

        def read(stdout: IO[bytes]) -> list[Pixels | UnreadablePictureError]:
            why = json.loads(_read_line(stdout, _MOST_ANSWER_BYTES * len(paths)))
            if not isinstance(why, list) or len(cast("list[Any]", why)) != len(paths):
                raise ValueError("not as many answers as questions")
            refused = [None if one is None else _refusal(one) for one in cast("list[Any]", why)]
            shape = (refused.count(None), spec.side_px, spec.side_px, 3)
            inputs = iter(np.frombuffer(stdout.read(math.prod(shape)), dtype=np.uint8).reshape(shape))
            return [next(inputs) if one is None else one for one in refused]

        return self._exchange(question(INPUTS, [spec.key.encode(), *map(os.fsencode, paths)]), read) or []

    def _exchange(self, asked: Sequence[bytes], read: Callable[[IO[bytes]], Answer]) -> Answer | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self._asked = time.monotonic()
        try:
            stdin.writelines(asked)
            stdin.flush()
            return read(stdout)
        # The child's end, or an answer that is none of ours: a picture has crashed it or taken it over.
        except (OSError, struct.error, ValueError):
            self._end()
        except BaseException:
            self._end()  # what it still answers would be taken for answers to the next question
            raise
        finally:
            self._asked = None
        return None

    def _end(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was still to be written has no reader any more
                    pipe.close()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill_if_late(self) -> None:
        if self._asked is not None and time.monotonic() - self._asked > PATIENCE_S:
            self._was_late = True
            self.kill()

    def kill(self) -> None:
        """End it; whoever waits for its answers gets none. Called by any thread."""
        self._process.kill()

    def blame(self) -> UnreadablePictureError:
        """Why the picture that ended it is refused."""
        if self._was_late or self._process.wait() == -_CPU_LIMIT:
            return UnreadablePictureError(
                "E_TIMEOUT", "Decoding it takes longer than 5 seconds: save the picture anew, or smaller."
            )
        return UnreadablePictureError(
            "E_CORRUPT", "The decoder crashed on it: save the picture anew with another program."
        )


def _widen(pipe: IO[bytes] | None) -> None:
    """A batch of small pictures fits into it: else its two ends wake each other for every 64 KB."""
    if pipe is not None and fcntl is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # the system gives each user so much of it
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _refusal(why: Any) -> UnreadablePictureError:
    match why:
        case [str(code), str(reason)]:
            return UnreadablePictureError(code, reason)
        case _:
            raise ValueError("no reason why a file is no picture")


def _read_facts(stdout: IO[bytes], count: int) -> list[Outcome]:
    answers = from_lines(_read_line(stdout, _MOST_ANSWER_BYTES * count))
    if len(answers) != count:
        raise ValueError(f"{len(answers)} answers to {count} questions")
    return answers


def _read_line(stdout: IO[bytes], most_bytes: int) -> str:
    (size,) = struct.unpack("<I", stdout.read(4))
    if size > most_bytes:
        raise ValueError(f"an answer of {size} bytes")
    return stdout.read(size).decode()
