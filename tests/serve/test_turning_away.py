"""What waits on lent connections beyond what may wait is refused, and nothing else is touched."""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from winnow.serve.board import ARMED, MOST_REQUEST_BYTES
from winnow.serve.known_heads import see_head
from winnow.serve.refusals import queue_full
from winnow.serve.turning_away import Overflow, TurnedAway

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are lent on Linux alone")

MOST_WAITING = 2


class Clients:
    """Lent connections, from their other ends: each is known by the number under which it is lent."""

    def __init__(self) -> None:
        self.ready = select.epoll()
        self.overflow = Overflow(self.ready, MOST_WAITING, lambda n_waiting: queue_full(n_waiting, 0.4))
        self._ends: dict[int, tuple[socket.socket, socket.socket]] = {}

    def lend(self, *, most_bytes: int = 1 << 20) -> int:
        theirs, ours = socket.socketpair()
        theirs.settimeout(20)
        ours.setblocking(False)
        self._ends[ours.fileno()] = theirs, ours
        usual = see_head(request(b"x"))
        assert usual is not None
        self.overflow.add(ours.fileno(), ours, usual.key, most_bytes)
        self.ready.register(ours.fileno(), ARMED)
        return ours.fileno()

    def asking(self, n: int) -> list[int]:
        """So many connections on which a request waits, in the order in which they came."""
        numbers = [self.lend() for _ in range(n)]
        for number in numbers:
            self.client(number).sendall(request(b"a picture"))
        return numbers

    def client(self, number: int) -> socket.socket:
        return self._ends[number][0]

    def server(self, number: int) -> socket.socket:
        return self._ends[number][1]

    def waiting(self) -> list[int]:
        """What a worker would find."""
        return [number for number, _ in self.ready.poll(0)]

    def close(self) -> None:
        self.ready.close()
        for ends in self._ends.values():
            for end in ends:
                end.close()


@pytest.fixture
def clients() -> Iterator[Clients]:
    made = Clients()
    yield made
    made.close()


def request(body: bytes, more: bytes = b"") -> bytes:
    return b"POST /predict HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (more, len(body), body)


def test_who_came_first_waits_in_order_and_the_rest_hear_that_it_is_too_much(clients: Clients):
    numbers = clients.asking(5)
    assert clients.overflow.turn_away() == TurnedAway(5, refused=numbers[2:], unusual=[])
    for number in numbers[2:]:
        answer = clients.client(number).recv(4096)
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"\r\nretry-after: 1\r\n" in answer
        assert b"2 questions are waiting already" in answer
    assert clients.waiting() == numbers[:2]


def test_who_was_refused_may_ask_again(clients: Clients):
    numbers = clients.asking(3)
    clients.overflow.turn_away()
    clients.client(numbers[2]).sendall(request(b"again"))
    assert clients.waiting() == numbers
    assert clients.server(numbers[2]).recv(4096) == request(b"again")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_as_many_as_may_wait_are_left_alone(clients: Clients, n: int):
    numbers = clients.asking(n)
    assert clients.overflow.turn_away() == TurnedAway(n, refused=[], unusual=[])
    assert clients.waiting() == numbers
    assert [clients.server(number).recv(4096) for number in numbers] == [request(b"a picture")] * n


def test_a_request_that_is_still_coming_is_not_cut(clients: Clients):
    first = clients.asking(2)
    late = clients.lend()
    whole = request(b"x" * 1000)
    clients.client(late).sendall(whole[:500])
    assert clients.overflow.turn_away() == TurnedAway(3, refused=[], unusual=[])
    clients.client(late).sendall(whole[500:])
    assert clients.overflow.turn_away() == TurnedAway(3, refused=[late], unusual=[])
    assert clients.waiting() == first


def test_a_request_behind_one_that_is_dropped_stays_whole(clients: Clients):
    clients.asking(2)
    eager = clients.lend()
    clients.client(eager).sendall(request(b"one") + request(b"two"))
    assert clients.overflow.turn_away().refused == [eager]
    assert clients.server(eager).recv(4096) == request(b"two")


@pytest.mark.parametrize(
    "sent",
    [request(b"a picture", b"X-Other: 1\r\n"), b"no request", request(b""), request(b"x" * 101)],
    ids=["another head", "no HTTP", "no body", "a body too long"],
)
def test_what_the_front_alone_understands_is_left_to_it_unread(clients: Clients, sent: bytes):
    clients.asking(2)
    odd = clients.lend(most_bytes=100)
    clients.client(odd).sendall(sent)
    assert clients.overflow.turn_away() == TurnedAway(3, refused=[], unusual=[(odd, b"")])
    assert clients.server(odd).recv(4096) == sent


def test_a_request_longer_than_workers_read_is_left_to_the_front(clients: Clients):
    clients.asking(2)
    large = clients.lend(most_bytes=MOST_REQUEST_BYTES * 2)
    clients.client(large).sendall(request(b"x" * MOST_REQUEST_BYTES)[:1000])
    assert clients.overflow.turn_away() == TurnedAway(3, refused=[], unusual=[(large, b"")])


def test_a_client_that_left_is_left_to_the_front(clients: Clients):
    clients.asking(2)
    gone = clients.lend()
    clients.client(gone).close()
    assert clients.overflow.turn_away() == TurnedAway(3, refused=[], unusual=[(gone, b"")])


def test_what_a_client_does_not_take_of_a_refusal_is_told(clients: Clients):
    clients.asking(2)
    full = clients.lend()
    clients.client(full).sendall(request(b"a picture"))
    with suppress(BlockingIOError):
        while True:
            clients.server(full).send(b"x" * 100_000)
    ((number, unsent),) = clients.overflow.turn_away().unusual
    assert number == full
    assert unsent.startswith(b"HTTP/1.1 429 ")


def test_what_is_lent_no_longer_is_not_refused(clients: Clients):
    numbers = clients.asking(4)
    for number in numbers[:2]:
        clients.ready.unregister(number)
        clients.overflow.discard(number)
    assert not clients.overflow.is_possible
    assert clients.overflow.turn_away() == TurnedAway(2, refused=[], unusual=[])
