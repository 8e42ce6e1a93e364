"""Connections that are lent to the workers, from the front's side.

Waking the front for each request of a client that asks the same again and again costs more than all it does for it. So
such a connection is lent to all workers of a crew at once, and whoever is free answers what comes (`serve.borrower`).
The front has it back when anything unusual comes, when what is served or who may ask changes, and after a while in any
case, so that its clocks apply to connections that nobody uses. Linux only; elsewhere nothing is lent.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from winnow.serve.board import ARMED, FIRST_NUMBER, MOST_LENT, MOST_REQUEST_BYTES, Board
from winnow.serve.known_heads import MOST_HEAD_BYTES, see_head
from winnow.serve.loan import BACK, FORGET, IS_FORGET, IS_LEND, LEND, Became, Tally, unpack_tallies
from winnow.serve.questions import UnansweredError
from winnow.serve.served import Served
from winnow.serve.shared_answers import SharedAnswers, table_bytes
from winnow.serve.turning_away import Overflow

LONGEST_LOAN_S = 20.0
_LOOK_S = 0.002
"""Between two looks whether workers have let go of what is recalled."""
_TURN_AWAY_S = 0.003
"""Between two looks at how many wait, while they may soon be too many."""
_COUNT_S = 0.02
"""Between two such looks, else."""


class Lendable(Protocol):
    """A connection of a client."""

    def take_back(self, unsent: bytes, unread: bytes, *, is_unusual: bool) -> None:
        """Go on with it: write the rest of an answer, then read, as the first thing, what was read already.

        Args:
            is_unusual: a worker could not answer what it had read.
        """
        ...

    def abort(self) -> None:
        """End it: nobody can say how far its answer went."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be answered on a connection.

    Attributes:
        served: who answers.
        top: how many classes are shown; None: all.
        most_bytes: of a body; a longer one is for the front to refuse.
        head: the key of the one head that is let in (`winnow.serve.known_heads`).
        is_true: whether it would still be understood, and let in, in the same way.
    """

    served: Served
    top: int | None
    most_bytes: int
    head: bytes
    is_true: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker's place among those to whom connections are lent."""

    lender: Lender
    worker: int

    def terms(self) -> dict[str, int]:
        """What the worker has to know, for JSON."""
        return {
            "worker": self.worker,
            "n_workers": self.lender.n_workers,
            "n_answer_bytes": self.lender.n_answer_bytes,
        }


@dataclass(slots=True, eq=False)
class _Loan:
    number: int
    serial: int
    connection: Lendable
    wish: Wish
    until: float


class Lender:
    """All that one crew's workers have on loan.

    Args:
        served: in the workers' order.
        n_workers: of the crew.
        n_cached: so many answers are remembered among them.
        most_waiting: more requests are refused.
        refusal: why, where so many wait.
        told: hears what was answered.
    """

    def __init__(
        self,
        served: Sequence[Served],
        *,
        n_workers: int,
        n_cached: int,
        most_waiting: int,
        refusal: Callable[[int], UnansweredError],
        told: Callable[[Served, Tally], None],
    ) -> None:
        self.n_workers = n_workers
        self._served = served
        self._places = {one.key: place for place, one in enumerate(served)}
        self._told = told
        n_probs = [len(one.classes) for one in served]
        self.n_answer_bytes = table_bytes(n_cached, n_probs)
        self.board = Board.make(n_workers, self.n_answer_bytes)
        self._answers = SharedAnswers(self.board.answers, n_probs) if self.n_answer_bytes else None
        self.ready = select.epoll()
        self._rows = [self.board.row(worker) for worker in range(n_workers)]
        self._posts: dict[int, _Post] = {}
        self._loans: dict[int, _Loan] = {}
        self._recalled: set[_Loan] = set()
        self._serial = itertools.count(1)
        self._collecting: asyncio.TimerHandle | None = None
        self._overflow = Overflow(self.ready, most_waiting, refusal)
        self._turning_away: asyncio.TimerHandle | None = None

    @property
    def descriptors(self) -> tuple[int, int]:
        """What workers share: the epoll and the board."""
        return self.ready.fileno(), self.board.descriptor

    @property
    def is_busy(self) -> bool:
        """Whether connections are wanted back that workers still have."""
        return bool(self._recalled)

    @property
    def n_computing(self) -> int:
        """How many workers are at a request of a lent connection."""
        return sum(row.since > 0 for row in self._rows)

    def computes_s(self, worker: int) -> float:
        """For how long a worker has been at one of them; 0 if it is at none."""
        since = self._rows[worker].since
        return time.monotonic() - since if since else 0.0

    def join(self, worker: int, post: socket.socket) -> None:
        """A worker is ready, and takes part from now on."""
        self.recall()  # it knows of none of them
        self._posts[worker] = _Post(post)

    def leave(self, worker: int) -> None:
        """A worker's process has ended: what it had comes back, with the bytes that it had read."""
        post = self._posts.pop(worker, None)
        if post is not None:
            post.close()
        row = self._rows[worker]
        row.let_go()
        for loan in [one for one in self._loans.values() if self.board.holder(one.number) == worker]:
            if self.board.is_unsure(loan.number):
                self._end(loan)
                loan.connection.abort()
            else:
                held = row.held() if self.board.is_held(loan.number) else b""
                self._put_aside(loan, held)
                self._give(loan, unread=held)
        row.clear()
        self.recall()  # it may have taken one more without having said so

    def lend(self, connection: Lendable, duplicate: socket.socket, wish: Wish) -> bool:
        """Let the workers answer what comes on a connection; False: the front goes on with it.

        Args:
            connection: reads nothing until it is given back.
            duplicate: the same socket with a number from `board.FIRST_NUMBER` on.
            wish: what is answered.
        """
        number = duplicate.fileno()
        place = self._places.get(wish.served.key)
        if place is None or not self._posts or not FIRST_NUMBER <= number < FIRST_NUMBER + MOST_LENT:
            return False
        loan = _Loan(number, next(self._serial) & 0xFFFFFFFF, connection, wish, time.monotonic() + LONGEST_LOAN_S)
        said = (loan.serial, self.board.edition, place, wish.top or 0, min(wish.most_bytes, MOST_REQUEST_BYTES))
        message = LEND.pack(IS_LEND, number, *said, wish.head)
        told: list[_Post] = []
        for post in self._posts.values():
            if not post.lend(message, number):
                for one in told:
                    one.send(FORGET.pack(IS_FORGET, number))
                return False
            told.append(post)
        self.board.lend(number, loan.serial)
        self._loans[number] = loan
        self._overflow.add(number, duplicate, wish.head, wish.most_bytes)
        self.ready.register(number, ARMED)  # last: who takes an event must know what it is about
        if self._turning_away is None:
            self._turn_away_later(_COUNT_S)
        return True

    def look(self) -> None:
        """Now and then: recall what is lent no longer, or must not be."""
        now = time.monotonic()
        over = [one for one in self._loans.values() if now >= one.until]
        if any(not one.wish.is_true() for one in self._loans.values()):
            self.recall()
        elif over:
            self._want(over)

    def recall(self) -> None:
        """Have all connections back as soon as nobody answers on them; from now on nobody begins to."""
        if self._loans:
            self.board.begin_edition()
            self._want(self._loans.values())

    def end(self) -> None:
        """All workers have ended."""
        for loan in [*self._loans.values()]:  # whatever a worker left on the board
            self._give(loan)
        for timer in (self._collecting, self._turning_away):
            if timer is not None:
                timer.cancel()
        self.ready.close()
        self.board.close()

    def handed_back(self, payload: bytes) -> None:
        """A worker hands back a connection.

        Raises:
            ValueError: these are no words of a worker's.
        """
        if len(payload) < BACK.size:
            raise ValueError(f"{len(payload)} bytes to hand back a connection")
        number, serial, n_unsent = BACK.unpack_from(payload)
        loan = self._loans.get(number)
        if loan is not None and loan.serial == serial:
            unsent, unread = payload[BACK.size : BACK.size + n_unsent], payload[BACK.size + n_unsent :]
            self._give(loan, unsent, unread, is_unusual=bool(unread) and loan not in self._recalled)

    def heard(self, payload: bytes) -> None:
        """A worker says what it answered.

        Raises:
            ValueError: these are no words of a worker's.
        """
        for tally in unpack_tallies(payload, [len(one.classes) for one in self._served]):
            if tally.place >= len(self._served):
                raise ValueError(f"model {tally.place} of {len(self._served)}")
            self._told(self._served[tally.place], tally)

    def _turn_away_later(self, pause_s: float) -> None:
        is_possible = self._overflow.is_possible
        self._turning_away = asyncio.get_running_loop().call_later(pause_s, self._turn_away) if is_possible else None

    def _turn_away(self) -> None:
        """Refuse what is too much, and look again soon."""
        began = time.monotonic()
        n_waiting, refused, unusual = self._overflow.turn_away()
        tallies: dict[Served, Tally] = {}
        for served in (self._loans[number].wish.served for number in refused):
            tally = tallies.setdefault(served, Tally(self._places[served.key], Became.REFUSED))
            tally.add(time.monotonic() - began, None)
        for served, tally in tallies.items():
            self._told(served, tally)
        for number, unsent in unusual:
            self._give(self._loans[number], unsent)
        self._turn_away_later(_TURN_AWAY_S if self._overflow.is_near(n_waiting) else _COUNT_S)

    def _want(self, loans: Iterable[_Loan]) -> None:
        for loan in loans:
            if loan not in self._recalled:
                self._recalled.add(loan)
                self._disarm(loan)
        self._collect()

    def _collect(self) -> None:
        """Take back what no worker has; the others let go of what they have, or hand it back, when they are done."""
        if self._collecting is not None:
            self._collecting.cancel()
            self._collecting = None
        if self.board.is_at_rest:
            for loan in [one for one in self._recalled if self.board.holder(one.number) is None]:
                self._give(loan)
        if self._recalled:
            self._collecting = asyncio.get_running_loop().call_later(_LOOK_S, self._collect)

    def _put_aside(self, loan: _Loan, held: bytes) -> None:
        """What a worker was at when it ended may have ended it: others leave it to the front, which finds that out."""
        seen = see_head(held[:MOST_HEAD_BYTES])
        if seen is not None and self._answers is not None:
            body = held[seen.end : seen.end + seen.n_bytes]
            self._answers.put_aside(hashlib.sha256(body).digest(), self._places[loan.wish.served.key])

    def _give(self, loan: _Loan, unsent: bytes = b"", unread: bytes = b"", *, is_unusual: bool = False) -> None:
        self._end(loan)
        loan.connection.take_back(unsent, unread, is_unusual=is_unusual)

    def _end(self, loan: _Loan) -> None:
        self._disarm(loan)
        self._recalled.discard(loan)
        self._overflow.discard(loan.number)
        del self._loans[loan.number]
        self.board.free(loan.number)
        self._forget(loan.number)

    def _disarm(self, loan: _Loan) -> None:
        with suppress(OSError):  # it was recalled before
            self.ready.unregister(loan.number)

    def _forget(self, number: int) -> None:
        for post in self._posts.values():
            post.send(FORGET.pack(IS_FORGET, number))


class _Post:
    """Messages to one worker, which never wait for it: one that is slow reads them later."""

    def __init__(self, post: socket.socket) -> None:
        self._post = post
        self._waiting: deque[bytes] = deque()

    def lend(self, message: bytes, number: int) -> bool:
        """Send a message with a descriptor; False: it cannot be sent now."""
        if self._waiting:
            return False
        try:
            socket.send_fds(self._post, [message], [number])
        except OSError:
            return False
        return True

    def send(self, message: bytes) -> None:
        """Send a message, sooner or later."""
        if not self._waiting and self._is_sent(message):
            return
        if not self._waiting:
            asyncio.get_running_loop().add_writer(self._post, self._go_on)
        self._waiting.append(message)

    def close(self) -> None:
        """Its worker has ended."""
        if self._waiting:
            asyncio.get_running_loop().remove_writer(self._post)
        self._post.close()

    def _go_on(self) -> None:
        while self._waiting and self._is_sent(self._waiting[0]):
            self._waiting.popleft()
        if not self._waiting:
            asyncio.get_running_loop().remove_writer(self._post)

    def _is_sent(self, message: bytes) -> bool:
        try:
            self._post.send(message)
        except BlockingIOError:
            return False
        except OSError:  # it has ended, and needs no messages
            return True
        return True
