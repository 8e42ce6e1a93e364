"""What lending is made of, piece by piece: the board, remembered answers, tallies, words, and a worker's own part."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from winnow.serve import borrower, worker
from winnow.serve.board import FIRST_NUMBER, MOST_LENT, MOST_REQUEST_BYTES, Board
from winnow.serve.borrower import Borrower
from winnow.serve.counts import Histogram
from winnow.serve.frames import NO_SUMMARY, NOTHING_SPENT, QUESTION, Predicted, Spent
from winnow.serve.known_heads import see_head
from winnow.serve.loan import BACK, FORGET, IS_FORGET, IS_LEND, LEND, Became, Tally, unpack_tallies
from winnow.serve.predictions import OneAnswer, prediction
from winnow.serve.questions import Answer
from winnow.serve.shared_answers import SharedAnswers, entry_bytes, table_bytes

from .asking import CLASSES, PROBS, clouds

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="connections are lent by Linux's epoll alone")

# The board


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board.make(2, 1000)
    yield made
    made.close()


@linux_only
def test_the_board_says_who_has_a_connection_and_how_far_it_came(board: Board):
    first, second, last = FIRST_NUMBER, FIRST_NUMBER + 1, FIRST_NUMBER + MOST_LENT - 1
    rows = [board.row(worker) for worker in range(2)]
    for who, number in ((0, first), (1, second), (1, last)):
        assert board.holder(number) is None
        rows[who].take(number)
        assert (board.holder(number), board.is_unsure(number), board.is_held(number)) == (who, False, False)
        rows[who].touch(number)
        assert (board.holder(number), board.is_unsure(number), board.is_held(number)) == (who, True, False)
        rows[who].request[:5] = b"hello"
        rows[who].hold(number, 5)
        assert (board.holder(number), board.is_unsure(number), board.is_held(number)) == (who, False, True)
        assert rows[who].held() == b"hello"
    rows[0].free(first)
    board.free(last)
    assert [board.holder(number) for number in (first, second, last)] == [None, 1, None]


@linux_only
def test_the_board_is_at_rest_when_nobody_has_hands_on_connections(board: Board):
    rows = [board.row(worker) for worker in range(2)]
    rows[0].reach(), rows[1].reach()
    rows[0].let_go()
    assert not board.is_at_rest
    rows[1].clear()
    assert board.is_at_rest


@linux_only
def test_nothing_on_the_board_overlaps(board: Board):
    rows = [board.row(worker) for worker in range(2)]
    board.begin_edition()
    for number in range(FIRST_NUMBER, FIRST_NUMBER + MOST_LENT):
        board.lend(number, number * 7)
    for value, row in enumerate(rows, 1):
        row.since = float(value)
        row.request[:] = bytes([value]) * MOST_REQUEST_BYTES
    board.answers[:] = bytes([9]) * len(board.answers)
    assert board.edition == 1
    assert len(board.answers) == 1000
    assert [row.since for row in rows] == [1.0, 2.0]
    assert [bytes(row.request[-2:]) for row in rows] == [b"\1\1", b"\2\2"]
    assert all(board.serial(number) == number * 7 for number in range(FIRST_NUMBER, FIRST_NUMBER + MOST_LENT))
    assert all(board.holder(number) is None for number in range(FIRST_NUMBER, FIRST_NUMBER + MOST_LENT))


@linux_only
def test_two_who_share_the_memory_see_the_same(board: Board):
    other = Board(os.dup(board.descriptor), 2, 1000)
    board.row(1).take(FIRST_NUMBER)
    other.begin_edition()
    assert (other.holder(FIRST_NUMBER), board.edition) == (1, 1)
    other.close()


# Answers that workers remember for each other


def key_of(number: int) -> bytes:
    return number.to_bytes(8, "little") + bytes(24)


def test_an_answer_is_remembered_for_its_question_and_model_alone():
    memory = memoryview(bytearray(table_bytes(4, [2, 3])))
    answers = SharedAnswers(memory, [2, 3])
    assert answers.get(key_of(1), 0) is None
    answers.put(key_of(1), 1, b"0123456789ab")
    assert SharedAnswers(memory, [2, 3]).get(key_of(1), 1) == b"0123456789ab"
    assert answers.get(key_of(1), 0) is None
    assert answers.get(key_of(5), 1) is None  # which has the same place
    answers.put(key_of(5), 0, b"01234567")
    assert (answers.get(key_of(1), 1), answers.get(key_of(5), 0)) == (None, b"01234567")


def test_what_is_put_aside_is_known_to_have_no_answer():
    answers = SharedAnswers(memoryview(bytearray(table_bytes(4, [2]))), [2])
    answers.put_aside(key_of(1), 0)
    assert (answers.get(key_of(1), 0), answers.get(key_of(2), 0)) == (b"", None)
    answers.put(key_of(1), 0, b"01234567")
    assert answers.get(key_of(1), 0) == b"01234567"


def test_an_entry_that_is_torn_is_none():
    memory = bytearray(table_bytes(1, [2]))
    answers = SharedAnswers(memoryview(memory), [2])
    answers.put(key_of(1), 0, b"01234567")
    whole = bytes(memory)
    for place in range(len(whole)):
        memory[place] ^= 1
        assert answers.get(key_of(1), 0) is None
        memory[:] = whole
    answers.put(key_of(1), 0, b"abcdefgh")
    for cut in range(4, len(whole)):  # two wrote at once
        torn = whole[:cut] + bytes(memory)[cut:]
        found = SharedAnswers(memoryview(torn), [2]).get(key_of(1), 0)
        assert found in (None, b"01234567" if torn == whole else b"abcdefgh")


def test_answers_of_many_classes_take_no_more_memory_than_others():
    assert table_bytes(4096, [3, 10]) == 4096 * entry_bytes([10])
    assert table_bytes(4096, [1_000_000]) <= 64 << 20
    assert table_bytes(0, [3]) == 0


# What workers tell of their answers


def test_a_tally_comes_back_as_it_was():
    tally = Tally(1, Became.ANSWERED)
    rng = np.random.default_rng(0)
    for _ in range(5):
        summary = rng.random(7).astype(np.float32)
        tally.add(0.003, Predicted(rng.random(3).astype(np.float32), summary, Spent(0.001, 0.25, 0.5)))
    tally.add(20.0, Predicted(np.zeros(3, np.float32), NO_SUMMARY, Spent(0.001, 0.25, 0.5)))
    tally.add(0.003, Predicted(np.zeros(3, np.float32), NO_SUMMARY, NOTHING_SPENT))  # known before
    refused = Tally(0, Became.REFUSED)
    refused.add(0.1, None)
    back = list(unpack_tallies(tally.pack() + refused.pack(), [2, 3]))
    assert [(one.place, one.became, one.whole, one.decode, one.graph, one.cpu_s) for one in back] == [
        (one.place, one.became, one.whole, one.decode, one.graph, one.cpu_s) for one in (tally, refused)
    ]
    assert (tally.whole.count, tally.decode.count, tally.cpu_s) == (7, 6, 3.0)
    for given, found in zip(tally.samples, back[0].samples, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(given, found, strict=True))
    assert (refused.whole.count, refused.decode) == (1, Histogram())


def test_what_is_no_tally_is_told_from_one():
    tally = Tally(0, Became.ANSWERED)
    tally.add(0.1, Predicted(np.zeros(3, np.float32), np.zeros(7, np.float32), Spent(0.1, 0.1, 0.1)))
    whole = tally.pack()
    rng = np.random.default_rng(0)
    hostile = [whole[:cut] for cut in range(1, len(whole))]
    hostile += [rng.bytes(int(rng.integers(1, 400))) for _ in range(300)]
    for _ in range(300):
        bent = bytearray(whole)
        bent[int(rng.integers(0, 16))] = int(rng.integers(0, 256))
        hostile.append(bytes(bent))
    n_refused = 0
    for payload in hostile:
        try:
            list(unpack_tallies(payload, [3]))
        except (ValueError, struct.error):
            n_refused += 1
    assert n_refused >= len(whole) - 1 + 290


# The words of an answer

STRANGE = ('a "quoted" name', "back\\slash", "Wölkchen \N{CLOUD}", "a\ud800surrogate", "line\nbreak\0", "<b>&amp;</b>")


@pytest.mark.parametrize("top", [None, 1, 2, 100])
@pytest.mark.parametrize("classes", [CLASSES, STRANGE, ("one",)])
@pytest.mark.parametrize("thresholds", [None, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("sure_from", [None, 0.5])
def test_words_that_are_put_together_are_those_of_the_document(
    classes: tuple[str, ...], thresholds: float | None, sure_from: float | None, top: int | None
):
    served = replace(
        clouds("1"),
        name='cl"ouds',
        classes=classes,
        thresholds=None if thresholds is None else (thresholds,) * len(classes),
        sure_from=sure_from,
    )
    n, rng = len(classes), np.random.default_rng(len(classes))
    rows = [*rng.dirichlet(np.ones(n), 5), np.full(n, 1 / n), np.eye(n)[0], np.full(n, 1e-30), np.zeros(n)]
    rows += [np.full(n, np.nan), np.r_[np.inf, np.zeros(n - 1)], np.r_[np.nan, np.ones(n - 1)]]
    for probs in np.asarray(rows, np.float32):
        said = prediction("body", Answer(served, {"probabilities": probs}, NO_SUMMARY), top)
        document = {"model": served.name, "version": served.version, "predictions": [said]}
        assert OneAnswer(served).text(probs, top) == json.dumps(document).encode("ascii")


# A worker's part, in this process


class Front:
    """What a worker has to do with: loans, connections, and what it hands back."""

    def __init__(self) -> None:
        self.post, their_post = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ready, self.board = select.epoll(), Board.make(1, 0)
        self.handed_back: list[tuple[int, bytes, bytes]] = []
        self.told: list[bytes] = []
        words = OneAnswer(clouds("1"))
        model = SimpleNamespace(words=words, predict=self.predict)
        self.asked: list[bytes] = []
        self.worker = Borrower(
            their_post,
            self.ready,
            self.board,
            0,
            [model],
            hand_back=self.take_back,
            tell=self.told.append,
        )

    def predict(self, data: bytes) -> Predicted:
        self.asked.append(data)
        return Predicted(np.array(PROBS, np.float32), NO_SUMMARY, Spent(0.001, 0.001, 0.002))

    def take_back(self, payload: bytes) -> None:
        _, serial, n_unsent = BACK.unpack_from(payload)
        rest = payload[BACK.size :]
        self.handed_back.append((serial, rest[:n_unsent], rest[n_unsent:]))

    def lend(self, number: int, serial: int, connection: socket.socket) -> None:
        """As `Lender.lend`, of a process in which the number is the worker's own."""
        seen = see_head(request(b"x"))
        assert seen is not None
        message = LEND.pack(IS_LEND, number, serial, self.board.edition, 0, 0, 1 << 20, seen.key)
        socket.send_fds(self.post, [message], [connection.fileno()])
        self.board.lend(number, serial)
        mine = None
        with suppress(OSError):
            mine = os.dup(number)
        os.dup2(connection.fileno(), number)
        self.ready.register(number, select.EPOLLIN | select.EPOLLONESHOT)
        if mine is not None:
            os.dup2(mine, number)  # the worker's is still the one before
            os.close(mine)

    def forget(self, number: int) -> None:
        self.ready.unregister(number)
        self.post.send(FORGET.pack(IS_FORGET, number))

    def close(self) -> None:
        for number in (FIRST_NUMBER, FIRST_NUMBER + 1, FIRST_NUMBER + 2):
            with suppress(OSError):
                os.close(number)
        self.post.close()
        self.worker.post.close()
        self.ready.close()
        self.board.close()


def request(body: bytes) -> bytes:
    return b"POST /predict HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    yield made
    made.close()


def connection() -> tuple[socket.socket, socket.socket]:
    """A client's end and the server's, which never waits."""
    client, ours = socket.socketpair()
    client.settimeout(20)
    ours.setblocking(False)
    return client, ours


@linux_only
def test_a_number_that_was_anothers_a_moment_ago_is_not_mixed_up(front: Front):
    """A worker may take an event of a connection before it has heard that its number is no longer the one before's."""
    number = FIRST_NUMBER
    (old_client, old), (new_client, new) = connection(), connection()
    front.lend(number, 1, old)
    front.worker.hear()
    front.forget(number)
    front.lend(number, 2, new)
    new_client.sendall(request(b"new"))
    front.worker.answer_next()
    assert new_client.recv(4096).startswith(b"HTTP/1.1 200")
    assert (front.asked, front.handed_back) == ([b"new"], [])
    for one in (old_client, old, new_client, new):
        one.close()


@linux_only
def test_what_a_client_does_not_take_is_handed_back(front: Front):
    client, ours = connection()
    with suppress(BlockingIOError):
        while True:
            ours.send(bytes(1 << 16))
    front.lend(FIRST_NUMBER, 1, ours)
    client.sendall(request(b"abc"))
    front.worker.answer_next()
    ((serial, unsent, unread),) = front.handed_back
    assert (serial, unread) == (1, b"")
    assert unsent.startswith(b"HTTP/1.1 200")
    client.close()
    ours.close()


@linux_only
def test_who_sends_a_byte_now_and_then_holds_up_no_worker(front: Front, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(borrower, "_REST_MS", 1000)
    client, ours = connection()
    front.lend(FIRST_NUMBER, 1, ours)
    head = request(bytes(5000))[:-4000]
    client.sendall(head)

    def drip() -> None:
        while not front.handed_back:
            client.sendall(b"x")
            time.sleep(0.001)

    dripping = threading.Thread(target=drip)
    dripping.start()
    front.worker.answer_next()
    dripping.join()
    ((_, _, unread),) = front.handed_back
    assert len(head) <= len(unread) < len(head) + 4000
    assert front.asked == []
    client.close()
    ours.close()


@linux_only
def test_a_body_longer_than_allowed_and_an_empty_one_are_for_the_front(front: Front):
    for serial, body in ((1, b""), (2, bytes((1 << 20) + 1))):
        client, ours = connection()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        front.lend(FIRST_NUMBER, serial, ours)
        sending = threading.Thread(target=client.sendall, args=(request(body),))
        sending.start()
        while not front.handed_back:
            front.worker.answer_next()
        ((found, _, unread),) = front.handed_back
        assert found == serial
        assert request(body).startswith(unread)
        front.handed_back.clear()
        ours.close()
        client.close()
        sending.join()
    assert front.asked == []


@linux_only
def test_a_worker_that_joins_takes_nothing_of_which_it_was_not_told(front: Front):
    """Until the front has heard that it is ready, and recalled what is lent, others' connections are armed."""
    channel, its_end = socket.socketpair()
    channel.settimeout(20)
    model = SimpleNamespace(answer=lambda data: b"answer to " + data)
    working = threading.Thread(target=worker._answer_all, args=(its_end, [model], front.worker))
    others_client, others = connection()
    os.dup2(others.fileno(), FIRST_NUMBER)
    front.ready.register(FIRST_NUMBER, select.EPOLLIN | select.EPOLLONESHOT)
    others_client.sendall(request(b"for others"))
    working.start()
    for _ in range(3):
        channel.sendall(QUESTION.pack(3, 0) + b"abc")
        assert channel.recv(100) == b"answer to abc"
    assert front.board.holder(FIRST_NUMBER) is None
    front.ready.unregister(FIRST_NUMBER)
    client, ours = connection()
    front.lend(FIRST_NUMBER + 1, 1, ours)
    client.sendall(request(b"mine"))
    assert client.recv(4096).startswith(b"HTTP/1.1 200")
    channel.close()
    working.join()
    assert front.asked == [b"mine"]
    for one in (client, ours, others_client, others, its_end):
        one.close()
