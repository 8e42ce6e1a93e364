"""One raw picture is answered on a short way past ASGI: nobody can tell it from the ordinary way but by the clock.

The ordinary way is the independent truth here: the same app, asked without a socket.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from winnow.serve import short_way
from winnow.serve.protocol import Protocol
from winnow.serve.questions import UnansweredError
from winnow.serve.served import Share
from winnow.serve.service import Service
from winnow.serve.short_way import ShortWay

from .asking import BAD, TOKEN, KnowingEngine, Listening, app_of, client_of, clouds, doubling, service_of

RAW = {"Content-Type": "image/png", "Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def engine() -> KnowingEngine:
    return KnowingEngine(Share(clouds("1"), 0.5), Share(clouds("2"), 0.5), Share(doubling(), 1.0))


@pytest.fixture
def service(engine: KnowingEngine) -> Service:
    return service_of(engine)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each POST to /predict: did it go the short way?"""
    taken: list[bool] = []
    open_way = ShortWay.open

    def looked(*given: object) -> ShortWay | None:
        short = open_way(*given)  # type: ignore[arg-type]
        taken.append(short is not None)
        return short

    monkeypatch.setattr(short_way.ShortWay, "open", looked)
    return taken


@pytest.fixture
def listening(service: Service, ways: list[bool]) -> Iterator[Listening]:
    server = Listening(app_of(service), Protocol)
    yield server
    server.close()


def asked(listening: Listening, body: bytes, query: str = "", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(*listening.place, timeout=20)
    sent = RAW | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", f"/predict{query}", body, sent)
    answer = connection.getresponse()
    said = answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
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
    ways: list[bool],
    body: bytes,
    query: str,
    headers: dict[str, str],
    is_short: bool,
):
    status, said, heads = asked(listening, body, query, **headers)
    assert ways == [is_short]
    status_2, said_2, heads_2 = asked_ordinarily(client_of(app_of(service)), body, query, **headers)
    assert (status, said) == (status_2, said_2)
    assert {name: value for name, value in heads.items() if name not in ("date", "server")} == heads_2
    counts = service.meters
    assert all(n == 2 for n in counts.requests.values())
    assert all(n == 2 for n in counts.questions.values())


def test_a_full_queue_refuses_before_the_body_is_sent_and_the_connection_lives_on(
    listening: Listening, engine: KnowingEngine, service: Service, ways: list[bool]
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
    assert ways == [True, True]
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
