"""The process that answers: decodes a picture, runs the graph, one question at a time, in one thread.

`main`, which `winnow.serve.worker_process` starts, gets the models to open as the first message: <I length, JSON. It
answers in the same form: `{}` when it is ready, else `{"refused": a sentence}` or, of a bug of ours, `{"broken": its
trace}`. Then it answers questions (`winnow.serve.frames`) until the socket is closed; then it ends, whatever it
is doing. The system enforces its limits: processor time for each picture, and memory once all models are open. Between
two questions it answers a request on a connection that was lent to it (`winnow.serve.borrower`).
"""

from __future__ import annotations

import gc
import io
import json
import os
import select
import signal
import socket
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.decoder.child import limit_memory, start_clock, stop_clock
from winnow.data.inputs import to_input
from winnow.data.picture_summary import summary_of
from winnow.data.quiet import quiet_pillow
from winnow.errors import BadDataError, UserError
from winnow.machine import keep_quiet
from winnow.serve.board import Board
from winnow.serve.borrower import Borrower
from winnow.serve.foreign_graph import ForeignGraph
from winnow.serve.frames import (
    ANSWER,
    BROKEN,
    HANDED_BACK,
    LENGTH,
    MOST_ANSWER_BYTES,
    NO_SUMMARY,
    NOTHING_SPENT,
    PICTURE_ANSWERED,
    QUESTION,
    REFUSED,
    TENSORS_ANSWERED,
    TOLD,
    Predicted,
    Spent,
    Summary,
    pack_picture_answer,
    pack_refusal,
    pack_tensors,
    unpack_tensors,
)
from winnow.serve.predictions import one_answer_of
from winnow.serve.refusals import BAD_TENSORS, status_of
from winnow.serve.served import Served, served_of
from winnow.tasks.predictor import Predictor

_NICER = 4
"""The front needs the processor for a moment only, and should not wait for a slice of those who compute: in turns side
by side, the slowest of a hundred answers at 70 % load, and refusals under overload, came up to a third sooner."""
_BETWEEN_SUMMARIES_S = 0.05
"""Of a busy server's pictures a sample is summarised: 20 a second tell as soon whether pictures have changed, and a
summary costs 40 us of processor time between two runs of a graph, a tenth of what reading a small picture does."""


class _Opened(Protocol):
    """A model that a worker holds."""

    def answer(self, data: bytes) -> bytes:
        """The whole frame that answers a question; what is wrong with a question is an answer, too."""
        ...


class _Watch:
    """Time since it was made, by the clock and of this thread's processor."""

    __slots__ = ("_cpu", "_wall")

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    def cpu_s(self) -> float:
        return time.thread_time() - self._cpu


class _RefusedError(Exception):
    """A picture that gets no answer; the frame says why."""

    def __init__(self, frame: bytes) -> None:
        super().__init__()
        self.frame = frame


class _Pictures:
    """A model of Winnow's: a picture file in, probabilities and a summary out."""

    def __init__(self, served: Served) -> None:
        self.words = one_answer_of(served)
        self._predictor = Predictor(served.path, streams=1)
        if self._predictor.facts.sha256 != served.digest:
            raise BadDataError(
                f"The model in {served.path} has changed since the server began to serve it; serve it anew."
            )
        self._spec = self._predictor.facts.input_spec
        self._next_summary = 0.0
        self._warm_up()

    def answer(self, data: bytes) -> bytes:
        try:
            probabilities, summary, spent = self._predict(data)
        except _RefusedError as refused:
            return refused.frame
        return _framed(PICTURE_ANSWERED, pack_picture_answer(probabilities, summary), spent)

    def predict(self, data: bytes) -> Predicted | None:
        """For `winnow.serve.borrower`: the front asks once more what was refused, or failed."""
        try:
            return self._predict(data)
        except Exception:
            return None

    def _predict(self, data: bytes) -> Predicted:
        reading = _Watch()
        try:
            start_clock()
            picture = decode(data, at_least_px=self._spec.side_px)
            pixels, full_size = to_input(picture.pixels, self._spec), picture.full_size
            del picture  # to give its memory back is a part of reading it
        except UnreadablePictureError as error:
            spent = Spent(reading.wall_s(), 0.0, reading.cpu_s())
            raise _RefusedError(_refused(error.code, error.reason, spent)) from error
        except MemoryError as error:  # decoded, but too large for what follows
            sentence = "It takes more memory than a picture may: save it smaller."
            raise _RefusedError(_refused("E_BOMB_PIXELS", sentence)) from error
        finally:
            stop_clock()
        decode_s = reading.wall_s()
        probabilities = self._predictor.answer(pixels)
        spent = Spent(decode_s, reading.wall_s() - decode_s, reading.cpu_s())
        return Predicted(probabilities, self._summary(pixels, *full_size), spent)

    def _summary(self, pixels: npt.NDArray[np.uint8], width: int, height: int) -> Summary:
        now = time.monotonic()
        if now < self._next_summary:
            return NO_SUMMARY
        self._next_summary = now + _BETWEEN_SUMMARIES_S
        return summary_of(pixels, width, height)

    def _warm_up(self) -> None:
        # What engines and decoders load on first use must be there before the memory is limited.
        side = self._spec.side_px + 1
        for kind in ("JPEG", "PNG"):
            file = io.BytesIO()
            Image.fromarray(np.zeros((side, side, 3), dtype=np.uint8)).save(file, kind)
            self.answer(file.getvalue())


class _Tensors:
    """A graph that was made elsewhere: named tensors in, named tensors out."""

    def __init__(self, served: Served) -> None:
        self._graph = ForeignGraph(served.path, served.digest)

    def answer(self, data: bytes) -> bytes:
        computing = _Watch()
        try:
            payload = pack_tensors(self._graph.run(unpack_tensors(data)))
        except UserError as error:
            return _refused(BAD_TENSORS, str(error))
        except MemoryError:
            payload = None
        if payload is None or len(payload) > MOST_ANSWER_BYTES:
            return _refused(BAD_TENSORS, "The answer takes too much memory; ask with smaller tensors.")
        return _framed(TENSORS_ANSWERED, payload, Spent(0.0, computing.wall_s(), computing.cpu_s()))


def main(channel: int, post: int, ready: int, board: int) -> None:
    """Open the models that are asked for, then answer questions until the socket is closed.

    Args:
        channel: the socket of questions and answers; this and the others are descriptors.
        post: the socket by which connections are lent; these three are -1 where there is no lending.
        ready: the epoll in which they lie.
        board: the memory of `winnow.serve.board`.
    """
    # Whoever stops the whole group wants the front to finish what it has accepted: it ends us when that is done.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    os.nice(_NICER)
    keep_quiet()
    with socket.socket(fileno=channel) as questions:
        _end_with(questions)
        try:
            asked = json.loads(_read(questions, *LENGTH.unpack(_read(questions, LENGTH.size))))
            served = [served_of(values) for values in asked["models"]]
            opened: list[_Opened] = [_Pictures(one) if one.kind == "pictures" else _Tensors(one) for one in served]
        except UserError as error:
            return _say(questions, {"refused": str(error)})
        except Exception:  # a bug of ours: the front keeps its trace in the log
            return _say(questions, {"broken": traceback.format_exc()})
        borrower = None
        if post >= 0:
            borrower = _borrower(questions, post, ready, board, opened, asked["lending"])
        limit_memory()
        gc.freeze()  # what is loaded now stays: looking through all of it again would hold up a question now and then
        _say(questions, {})
        with quiet_pillow():
            _answer_all(questions, opened, borrower)
    return None


def _borrower(
    channel: socket.socket, post: int, ready: int, board: int, opened: Sequence[_Opened], terms: dict[str, int]
) -> Borrower:
    return Borrower(
        socket.socket(fileno=post),
        select.epoll.fromfd(ready),
        Board(board, terms["n_workers"], terms["n_answer_bytes"]),
        terms["worker"],
        [one if isinstance(one, _Pictures) else None for one in opened],
        hand_back=lambda payload: channel.sendall(_framed(HANDED_BACK, payload, NOTHING_SPENT)),
        tell=lambda payload: channel.sendall(_framed(TOLD, payload, NOTHING_SPENT)),
    )


def _end_with(channel: socket.socket) -> None:
    """End this process when the front is gone, even if it opens or runs a graph that never comes back."""
    front = select.poll()
    front.register(channel, 0)  # that the other end was closed is told without being asked for

    def wait() -> None:
        front.poll()
        os._exit(1)

    threading.Thread(target=wait, name="front", daemon=True).start()


def _say(channel: socket.socket, words: dict[str, str]) -> None:
    text = json.dumps(words).encode()
    channel.sendall(LENGTH.pack(len(text)) + text)


def _answer_all(channel: socket.socket, opened: Sequence[_Opened], borrower: Borrower | None) -> None:
    """Questions of the front and requests on lent connections in turn, as they come."""
    if borrower is None:
        while _answer_question(channel, opened):
            pass
        return
    asked, post, ready = channel.fileno(), borrower.post.fileno(), borrower.ready.fileno()
    coming = select.epoll()
    for one in (asked, post):
        coming.register(one, select.EPOLLIN)
    takes_part = False
    while True:
        found = [descriptor for descriptor, _ in coming.poll(borrower.patience_s)]
        if post in found:
            if not borrower.hear():
                return
            if not takes_part:  # what was lent before the first message, this worker was not told of
                coming.register(ready, select.EPOLLIN)
                takes_part = True
        if asked in found and not _answer_question(channel, opened):
            return
        if ready in found:
            borrower.answer_next()
        else:
            borrower.tell_when_due()


def _answer_question(channel: socket.socket, opened: Sequence[_Opened]) -> bool:
    """Answer the next question of the front; False: there are no more."""
    head = _read(channel, QUESTION.size)
    if len(head) < QUESTION.size:
        return False
    length, place = QUESTION.unpack(head)
    data = _read(channel, length)
    if len(data) < length:
        return False
    try:
        answer = opened[place].answer(data)
    except Exception:  # a bug of ours costs this answer, and the front keeps its trace in the log
        answer = _framed(BROKEN, traceback.format_exc().encode(), NOTHING_SPENT)
    channel.sendall(answer)
    return True


def _read(channel: socket.socket, n_bytes: int) -> bytes:
    """So many bytes, or fewer where the other end was closed."""
    data = channel.recv(n_bytes, socket.MSG_WAITALL) if n_bytes else b""
    while len(data) < n_bytes and (more := channel.recv(n_bytes - len(data), socket.MSG_WAITALL)):
        data += more  # a signal may cut a long wait short
    return data


def _refused(code: str, sentence: str, spent: Spent = NOTHING_SPENT) -> bytes:
    return _framed(REFUSED, pack_refusal(status_of(code), code, sentence), spent)


def _framed(sign: int, payload: bytes, spent: Spent) -> bytes:
    return ANSWER.pack(len(payload), sign, *spent) + payload
