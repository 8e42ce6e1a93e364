"""Child processes that decode, as many as keep all cores busy; a picture that kills one costs its own line only."""

from __future__ import annotations

import os
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder.facts import PictureFacts, from_text
from winnow.errors import WorkspaceError
from winnow.machine import cores

Outcome = PictureFacts | UnreadablePictureError

PATIENCE_S = 60.0
"""How long a child may be silent by the clock: far more than its processor time, for machines that are busy."""
_MOST_ANSWER_BYTES = 1 << 20


class DecodingPool:
    """Asks child processes for the facts of pictures; may be used by many threads at once.

    Use it as a context manager. Children start when they are first needed and live until it closes.
    """

    def __init__(self, children: int | None = None) -> None:
        # One more than cores: while a batch is handed over, its child waits.
        self._free: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children or cores() + 1):
            self._free.put(None)
        self._all: list[_Child] = []
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        threading.Thread(target=self._watch, name="decoder-watch", daemon=True).start()

    def __enter__(self) -> DecodingPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all children; whoever waits for one hears that its picture cannot be read."""
        self._is_closed.set()
        with self._lock:
            for child in self._all:
                child.kill()

    def facts(self, files: Sequence[bytes]) -> list[Outcome]:
        """What each file shows, or why it is no picture; in their order.

        Raises:
            WorkspaceError: no child can be started here.
        """
        child = self._free.get()
        try:
            child = child or self._start()
            done = child.ask(files)
            if len(done) == len(files):
                return done
            # The child died, and took along what it had answered but not sent: ask again one by one, and the one
            # that kills a child alone is to blame.
            for data in files[len(done) :]:
                child = child if child.is_alive() else self._replace(child)
                done += child.ask([data]) or [_blame(child.kill())]
            return done
        finally:
            self._free.put(child if child is not None and child.is_alive() else None)

    def _start(self) -> _Child:
        child = _Child()
        with self._lock:
            self._all.append(child)
        return child

    def _replace(self, dead: _Child) -> _Child:
        dead.kill()
        with self._lock:
            self._all.remove(dead)
        return self._start()

    def _watch(self) -> None:
        while not self._is_closed.wait(1.0):
            with self._lock:
                late = [child for child in self._all if child.is_late()]
            for child in late:
                child.kill()


class _Child:
    """One process; `ask` is called by one thread at a time, `kill` by any."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "winnow.data.decoder.child"]
        # One thread each, and what libraries print of hostile files is of no use to anyone.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
        try:
            self._process = subprocess.Popen(
                command,
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
        self._asked: float | None = None

    def ask(self, files: Sequence[bytes]) -> list[Outcome]:
        """The facts of the files; fewer than there are files if the child died meanwhile."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        answers: list[Outcome] = []
        self._asked = time.monotonic()
        try:
            stdin.write(struct.pack(f"<{len(files) + 1}I", len(files), *map(len, files)))
            for data in files:
                stdin.write(data)
            stdin.flush()
            for _ in files:
                (size,) = struct.unpack("<I", stdout.read(4))
                if size > _MOST_ANSWER_BYTES:
                    raise ValueError(f"an answer of {size} bytes")
                answers.append(from_text(stdout.read(size)))
                self._asked = time.monotonic()
        # The child's end, or an answer that is none of ours: a picture has crashed it or taken it over.
        except (OSError, struct.error, ValueError):
            self.kill()
        finally:
            self._asked = None
        return answers

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def is_late(self) -> bool:
        return self._asked is not None and time.monotonic() - self._asked > PATIENCE_S

    def kill(self) -> int:
        """End it; gives how it ended (as `Popen.returncode`)."""
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be written has no reader any more
                    continue
        return code


def _blame(returncode: int) -> UnreadablePictureError:
    """Why a picture that ended a child is refused."""
    if returncode in (-getattr(signal, "SIGPROF", 27), -getattr(signal, "SIGKILL", 9)):
        return UnreadablePictureError(
            "E_TIMEOUT", "Decoding it takes longer than 5 seconds: save the picture anew, or smaller."
        )
    return UnreadablePictureError("E_CORRUPT", "The decoder crashed on it: save the picture anew with another program.")
