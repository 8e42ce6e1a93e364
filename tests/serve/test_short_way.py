"""One raw picture is answered on a short way past ASGI: nobody can tell it from the ordinary way but by the clock.

The ordinary way is the independent truth here: the same app, asked without a socket.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from winnow.serve import known_heads, protocol
from winnow.serve.app import App
from winnow.serve.door import Door
from winnow.serve.keys import Keys
from winnow.serve.known_heads import KnownHeads, SeenHead, see_head
from winnow.serve.predict_routes import Options
from winnow.serve.protocol import Protocol
from winnow.serve.questions import UnansweredError
from winnow.serve.served import Lineup, Share
from winnow.serve.service import Service
from winnow.serve.short_way import ShortHead, ShortWay

from .asking import (
    BAD,
    TOKEN,
    KnowingEngine,
    Listening,
    app_of,
    client_of,
    clouds,
    doubling,
    heard,
    next_answer,
    service_of,
)

RAW = {"Content-Type": "image/png", "Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def engine() -> KnowingEngine:
    return KnowingEngine(Share(clouds("1"), 0.5), Share(clouds("2"), 0.5), Share(doubling(), 1.0))


@pytest.fixture
def service(engine: KnowingEngine) -> Service:
    return service_of(engine)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many requests went the short way, and how many of them by a head that was seen before."""
    taken: Counter[str] = Counter()

    class Counted(ShortWay):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            taken["short"] += 1

    def known(heads: KnownHeads, seen: SeenHead) -> ShortHead | None:
        head = heads._known.get(seen.key)
        taken["known"] += head is not None
        return head

    monkeypatch.setattr(protocol, "ShortWay", Counted)
    monkeypatch.setattr(KnownHeads, "get", known)
    return taken


@pytest.fixture
def listening(service: Service, ways: Counter[str]) -> Iterator[Listening]:
    server = Listening(app_of(service), Protocol)
    yield server
    server.close()


def asked(
    listening: Listening, body: bytes, query: str = "", **headers: str
) -> list[tuple[int, bytes, dict[str, str]]]:
    """The answers to the same question asked twice, the second time with a head that was seen before."""
    said: list[tuple[int, bytes, dict[str, str]]] = []
    connection = http.client.HTTPConnection(*listening.place, timeout=20)
    for _ in range(2):
        sent = RAW | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", f"/predict{query}", body, sent)
        answer = connection.getresponse()
        heads = {name.lower(): value for name, value in answer.getheaders()}
        said.append((answer.status, answer.read(), heads))
    connection.close()
    return said


def asked_ordinarily(client: TestClient, body: bytes, query: str = "", **headers: str):
    sent = RAW | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post(f"/predict{query}", content=body, headers=sent)
    return answer.status_code, answer.content, dict(answer.headers)


@pytest.mark.parametrize(
    ("body", "query", "headers", "is_short"),
    [
        (b"a picture", "", {}, True),
        (b"a picture", "?top=1&version=2", {}, True),
        (b"a picture", "", {"Winnow_Timeout_Ms": "500"}, True),
        (b"a picture", "", {"Content_Type": "application/octet-stream"}, True),
        (BAD, "?version=1", {}, True),
        (b"", "", {}, True),
        (b"x", "?model=doubling", {}, True),
        (b"x", "?model=rain", {}, False),
        (b"x", "?version=7", {}, False),
        (b"x", "?color=red", {}, False),
        (b"x", "", {"Winnow_Timeout_Ms": "soon"}, False),
        (b"x", "", {"Content_Type": "text/plain"}, False),
        (b"x", "", {"Content_Encoding": "gzip"}, False),
        (b"x", "", {"Authorization": "Bearer nobody"}, False),
        (b"x", "", {"Origin": "http://evil.example"}, False),
    ],
)
def test_both_ways_say_the_same(
    listening: Listening,
    service: Service,
    ways: Counter[str],
    body: bytes,
    query: str,
    headers: dict[str, str],
    is_short: bool,
):
    answers = asked(listening, body, query, **headers)
    assert ways == ({"short": 2, "known": 1} if is_short else {"known": 0})
    status, said, heads = asked_ordinarily(client_of(app_of(service)), body, query, **headers)
    for answer in answers:
        assert answer[:2] == (status, said)
        assert {name: value for name, value in answer[2].items() if name not in ("date", "server")} == heads
    counts = service.meters
    assert all(n == 3 for n in counts.requests.values())
    assert all(n == 3 for n in counts.questions.values())


@pytest.mark.parametrize("cut", [1, 40, -1, -3])
def test_a_known_head_may_come_in_pieces_and_with_a_body_of_another_length(listening: Listening, cut: int):
    def request(body: bytes, *more: str) -> bytes:
        return listening.head("POST /predict", *more, "Content-Type: image/png", f"Content-Length: {len(body)}") + body

    with listening.connect() as connection:
        connection.sendall(request(BAD))
        assert next_answer(connection).startswith(b"HTTP/1.1 422")
        second, third = request(b"a longer picture"), request(b"x", "Connection: close")
        connection.sendall(second[:cut])
        connection.sendall(second[cut:] + third)
        assert heard(connection).count(b"HTTP/1.1 200") == 2


def test_a_head_that_was_let_in_is_not_let_in_with_a_dead_token(tmp_path: Path, service: Service, ways: Counter[str]):
    file = tmp_path / "tokens"
    file.write_text(TOKEN)
    door = Door(Keys.from_file(file))
    server = Listening(App(service, door), Protocol)
    try:
        assert [status for status, *_ in asked(server, b"a picture")] == [200, 200]
        file.write_text("another-token-of-some-length")
        door.keys.look_again()
        assert [status for status, *_ in asked(server, b"a picture")] == [401, 401]
        assert ways["short"] == 2
    finally:
        server.close()


def test_a_head_that_was_seen_before_asks_what_is_served_now(
    listening: Listening, engine: KnowingEngine, ways: Counter[str]
):
    engine.lineup = Lineup([Share(clouds("1"), 1.0)])
    assert [json.loads(said)["version"] for _, said, _ in asked(listening, b"a picture")] == ["1", "1"]
    engine.lineup = Lineup([Share(clouds("2"), 1.0)])
    assert [json.loads(said)["version"] for _, said, _ in asked(listening, b"a picture")] == ["2", "2"]
    assert ways == {"short": 4, "known": 3}


def test_where_every_head_is_another_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known_heads, "MOST_KNOWN", 10)
    heads, lineup = KnownHeads(), Lineup([Share(clouds("1"), 1.0)])
    for number in range(1000):
        seen = see_head(b"POST /predict HTTP/1.1\r\nX-Request: %d\r\nContent-Length: 5\r\n\r\nhello" % number)
        assert seen is not None
        heads.put(seen, ShortHead(Options(), 1.0, None, lineup, 0))
    assert len(heads._known) <= 10


def test_a_full_queue_refuses_before_the_body_is_sent_and_the_connection_lives_on(
    listening: Listening, engine: KnowingEngine, service: Service, ways: Counter[str]
):
    engine.refusal = UnansweredError(429, "queue-full", "64 questions are waiting already.", 0.3)
    connection = http.client.HTTPConnection(*listening.place, timeout=20)
    connection.putrequest("POST", "/predict")
    for name, value in (RAW | {"Content-Length": "300000"}).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert b"queue-full" in answer.read()
    engine.refusal = None
    assert connection.sock is not None
    connection.sock.sendall(bytes(300_000))  # which nobody keeps
    connection.request("POST", "/predict", b"a picture", RAW)
    assert connection.getresponse().status == 200
    connection.close()
    assert ways["short"] == 2
    assert [question.what for question in engine.asked] == [b"a picture"]
    assert service.meters.requests["", "", 429] == 1


def test_requests_sent_behind_each_other_are_answered_in_their_order(listening: Listening, engine: KnowingEngine):
    heads = [
        listening.head(f"POST /predict?top={top}", "Content-Type: image/png", "Content-Length: 3", *more)
        for top, more in ((1, ()), (2, ()), (3, ("Connection: close",)))
    ]
    answers = listening.hear(b"".join(head + b"abc" for head in heads)).split(b"HTTP/1.1 200 OK")[1:]
    assert [answer.count(b"0.") - answer.count(b'"prob": 0.') for answer in answers] == [1, 2, 3]
    assert len(engine.asked) == 3


def test_a_request_whose_body_comes_while_the_one_before_is_answered_is_answered_too(
    listening: Listening, engine: KnowingEngine
):
    engine.free = asyncio.Event()
    head = listening.head("POST /predict", "Content-Type: image/png", "Content-Length: 3", "Connection: close")
    with listening.connect() as connection:
        connection.sendall(listening.head("POST /predict", "Content-Type: image/png", "Content-Length: 3") + b"abc")
        while not engine.asked:
            pass
        connection.sendall(head + b"d")
        (served,) = listening.server.server_state.connections
        assert isinstance(served, Protocol)
        while not served.pipeline:
            pass
        served.loop.call_soon_threadsafe(engine.free.set)
        assert next_answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(b"ef")
        assert heard(connection).startswith(b"HTTP/1.1 200")
    assert [question.what for question in engine.asked] == [b"abc", b"def"]


def test_a_known_head_is_none_where_the_parser_stands_in_a_head(listening: Listening, ways: Counter[str]):
    request = listening.head("POST /predict", "Content-Type: image/png", "Content-Length: 3") + b"abc"
    begun = b"GET /nowhere HTTP/1.1\r\nX-Quoted: "  # what comes next is this header's value, and more headers
    with listening.connect() as connection:
        connection.sendall(request)
        assert next_answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(listening.head("GET /models") + begun)
        assert next_answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(request.replace(b"\r\nHost", b"\r\nConnection: close\r\nHost"))
        answer = heard(connection)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 404")
    assert ways["short"] == 1


def test_an_address_that_is_none_behind_a_picture_costs_no_room(
    listening: Listening, engine: KnowingEngine, service: Service
):
    engine.free = asyncio.Event()
    room = service.intake._room
    request = listening.head("POST /predict", "Content-Type: image/png", "Content-Length: 3") + b"abc"
    assert listening.hear(request, b"GET http://a:99999/ HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400")
    while not engine.dropped:
        pass
    assert service.intake._room == room


def test_work_is_dropped_when_the_client_leaves(listening: Listening, engine: KnowingEngine, service: Service):
    engine.free = asyncio.Event()
    room = service.intake._room
    with socket.create_connection(listening.place) as connection:
        connection.sendall(listening.head("POST /predict", "Content-Type: image/png", "Content-Length: 3") + b"abc")
        while not engine.asked:
            pass
        assert service.intake._room == room - 3
    while not engine.dropped:
        pass
    assert service.intake._room == room


def test_room_is_given_back_where_a_body_breaks_off(listening: Listening, engine: KnowingEngine, service: Service):
    room = service.intake._room
    with socket.create_connection(listening.place) as connection:
        connection.sendall(listening.head("POST /predict", "Content-Type: image/png", "Content-Length: 9") + b"abc")
        while service.intake._room == room:
            pass
    while service.intake._room != room:
        pass
    assert not engine.asked


def test_a_known_head_whose_body_does_not_come_is_told_so(service: Service, ways: Counter[str]):
    class Impatient(Protocol):
        body_timeout_s = 0.1

    listening = Listening(app_of(service), Impatient)
    try:
        with listening.connect() as connection:
            head = listening.head("POST /predict", "Content-Type: image/png", "Content-Length: 3")
            connection.sendall(listening.head("GET /models"))  # answered the ordinary way, on the same connection
            assert next_answer(connection).startswith(b"HTTP/1.1 200")
            connection.sendall(head + b"abc")
            assert next_answer(connection).startswith(b"HTTP/1.1 200")
            connection.sendall(head + b"a")
            assert heard(connection).startswith(b"HTTP/1.1 408")
        assert ways == {"short": 2, "known": 1}
    finally:
        listening.close()


def test_a_bug_behind_an_answer_is_a_500_without_a_trace(listening: Listening, service: Service):
    class Broken:
        def saw(self, answer: object) -> None:
            raise ValueError("secret")

    service.drifts = {clouds(version).digest: Broken() for version in "12"}  # type: ignore[dict-item]
    for status, said, _ in asked(listening, b"a picture"):
        assert status == 500
        assert b"secret" not in said
