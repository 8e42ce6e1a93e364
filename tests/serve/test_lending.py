"""A connection that asks the same again and again is lent to the workers: nobody can tell but by the clock.

The same request on a connection of its own, which the front answers, is the independent truth here, and so is Python's
own answer.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from data.pictures import file_of, noise
from winnow.metrics.drift import MEASURES, Reference
from winnow.serve.app import App
from winnow.serve.board import MOST_REQUEST_BYTES
from winnow.serve.door import Door
from winnow.serve.engine import Engine
from winnow.serve.frames import ANSWER, HANDED_BACK, TOLD
from winnow.serve.keys import Keys
from winnow.serve.lender import Seat
from winnow.serve.loan import Became, Tally
from winnow.serve.opening import open_served
from winnow.serve.served import Lineup, Share
from winnow.serve.worker_process import WorkerProcess
from winnow.workspace.workspace import Workspace

from .lent_server import OTHER, PICTURE, TOKEN, Asker, Heard, Lending, stopped, until
from .test_serving import TOKEN as SERVER_TOKEN
from .test_serving import Server, add_version
from .tiny_models import expected, tiny_model

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are lent by Linux's epoll alone")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows what its pictures were like."""
    made = tiny_model(tmp_path_factory.mktemp("lending") / "clouds")
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 300).astype(np.float32)
    reference = Reference.of(rng.uniform(0, 1, (300, len(MEASURES))).astype(np.float32), probs)
    (made / "drift.json").write_text(json.dumps({"format": 1, **reference.to_json()}))
    return made


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers otherwise."""
    return tiny_model(tmp_path_factory.mktemp("lending") / "others", scale=3.0)


def lineup_of(folder: Path) -> Lineup:
    return Lineup([Share(open_served(str(folder)), 1.0)])


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Lending]:
    """Two workers, and nothing is remembered."""
    started = Lending(Engine(lineup_of(folder), workers=2, most_cached=0))
    yield started
    started.close()


# What a client hears


def test_a_worker_gives_the_answer_that_the_front_gave(server: Lending, folder: Path):
    with server.connect() as asker:
        first = asker.ask()
        server.lend(asker)
        handed_out = server.n_handed_out
        later = [asker.ask() for _ in range(20)]
        assert server.n_handed_out == handed_out
        assert server.is_lent(asker)
    assert first.status == 200
    assert {one.undated for one in later} == {first.undated}
    assert all(one.head.count(b"\r\ndate: ") == 1 for one in (first, *later))
    (truth,) = expected(folder, [PICTURE])
    assert first.probs == pytest.approx(truth, abs=1e-6)


def test_each_picture_gets_its_own_answer_whatever_its_length(server: Lending, folder: Path):
    pictures = [file_of(noise(seed, 8 + 9 * seed, 60)) for seed in range(12)]
    truth = expected(folder, pictures)
    with server.lent() as asker:
        handed_out = server.n_handed_out
        answers = [asker.ask(picture) for picture in pictures]
        assert server.n_handed_out == handed_out
    for answer, probs in zip(answers, truth, strict=True):
        assert answer.probs == pytest.approx(probs, abs=1e-6)
    assert len({answer.body for answer in answers}) == len(pictures)


@pytest.mark.parametrize("top", [1, 2, 3, 999999999])
def test_as_many_classes_are_shown_as_were_asked_for(server: Lending, top: int):
    path = f"/predict?top={top}"
    with server.lent(path=path) as asker:
        assert asker.ask(path=path).undated == server.ordinarily(PICTURE, path=path).undated
        assert len(json.loads(asker.ask(path=path).body)["predictions"][0]["probs"]) == min(top, 3)
        assert server.is_lent(asker)


def test_what_is_refused_is_refused_in_the_fronts_words_and_the_connection_lives_on(server: Lending):
    with server.lent() as asker:
        for body in (b"no picture", PICTURE[:50], b""):
            refused, truth = asker.ask(body), server.ordinarily(body)
            assert refused.undated == truth.undated
            assert refused.status >= 400
            assert asker.ask().status == 200


OTHERS: dict[str, Callable[[Asker], bytes]] = {
    "another address": lambda asker: asker.request(path="/healthz").replace(b"POST", b"GET", 1),
    "another token": lambda asker: asker.request(token="a-token-of-nobody"),
    "no token": lambda asker: asker.request().replace(b"Authorization", b"X-Authorization"),
    "another kind": lambda asker: asker.request(kind="text/plain"),
    "other options": lambda asker: asker.request(path="/predict?top=1"),
    "a wrong option": lambda asker: asker.request(path="/predict?color=red"),
    "another model": lambda asker: asker.request(path="/predict?model=rain"),
    "another host": lambda asker: asker.request().replace(b"Host: 127.0.0.1", b"Host: evil.example"),
    "in chunks": lambda asker: (
        asker.request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(PICTURE), PICTURE)
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_request_in_between_is_answered_by_the_front(server: Lending, what: str):
    with server.connect() as asker:
        asker.send(OTHERS[what](asker))
        truth = asker.hear()
    with server.lent() as asker:
        asker.send(OTHERS[what](asker))
        assert asker.hear().undated == truth.undated
        if b"connection: close" in truth.head:
            assert asker.is_over()
        else:
            assert asker.ask().undated == server.ordinarily(PICTURE).undated


def test_what_is_no_http_is_refused_as_ever(server: Lending):
    with server.lent() as asker:
        asker.send(b"\0\0\0\r\n\r\n")
        assert asker.hear().status in (400, 405)
        assert asker.is_over()


@pytest.mark.parametrize("cut", [1, 30, -len(PICTURE), -3])
def test_a_request_may_come_in_pieces(server: Lending, cut: int):
    with server.lent() as asker:
        request = asker.request()
        asker.send(request[:cut])
        until(lambda: not server.is_lent(asker))  # a worker does not wait for a slow client: the front does
        asker.send(request[cut:])
        assert asker.hear().undated == server.ordinarily(PICTURE).undated


def test_a_large_request_comes_whole_or_is_read_by_the_front(server: Lending, folder: Path):
    with server.lent() as asker:
        for n_bytes in (300_000, MOST_REQUEST_BYTES - 1000, MOST_REQUEST_BYTES + 1000, 4 << 20):
            picture = PICTURE + bytes(n_bytes - len(PICTURE))
            assert asker.ask(picture).undated == server.ordinarily(picture).undated


def test_requests_sent_behind_each_other_are_answered_in_their_order(server: Lending):
    with server.lent() as asker:
        asker.send(b"".join(asker.request(path=f"/predict?top={top}") for top in (1, 2, 3, 1)))
        shown = [len(json.loads(asker.hear().body)["predictions"][0]["probs"]) for _ in range(4)]
    assert shown == [1, 2, 3, 1]


def test_a_client_that_leaves_takes_its_loan_with_it(server: Lending):
    before = server.n_loans
    with server.lent():
        assert server.n_loans == before + 1
    until(lambda: server.n_loans == before)


def test_a_client_that_says_no_more_is_still_answered(server: Lending):
    with server.lent() as asker:
        asker.send(asker.request())
        asker.socket.shutdown(socket.SHUT_WR)
        assert asker.hear().undated == server.ordinarily(PICTURE).undated
        assert asker.is_over()


def test_no_descriptor_stays_behind(server: Lending):
    def n_open() -> list[int]:
        processes = (os.getpid(), *server.engine.process_ids)
        return [len([*Path(f"/proc/{process}/fd").iterdir()]) for process in processes]

    with server.lent():
        pass
    until(lambda: server.n_loans == 0)
    until(lambda: not server.running.server_state.connections)
    before = n_open()
    for _ in range(30):
        with server.lent() as asker, server.lent():
            asker.ask()
    until(lambda: all(now <= then for now, then in zip(n_open(), before, strict=True)))


# What happens to workers

LARGE = file_of(np.zeros((5000, 5000), np.uint8), compress_level=1)
"""Its decoding takes long enough to be met in the midst of it."""


def test_requests_that_no_worker_took_are_not_lost_with_them(server: Lending):
    truth = server.ordinarily(PICTURE).undated
    with server.lent() as asker, stopped(*server.engine.process_ids):
        asker.send(asker.request())
        for worker in server.engine.process_ids:
            os.kill(worker, signal.SIGKILL)
        assert asker.hear().undated == truth
    until(lambda: len(server.engine.process_ids) == 2)


def test_a_worker_that_is_killed_in_the_midst_of_a_request_is_not_missed(server: Lending):
    truth = server.ordinarily(LARGE).undated
    with server.lent() as asker:
        asker.send(asker.request(LARGE))
        os.kill(server.worker_with(asker), signal.SIGKILL)
        assert asker.hear().undated == truth
        assert asker.ask().status == 200
    until(lambda: len(server.engine.process_ids) == 2)


def test_a_stopped_worker_keeps_nobody_from_an_answer(server: Lending):
    with server.lent() as asker, stopped(server.engine.process_ids[0]):
        assert {asker.ask().status for _ in range(10)} == {200}


def test_connections_come_back_though_a_worker_is_stopped(server: Lending):
    with server.lent() as asker, stopped(server.engine.process_ids[0]):
        asker.send(asker.request(kind="text/plain"))
        assert asker.hear().status == 415


def die_of(server: Lending, asker: Asker, how: int) -> None:
    worker = server.worker_with(asker)
    os.kill(worker, how)
    os.kill(worker, signal.SIGCONT)


def test_a_picture_that_ends_its_workers_is_refused_and_ends_no_more(small: Lending):
    """The worker to whom it was lent cannot be asked what ended it: the front asks another one, and sees that."""
    picture = LARGE + b"a picture that no decoder survives"
    restarts = small.engine.counts.restarts
    with small.lent() as asker:
        asker.send(asker.request(picture))
        die_of(small, asker, signal.SIGSEGV)
        until(lambda: small.engine.counts.restarts == restarts + 1 and small.engine.process_ids)
        until(lambda: small.engine.counts.computing)
        os.kill(small.engine.process_ids[0], signal.SIGSEGV)
        refused = asker.hear()
        assert (refused.status, json.loads(refused.body)["code"]) == (422, "E_CORRUPT")
        until(lambda: small.engine.process_ids)
        assert asker.ask().status == 200
    with small.lent() as asker:  # that it may end workers is known to them, and why it is refused to the front
        assert asker.ask(picture).undated == refused.undated
    assert small.engine.counts.restarts == restarts + 2


class Transport:
    is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def test_what_is_no_word_of_a_workers_ends_the_worker(server: Lending):
    lender = server.engine.lender
    assert lender is not None
    hostile = [Tally(7, Became.ANSWERED).pack(), Tally(0, Became.ANSWERED).pack()[:-1], b"x", bytes([0, 0, 9]) * 99]
    frames = [(TOLD, payload) for payload in hostile] + [(HANDED_BACK, b"short")]
    for sign, payload in frames:
        transport = Transport()
        worker = WorkerProcess.__new__(WorkerProcess)
        worker._unread, worker._first_words, worker._seat = bytearray(), None, Seat(lender, 0)
        worker._transport = transport  # type: ignore[assignment]
        worker.data_received(ANSWER.pack(len(payload), sign, 0.0, 0.0, 0.0) + payload)
        assert transport.is_aborted


# How much is taken on, and what is told of it


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lending") / "tokens"
    file.write_text(f"{TOKEN}\n{OTHER}\n")
    return file


@pytest.fixture(scope="module")
def small(folder: Path, token_file: Path) -> Iterator[Lending]:
    """One worker, one request may wait, answers are remembered, bodies are small, and tokens may change."""
    engine = Engine(lineup_of(folder), workers=1, most_cached=64, most_waiting=1)
    started = Lending(engine, Keys.from_file(token_file), most_bytes=1 << 20)
    yield started
    started.close()


def test_a_body_larger_than_allowed_is_refused_on_a_lent_connection_too(small: Lending):
    with small.lent() as asker:
        assert asker.ask(PICTURE + bytes((1 << 20) - len(PICTURE))).status == 200
        assert asker.ask(PICTURE + bytes((1 << 20) - len(PICTURE) + 1)).status == 413


def test_more_than_may_wait_are_refused_and_told_when_to_come_again(small: Lending, folder: Path):
    pictures = [file_of(noise(seed)) for seed in range(100, 108)]
    truth = expected(folder, pictures)
    with ExitStack() as askers:
        all_askers = [askers.enter_context(small.lent()) for _ in pictures]
        with stopped(*small.engine.process_ids):
            for asker, picture in zip(all_askers, pictures, strict=True):
                asker.send(asker.request(picture))
            refusals = [asker.hear() for asker in all_askers[1:]]  # while the worker does nothing: the front says it
        first = all_askers[0].hear()
        assert [asker.ask().status for asker in all_askers] == [200] * len(pictures)
    assert first.status == 200
    assert first.probs == pytest.approx(truth[0], abs=1e-6)
    for refusal in refusals:
        assert refusal.status == 429
        assert re.search(rb"\r\nretry-after: [1-9]", refusal.head)
        assert json.loads(refusal.body)["code"] == "queue-full"
    until(lambda: small.n_questions("queue-full") == len(refusals))


def test_what_was_answered_before_is_known_to_all_workers(small: Lending):
    picture = file_of(noise(50))
    with small.lent() as asker, small.lent() as other:
        first = asker.ask(picture)
        small.settle()
        known = small.n_questions("cached"), small.engine.counts.cached
        assert {one.ask(picture).undated for one in (asker, other) for _ in range(5)} == {first.undated}
        until(lambda: (small.n_questions("cached"), small.engine.counts.cached) == (known[0] + 10, known[1] + 10))
    page = small.page("/metrics")
    assert f"winnow_cache_hits_total {small.engine.counts.cached}" in page


def test_a_connection_is_not_lent_while_the_front_has_a_request_of_it(small: Lending):
    """What is known is answered at once: what came behind it, in the same piece, is the front's."""
    truth, new = small.ordinarily(PICTURE).undated, file_of(noise(60))
    with small.connect() as asker:
        asker.ask()
        with stopped(*small.engine.process_ids):
            asker.send(asker.request() * 2 + asker.request(new))
            assert [asker.hear().undated for _ in range(2)] == [truth] * 2
            until(lambda: small.engine.counts.computing)
            assert not small.is_lent(asker)
            asker.send(asker.request())
        assert asker.hear().undated == small.ordinarily(new).undated != truth
        assert asker.hear().undated == truth


def test_what_workers_answer_is_counted(server: Lending):
    counts, meters = server.engine.counts, server.service.meters

    def so_far() -> list[float]:
        n_requests = sum(n for (*_, status), n in meters.requests.items() if status == 200)
        return [n_requests, server.n_questions("answered"), meters.whole.count, counts.decode.count, counts.graph.count]

    with server.lent() as asker:
        server.settle()
        handed_out, cpu_s, before = server.n_handed_out, counts.cpu_s, so_far()
        for _ in range(12):
            asker.ask()
        until(lambda: so_far() == [n + 12 for n in before])
        assert server.n_handed_out == handed_out
    assert counts.cpu_s > cpu_s
    n_answered = server.n_questions("answered")
    assert f'version="{server.version}",outcome="answered"}} {n_answered}\n' in server.page("/metrics")


def test_drift_looks_at_what_workers_answer(server: Lending):
    (drift,) = server.service.drifts.values()
    with server.lent() as asker:
        before, handed_out = drift.as_dict()["pictures"], server.n_handed_out
        until(lambda: asker.ask() and drift.as_dict()["pictures"] > before + 1)
        assert server.n_handed_out == handed_out


def test_where_each_request_is_said_to_a_log_nothing_is_lent(server: Lending):
    app = App(server.service, Door(server.keys, ()))
    assert app.lender is server.engine.lender is not None
    assert App(server.service, Door(server.keys, ()), print).lender is None


# What changes


def test_after_a_swap_the_next_answer_is_of_the_new_version(small: Lending, folder: Path, other_folder: Path):
    with small.lent() as asker, small.lent() as idle:
        before = json.loads(asker.ask().body)
        small.swap(lineup_of(other_folder))
        for one in (asker, idle):
            after = one.ask()
            assert json.loads(after.body)["version"] != before["version"]
            assert after.probs == pytest.approx(expected(other_folder, [PICTURE])[0], abs=1e-6)
        small.lend(asker)
        assert asker.ask().undated == after.undated
        small.swap(lineup_of(folder))
        assert json.loads(asker.ask().body) == before


def test_a_token_that_is_taken_out_of_its_file_dies_on_lent_connections(small: Lending, token_file: Path):
    with small.connect(OTHER) as dead, small.lent() as alive:
        small.lend(dead)
        token_file.write_text(f"{TOKEN}\n")
        until(lambda: dead.ask().status == 401)
        assert alive.ask().status == 200


@pytest.mark.parametrize("loop", ["auto", "asyncio"])
def test_a_server_that_stops_answers_what_workers_have(folder: Path, loop: str):
    stopping = Lending(Engine(lineup_of(folder), workers=1, most_cached=0), loop=loop)
    with stopping.lent() as asker, stopping.lent() as idle:
        asker.send(asker.request(LARGE))
        worker = stopping.worker_with(asker)
        ending = threading.Thread(target=stopping.close)
        ending.start()
        assert idle.is_over()  # by now all that is idle was closed
        os.kill(worker, signal.SIGCONT)
        assert asker.hear().status == 200
        assert asker.is_over()
        ending.join()


class Load(threading.Thread):
    """Asks until it is told that its connection ends."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.asker = Asker(port, SERVER_TOKEN)
        self.answers: list[Heard] = []
        self.lost: Exception | None = None

    def run(self) -> None:
        try:
            while not self.answers or b"\r\nconnection: close" not in self.answers[-1].head:
                self.answers.append(self.asker.ask())
        except (OSError, ConnectionError) as error:
            self.lost = error


def test_sigterm_loses_no_request_of_a_lent_connection(tmp_path: Path):
    with Workspace.open(tmp_path) as opened:
        opened.add_dataset("clouds", "nowhere")
        add_version(opened, tmp_path, 1.0)
    started = Server("clouds@1", "--workspace", str(tmp_path), "--cache", "0")
    loads = [Load(started.port) for _ in range(3)]
    with Asker(started.port, SERVER_TOKEN) as idle:
        for _ in range(5):
            assert idle.ask().status == 200
        for load in loads:
            load.start()
        until(lambda: all(len(load.answers) > 50 for load in loads))
        status, _, err = started.end()
        assert idle.is_over()
    for load in loads:
        load.join(20)
    assert (status, err) == (0, "")
    assert [load.lost for load in loads] == [None] * 3
    assert {answer.status for load in loads for answer in load.answers} == {200}
    assert len({answer.body for load in loads for answer in load.answers}) == 1
