"""A worker's part of lent connections: it reads a request, answers it and lets the connection go, and nobody is woken.

Only what is wholly usual is answered here: the very head that was let in before, with a body that comes with it. The
front gets everything else back, with the bytes that were read, and goes on as though it had read them itself.
"""

from __future__ import annotations

import hashlib
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from winnow.serve.board import ARMED, MOST_REQUEST_BYTES, Board
from winnow.serve.frames import NO_SUMMARY, NOTHING_SPENT, Predicted
from winnow.serve.known_heads import MOST_HEAD_BYTES, LikeLast
from winnow.serve.loan import BACK, FORGET, IS_LEND, LEND, Became, Tally
from winnow.serve.predictions import OneAnswer
from winnow.serve.reply import Reply, date_header, write_now
from winnow.serve.shared_answers import SharedAnswers

_REST_MS = 2
"""So long the rest of a request may take when its first bytes are there: a client on this machine or next to it."""
_MOST_REST_S = 0.02
"""So long all of the rest: who sends a byte now and then holds up no worker."""
_TELL_S = 0.1


class LendableModel(Protocol):
    """A model of pictures that a worker holds."""

    words: OneAnswer

    def predict(self, data: bytes) -> Predicted | None:
        """What it says of a picture file; None: nothing, for a reason that the front shall say."""
        ...


class _Loan(NamedTuple):
    serial: int
    edition: int
    place: int
    top: int | None
    most_bytes: int
    key: bytes
    head: LikeLast


class _Request(NamedTuple):
    """A whole one in the worker's row of the board; its body ends where it ends."""

    loan: _Loan
    body_begins: int
    ends: int


class Borrower:
    """Answers on lent connections, one request at a time.

    Args:
        post: brings loans.
        ready: the epoll that all workers share.
        board: the same for all.
        worker: which of its rows is this one's.
        models: in the workers' order; None where a model takes no pictures.
        hand_back: sends the front `BACK` and what follows.
        tell: sends the front tallies.

    Attributes:
        post: as given; when it can be read, `hear`.
        ready: as given; when it can be read, `answer_next`.
    """

    def __init__(
        self,
        post: socket.socket,
        ready: select.epoll,
        board: Board,
        worker: int,
        models: Sequence[LendableModel | None],
        *,
        hand_back: Callable[[bytes], None],
        tell: Callable[[bytes], None],
    ) -> None:
        self.post = post
        post.setblocking(False)
        self.ready = ready
        self._board = board
        self._row = board.row(worker)
        self._models = models
        self._hand_back = hand_back
        self._tell = tell
        self._loans: dict[int, _Loan] = {}
        self._untold: list[tuple[int, Became, float, Predicted | None]] = []
        self._tell_at = 0.0
        self._around, self._around_of = (b"", b""), 0
        n_probs = [0 if model is None else model.words.n_classes for model in models]
        self._answers = SharedAnswers(board.answers, n_probs) if len(board.answers) else None
        self._row.clear()

    @property
    def patience_s(self) -> float | None:
        """If nothing comes for so long, `tell_when_due`; None: there is nothing to tell."""
        return _TELL_S if self._untold else None

    def hear(self) -> bool:
        """Take in what the front says of loans; False: it is gone."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self.post, LEND.size, 1)
            except BlockingIOError:
                return True
            if not message:
                return False
            if message[0] == IS_LEND:
                _, number, serial, edition, place, top, most_bytes, key = LEND.unpack(message)
                os.dup2(descriptors[0], number, inheritable=False)
                os.close(descriptors[0])
                self._loans[number] = _Loan(serial, edition, place, top or None, most_bytes, key, LikeLast())
            else:
                _, number = FORGET.unpack(message)
                self._drop(number)

    def answer_next(self) -> None:
        """Answer the request that has waited longest, if there is one."""
        row = self._row
        row.reach()
        taken = [number for number, _ in self.ready.poll(0, 1)]
        for number in taken:
            row.take(number)
        row.let_go()
        for number in taken:
            row.since = now = time.monotonic()
            self._answer(number, now)
            row.since = 0.0

    def tell_when_due(self) -> None:
        """Tell the front what was answered since it was last told, if that is a while ago."""
        if not self._untold or time.monotonic() < self._tell_at:
            return
        tallies: dict[tuple[int, Became], Tally] = {}
        for place, became, seconds, predicted in self._untold:
            if (place, became) not in tallies:
                tallies[place, became] = Tally(place, became)
            tallies[place, became].add(seconds, predicted)
        self._untold.clear()
        self._tell(b"".join([tally.pack() for tally in tallies.values()]))

    def _answer(self, number: int, began: float) -> None:
        request = self._read(number)
        if request is None:
            return
        loan, begins, ends = request
        body = bytes(self._row.request[begins:ends])
        model = self._models[loan.place]
        key = None if self._answers is None else hashlib.sha256(body).digest()
        known = None if key is None or self._answers is None else self._answers.get(key, loan.place)
        if known:
            predicted = Predicted(np.frombuffer(known, np.float32), NO_SUMMARY, NOTHING_SPENT)
        else:
            predicted = None if model is None or known is not None else model.predict(body)
        if model is None or predicted is None:
            if known is None and key is not None and self._answers is not None:
                self._answers.put_aside(key, loan.place)
            self._give_back(number, loan, unread=self._row.held())
            return
        text = model.words.text(predicted.probabilities, loan.top)
        self._send(number, loan, self._wire(text))
        if known is None and key is not None and self._answers is not None:
            self._answers.put(key, loan.place, predicted.probabilities.tobytes())
        self._note(loan.place, Became.ANSWERED if known is None else Became.CACHED, began, predicted)

    def _read(self, number: int) -> _Request | None:
        """The request that waits on a connection, if it is one to be answered here; else the front has it now."""
        loan = self._loan_of(number)
        row = self._row
        row.touch(number)
        n_read = self._receive(number, 0)
        row.hold(number, n_read)
        seen = loan.head.see(bytes(row.request[: min(n_read, MOST_HEAD_BYTES)]))
        if seen is not None and seen.key == loan.key and loan.edition == self._board.edition:
            end = seen.end + seen.n_bytes
            if n_read < end <= MOST_REQUEST_BYTES:
                n_read = self._wait_for_rest(number, n_read, end)
            if n_read == end and 0 < seen.n_bytes <= loan.most_bytes:
                return _Request(loan, seen.end, end)
        self._give_back(number, loan, unread=row.held())
        return None

    def _loan_of(self, number: int) -> _Loan:
        """The loan of a connection that was taken."""
        loan = self._loans.get(number)
        if loan is None or loan.serial != self._board.serial(number):
            # Armed after all workers were told of it: it lies in the post, behind the end of what had its number.
            self.hear()
            loan = self._loans[number]
        return loan

    def _wait_for_rest(self, number: int, n_read: int, end: int) -> int:
        coming = select.poll()
        coming.register(number, select.POLLIN)
        give_up = time.monotonic() + _MOST_REST_S
        while n_read < end and time.monotonic() < give_up and coming.poll(_REST_MS):
            self._row.touch(number)
            more = self._receive(number, n_read)
            n_read += more
            self._row.hold(number, n_read)
            if not more:
                break
        return n_read

    def _receive(self, number: int, begin: int) -> int:
        try:
            return os.readv(number, [self._row.request[begin:]])
        except OSError:  # nothing there, or a client that left: the front sees the same
            return 0

    def _send(self, number: int, loan: _Loan, wire: bytes) -> None:
        """Write an answer and let the connection go."""
        self._row.touch(number)
        unsent = write_now(number, wire)
        if unsent:
            self._give_back(number, loan, unsent=unsent)
            return
        self._row.reach()
        self._arm(number)
        self._row.let_go()

    def _arm(self, number: int) -> None:
        self._row.free(number)
        try:
            self.ready.modify(number, ARMED)
        except FileNotFoundError:  # the front wants it back, and sees that it is free
            return

    def _drop(self, number: int) -> None:
        if self._loans.pop(number, None) is not None:
            os.close(number)

    def _give_back(self, number: int, loan: _Loan, *, unsent: bytes = b"", unread: bytes = b"") -> None:
        self._drop(number)
        self._hand_back(BACK.pack(number, loan.serial, len(unsent)) + unsent + unread)

    def _note(self, place: int, became: Became, began: float, predicted: Predicted | None = None) -> None:
        now = time.monotonic()
        if not self._untold:
            self._tell_at = now + _TELL_S
        self._untold.append((place, became, now - began, predicted))
        if now >= self._tell_at:
            self.tell_when_due()

    def _wire(self, text: bytes) -> bytes:
        """An answer as it goes over the wire; what is the same in all of them is made once a second, for the date."""
        second = int(time.time())
        if second != self._around_of:
            empty = Reply(b"").wire([date_header()])
            before, mark, after = empty.partition(b"content-length: ")
            self._around, self._around_of = (before + mark, after.removeprefix(b"0")), second
        before, after = self._around
        return b"%b%d%b%b" % (before, len(text), after, text)
