"""What the front and its workers see of connections that were lent: a piece of memory that all of them share.

A connection that is lent lies in one epoll of the system's that the front and all workers share, armed for one event
(EPOLLONESHOT): whoever takes the event has the connection to itself until it arms it again. What the system does not
say stands here: who has a connection at the moment and how far it has come, so that the front can take it back, or
answer for a worker that died.

Each value is one aligned word, written by one process at a time. A worker says that it has its hands on connections
before it takes or arms one, and that it has not when the table says what it did: whoever has removed a connection
from the epoll and then finds no hands on any, knows that the table is true of it for good, for the epoll's own lock
lies between.

Source: epoll_ctl(2), EPOLLONESHOT; memfd_create(2).
"""

from __future__ import annotations

import mmap
import os
import select
import sys
from typing import Final

FIRST_NUMBER: Final = 2400
"""Lent connections have the same number in every process, from this on: epoll knows them by it."""
MOST_LENT: Final = 1024
MOST_REQUEST_BYTES: Final = 2 << 20
"""A longer request, head and body, is read by the front."""
ARMED: Final = select.EPOLLIN | select.EPOLLONESHOT if sys.platform == "linux" else 0
"""What epoll is to tell of a lent connection: that something came, once, and to one."""
FREE: Final = 0
"""In the table: no worker has it."""
_TAKEN, _UNSURE, _HELD = 1, 2, 3
_STAGES = 4
_EDITION, _ROWS = 0, 8  # places of words
_HANDS, _SINCE, _N_READ, _ROW = 0, 1, 2, 8  # places in a worker's row, and its length


class Board:
    """The shared memory, from either side.

    Args:
        descriptor: of the memory.
        n_workers: that share it with the front.
        n_answer_bytes: for `winnow.serve.shared_answers`.

    Attributes:
        descriptor: as given.
        answers: the bytes of remembered answers.
    """

    def __init__(self, descriptor: int, n_workers: int, n_answer_bytes: int) -> None:
        self.descriptor = descriptor
        self._n_workers = n_workers
        self._table = _ROWS + n_workers * _ROW
        self._serials = self._table + MOST_LENT
        n_words = self._serials + MOST_LENT
        requests = mmap.PAGESIZE * -(-8 * n_words // mmap.PAGESIZE)
        answers = requests + n_workers * MOST_REQUEST_BYTES
        self._memory = mmap.mmap(descriptor, answers + n_answer_bytes)
        whole = memoryview(self._memory)
        words = whole[: 8 * n_words]
        self._words, self._times = words.cast("Q"), words.cast("d")
        self._requests = [
            whole[begin : begin + MOST_REQUEST_BYTES] for begin in range(requests, answers, MOST_REQUEST_BYTES)
        ]
        self.answers = whole[answers:]
        self._views = [whole, words, self._words, self._times, *self._requests, self.answers]

    @classmethod
    def make(cls, n_workers: int, n_answer_bytes: int) -> Board:
        """A new one, in memory that lives as long as a process that has it."""
        descriptor = os.memfd_create("winnow-board", os.MFD_CLOEXEC)
        words = 8 * (_ROWS + n_workers * _ROW + 2 * MOST_LENT) + mmap.PAGESIZE
        os.ftruncate(descriptor, words + n_workers * MOST_REQUEST_BYTES + n_answer_bytes)
        return cls(descriptor, n_workers, n_answer_bytes)

    def close(self) -> None:
        """Give the descriptor and the memory back; what was made of this board is of no use any more."""
        for view in self._views:
            view.release()
        self._memory.close()
        os.close(self.descriptor)

    @property
    def edition(self) -> int:
        """Another number after each recall: what was lent before is answered by nobody but the front."""
        return self._words[_EDITION]

    def begin_edition(self) -> None:
        """From now on workers hand back whatever was lent before."""
        self._words[_EDITION] += 1

    def row(self, worker: int) -> Row:
        """What a worker says of itself."""
        return Row(worker, self._words, self._times, _ROWS + worker * _ROW, self._table, self._requests[worker])

    @property
    def is_at_rest(self) -> bool:
        """Whether no worker has its hands on connections just now."""
        return not any(self._words[_ROWS + worker * _ROW + _HANDS] for worker in range(self._n_workers))

    def holder(self, number: int) -> int | None:
        """The worker that has a connection; None: nobody."""
        cell = self._words[self._table + number - FIRST_NUMBER]
        return None if cell == FREE else cell // _STAGES - 1

    def is_unsure(self, number: int) -> bool:
        """Whether whoever has a connection reads or writes on it: how far that went, nobody else can say."""
        return self._words[self._table + number - FIRST_NUMBER] % _STAGES == _UNSURE

    def is_held(self, number: int) -> bool:
        """Whether what was read from a connection lies in the row of the worker that has it."""
        return self._words[self._table + number - FIRST_NUMBER] % _STAGES == _HELD

    def free(self, number: int) -> None:
        """Nobody has it any more."""
        self._words[self._table + number - FIRST_NUMBER] = FREE

    def lend(self, number: int, serial: int) -> None:
        """A connection is about to be lent; its number may have been another's a moment ago."""
        self.free(number)
        self._words[self._serials + number - FIRST_NUMBER] = serial

    def serial(self, number: int) -> int:
        """Of the loan that has a number now."""
        return self._words[self._serials + number - FIRST_NUMBER]


class Row:
    """One worker's part of the board.

    Attributes:
        request: where it reads a request to.
    """

    __slots__ = ("_cell", "_place", "_table", "_times", "_words", "request")

    def __init__(
        self, worker: int, words: memoryview, times: memoryview[float], place: int, table: int, request: memoryview
    ) -> None:
        self._words, self._times, self._place = words, times, place
        self._table = table - FIRST_NUMBER
        self._cell = (worker + 1) * _STAGES
        self.request = request

    def reach(self) -> None:
        """Its hands are on connections: the table is not to be believed until it lets go."""
        self._words[self._place + _HANDS] = 1

    def let_go(self) -> None:
        """The table says all again."""
        self._words[self._place + _HANDS] = 0

    def take(self, number: int) -> None:
        """It has taken a connection, of which nothing was read."""
        self._words[self._table + number] = self._cell + _TAKEN

    def hold(self, number: int, n_bytes: int) -> None:
        """So many bytes of it were read into `request`."""
        self._words[self._place + _N_READ] = n_bytes
        self._words[self._table + number] = self._cell + _HELD

    def touch(self, number: int) -> None:
        """It is about to read or write: should it end here, nobody can go on."""
        self._words[self._table + number] = self._cell + _UNSURE

    def free(self, number: int) -> None:
        """It is about to arm it again."""
        self._words[self._table + number] = FREE

    @property
    def since(self) -> float:
        """Since when it has been at one request, on the clock of `time.monotonic`; 0: it is at none."""
        return self._times[self._place + _SINCE]

    @since.setter
    def since(self, at: float) -> None:
        self._times[self._place + _SINCE] = at

    def held(self) -> bytes:
        """What was read of the request that it is at."""
        return bytes(self.request[: self._words[self._place + _N_READ]])

    def clear(self) -> None:
        """A new worker has this row."""
        self.let_go()
        self.since = 0.0
