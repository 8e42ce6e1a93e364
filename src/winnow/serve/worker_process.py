"""The front's side of one worker process: starting it, asking it over a socket, and noticing its end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

from winnow.errors import UserError
from winnow.serve.frames import (
    ANSWER,
    BROKEN,
    HANDED_BACK,
    LENGTH,
    MOST_ANSWER_BYTES,
    NO_SUMMARY,
    PICTURE_ANSWERED,
    QUESTION,
    REFUSED,
    TENSORS_ANSWERED,
    TOLD,
    Spent,
    unpack_picture_answer,
    unpack_refusal,
    unpack_tensors,
)
from winnow.serve.job import Job, Outcome
from winnow.serve.lender import Seat
from winnow.serve.refusals import failed

_log = logging.getLogger(__name__)

# As for the children that decode: -P keeps the current folder off the path, and Winnow is found where it was for us.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from winnow.serve.worker import main; main(*map(int, sys.argv[2:]))"
)
_COMMAND = (sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2]))
_MOST_WORDS_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 20

Answered: TypeAlias = Callable[[Job, Outcome, Spent], None]


class WorkerProcess(asyncio.Protocol):
    """One worker that is ready; made by `start`.

    Attributes:
        jobs: what it was asked, in order; it computes the first.
        was_slow: it was ended for not coming back.
    """

    def __init__(self, answered: Answered, seat: Seat | None) -> None:
        self.jobs: deque[Job] = deque()
        self.was_slow = False
        self._answered = answered
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._first_words: asyncio.Future[bytes] | None = asyncio.get_running_loop().create_future()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._computes_since = 0.0
        self._unread = bytearray()
        self._seat = seat

    @classmethod
    async def start(cls, models: list[dict[str, Any]], answered: Answered, seat: Seat | None = None) -> WorkerProcess:
        """Start a process and wait until it has opened all models.

        Args:
            models: of each what `winnow.serve.served.values_of` gives.
            answered: called for each answer with the job, its outcome, and what it took.
            seat: its place among those who answer on lent connections, too; None: it does not.

        Raises:
            UserError: a model cannot be opened, or no process can be started.
        """
        worker = cls(answered, seat)
        try:
            post = await worker._open()
            asked = {"models": models, "lending": None if seat is None else seat.terms()}
            words = await worker._say(json.dumps(asked).encode())
        except BaseException:
            await worker.end()
            raise
        if words:
            await worker.end()
            if "broken" in words:
                _log.error("A worker could not open the models:\n%s", words["broken"])
            raise UserError(words.get("refused", "A worker could not open the models; the log says why."))
        if seat is not None and post is not None:
            seat.lender.join(seat.worker, post)
        return worker

    @property
    def process_id(self) -> int:
        """The system's number for it."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_there(self) -> bool:
        """Whether it can be asked; one that has ended is waited for a moment longer."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, job: Job) -> None:
        """Send it a question; it answers in the order asked."""
        assert self._transport is not None
        if not self.jobs:
            self._computes_since = time.monotonic()
        self.jobs.append(job)
        self._transport.writelines((QUESTION.pack(len(job.payload), job.place), job.payload))

    def computes_s(self) -> float:
        """For how long it has been computing one question; 0 if it has none."""
        return self.lent_s() or (time.monotonic() - self._computes_since if self.jobs else 0.0)

    def lent_s(self) -> float:
        """For how long it has been at a request of a lent connection, and at none of its jobs; 0 if it is at none."""
        return 0.0 if self._seat is None else self._seat.lender.computes_s(self._seat.worker)

    def give_up(self) -> None:
        """End it because it does not come back."""
        assert self._process is not None
        self.was_slow = True
        self._process.kill()

    async def ended(self) -> int:
        """Wait for its end; the exit status, negative for the signal that ended it."""
        assert self._process is not None
        await self._closed
        # Its end of the socket closes when it has ended, or when a picture that took it over closed it.
        self._process.kill()
        return await asyncio.to_thread(self._process.wait)

    async def end(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    async def _open(self) -> socket.socket | None:
        """Start the process; gives our end of the socket by which connections are lent to it."""
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as lent:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            post, shared = None, (-1, -1, -1)
            if self._seat is not None:
                post, their_post = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                lent.enter_context(their_post)
                post.setblocking(False)
                shared = (their_post.fileno(), *self._seat.lender.descriptors)
            # One thread each; what libraries print of hostile files is of no use to anyone.
            environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            try:
                self._process = subprocess.Popen(
                    (*_COMMAND, *map(str, (theirs.fileno(), *shared))),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                    pass_fds=[theirs.fileno(), *(one for one in shared if one >= 0)],
                    # Ctrl-C is for the front: it ends its workers itself.
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                if post is not None:
                    post.close()
                raise UserError(
                    f"No worker process can be started ({error.strerror}): close other programs, or raise the limit "
                    "of processes (ulimit -u)."
                ) from error
        ours.setblocking(False)
        self._transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)
        return post

    async def _say(self, words: bytes) -> dict[str, str]:
        assert self._transport is not None
        assert self._first_words is not None
        self._transport.write(LENGTH.pack(len(words)) + words)
        return json.loads(await self._first_words)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._unread:
            self._unread += data
        whole = self._unread or data  # most answers come whole: then nothing is copied
        try:
            place = self._read_first_words(whole) if self._first_words is not None else self._read_answers(whole)
        except (ValueError, struct.error, IndexError):
            # Nothing of ours: a picture has taken it over.
            assert self._transport is not None
            self._transport.abort()
            return
        if self._unread:
            del self._unread[:place]
        elif place < len(data):
            self._unread = bytearray(data[place:])

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        if self._first_words is not None and not self._first_words.done():
            sentence = "A worker ended while it opened the models; free memory, or serve fewer models."
            self._first_words.set_exception(UserError(sentence))
        if not self._closed.done():
            self._closed.set_result(None)

    def _read_first_words(self, data: bytes | bytearray) -> int:
        if len(data) < LENGTH.size:
            return 0
        end = LENGTH.size + LENGTH.unpack_from(data)[0]
        if end > _MOST_WORDS_BYTES:
            raise ValueError(f"first words of {end} bytes")
        if len(data) < end:
            return 0
        assert self._first_words is not None
        if not self._first_words.done():
            self._first_words.set_result(bytes(data[LENGTH.size : end]))
        self._first_words = None
        return end

    def _read_answers(self, data: bytes | bytearray) -> int:
        place = 0
        while len(data) - place >= ANSWER.size:
            length, sign, *spent = ANSWER.unpack_from(data, place)
            if length > MOST_ANSWER_BYTES:
                raise ValueError(f"an answer of {length} bytes")
            start = place + ANSWER.size
            if len(data) < start + length:
                break
            place = start + length
            if sign in (HANDED_BACK, TOLD):
                self._heard(sign, bytes(data[start:place]))
                continue
            outcome = _outcome(sign, bytes(data[start:place]), self.jobs[0].n_classes)
            job = self.jobs.popleft()
            self._computes_since = time.monotonic()
            self._answered(job, outcome, Spent(*spent))
        return place

    def _heard(self, sign: int, payload: bytes) -> None:
        if self._seat is None:
            raise ValueError("nothing is lent to it")
        if sign == TOLD:
            self._seat.lender.heard(payload)
        else:
            self._seat.lender.handed_back(payload)


def _outcome(sign: int, payload: bytes, n_classes: int | None) -> Outcome:
    if sign == PICTURE_ANSWERED and n_classes is not None:
        return unpack_picture_answer(payload, n_classes)
    if sign == TENSORS_ANSWERED and n_classes is None:
        return unpack_tensors(payload), NO_SUMMARY
    if sign == REFUSED:
        return unpack_refusal(payload)
    if sign == BROKEN:
        _log.error("A worker failed on a question:\n%s", payload[:_MOST_WORDS_BYTES].decode(errors="replace"))
        return failed()
    raise ValueError(f"an answer of kind {sign}")
