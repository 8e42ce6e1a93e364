"""When too much waits on lent connections, the front turns away what came last, and workers go on answering.

A worker would have to end a picture first; the front is at nothing else, so whoever is refused hears of it within
milliseconds. It takes what is ready out of the epoll that all share, puts back as much as may wait, and answers the
rest, whose pictures are dropped where they lie, uncopied.
"""

from __future__ import annotations

import mmap
import select
import socket
import sys
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from winnow.serve.board import ARMED, MOST_REQUEST_BYTES
from winnow.serve.known_heads import MOST_HEAD_BYTES, LikeLast
from winnow.serve.problem import problem_of
from winnow.serve.questions import UnansweredError
from winnow.serve.reply import date_header, write_now

if sys.platform == "linux":  # elsewhere nothing is lent
    from fcntl import ioctl
    from termios import FIONREAD


class TurnedAway(NamedTuple):
    """What became of all that was ready.

    Attributes:
        n_waiting: how many were ready.
        refused: connections whose requests were refused, and which may ask again.
        unusual: those on which only the front can go on, and what of a refusal could not be sent yet.
    """

    n_waiting: int
    refused: list[int]
    unusual: list[tuple[int, bytes]]


class Overflow:
    """What waits on lent connections, and the end of it that is turned away.

    Args:
        ready: the epoll in which they lie.
        most_waiting: more are turned away.
        refusal: why, where so many wait.
    """

    def __init__(self, ready: select.epoll, most_waiting: int, refusal: Callable[[int], UnansweredError]) -> None:
        self._ready = ready
        self._most_waiting = most_waiting
        self._refusal = refusal
        self._lent: dict[int, _Requests] = {}
        self._room = memoryview(mmap.mmap(-1, MOST_REQUEST_BYTES))  # nothing is ever written to it

    @property
    def is_possible(self) -> bool:
        """Whether there are connections enough for too much to wait."""
        return len(self._lent) > self._most_waiting

    def is_near(self, n_waiting: int) -> bool:
        """Whether so many are half of what may wait, or more."""
        return 2 * n_waiting >= self._most_waiting

    def add(self, number: int, connection: socket.socket, head: bytes, most_bytes: int) -> None:
        """A connection is lent, for requests with this head and bodies of up to so many bytes."""
        self._lent[number] = _Requests(connection, head, most_bytes)

    def discard(self, number: int) -> None:
        """It is lent no longer."""
        self._lent.pop(number, None)

    def turn_away(self) -> TurnedAway:
        """Refuse what is too much; what is left lies in the epoll again, in the order in which it came."""
        if not self._lent:
            return TurnedAway(0, [], [])
        numbers = [number for number, _ in self._ready.poll(0, len(self._lent))]
        for number in numbers[: self._most_waiting]:
            self._ready.modify(number, ARMED)
        done = TurnedAway(len(numbers), [], [])
        if len(numbers) <= self._most_waiting:
            return done
        wire = problem_of(self._refusal(self._most_waiting)).reply().wire([date_header()])
        for number in numbers[self._most_waiting :]:
            found = self._lent[number].drop(self._room)
            unsent = write_now(number, wire) if found == _Found.WHOLE else b""
            if unsent or found == _Found.OTHER:
                done.unusual.append((number, unsent))
                continue
            if found == _Found.WHOLE:
                done.refused.append(number)
            self._ready.modify(number, ARMED)
        return done


class _Found(Enum):
    WHOLE = auto()
    """A request of the usual kind, which is dropped by now."""
    COMING = auto()
    """The first bytes of one."""
    OTHER = auto()
    """An end, or what the front alone understands."""


class _Requests:
    """What comes on one connection, for a reader that wants none of it."""

    __slots__ = ("_connection", "_head", "_most_bytes", "_seen")

    def __init__(self, connection: socket.socket, head: bytes, most_bytes: int) -> None:
        self._connection = connection
        self._head = head
        self._most_bytes = min(most_bytes, MOST_REQUEST_BYTES - MOST_HEAD_BYTES)
        self._seen = LikeLast()

    def drop(self, room: memoryview) -> _Found:
        """Drop the next request; `room` is as large as any."""
        try:
            seen = self._seen.see(self._connection.recv(MOST_HEAD_BYTES, socket.MSG_PEEK))
            if seen is None or seen.key != self._head or not 0 < seen.n_bytes <= self._most_bytes:
                return _Found.OTHER
            end = seen.end + seen.n_bytes
            there = ioctl(self._connection.fileno(), FIONREAD, bytes(4))
            if int.from_bytes(there, sys.byteorder) < end:
                return _Found.COMING
            if self._connection.recv_into(room, end, socket.MSG_TRUNC) < end:
                self._connection.shutdown(socket.SHUT_RDWR)  # never seen: part of it is gone, and nobody can go on
                return _Found.OTHER
        except OSError:  # a client that left
            return _Found.OTHER
        return _Found.WHOLE
