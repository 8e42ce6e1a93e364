"""A client waits for as long as it was allowed to and no longer, and asks again only where that is safe."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import numpy as np
import pytest
from PIL import Image

from winnow.errors import UserError
from winnow.serve.client import Client
from winnow.serve.patience import BusyServerError, CallTime, Patience

Answering = Callable[[socket.socket, int], bool]


@contextmanager
def answered_by(answering: Answering) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads whole requests and lets `answering` (connection, number of the request) do the rest.

    It closes the connection where that says False. Gives its address, and the requests it got.
    """
    asked: list[bytes] = []
    connections: list[socket.socket] = []

    def converse(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while (request := whole_request(connection)) is not None:
                asked.append(request)
                if not answering(connection, len(asked)):
                    return

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connections.append(connection)
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
        listening.shutdown(socket.SHUT_RDWR)
    for connection in connections:
        connection.close()


def whole_request(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def said(value: object, *headers: str, status: int = 200) -> bytes:
    body = json.dumps(value).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


NO_MODELS = said({"models": []})
CAT = {"label": "cat", "labels": ["cat"], "prob": 1.0, "probs": {"cat": 1.0}, "is_sure": True, "error": None}


def a_byte_now_and_then(connection: socket.socket, data: bytes) -> bool:
    for place in range(len(data)):
        connection.sendall(data[place : place + 1])
        time.sleep(0.05)
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "begins",
    [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["in its head", "in its body"],
)
def test_a_server_that_sends_a_byte_now_and_then_holds_nobody(begins: bytes):
    with (
        answered_by(lambda connection, _: a_byte_now_and_then(connection, begins)) as (url, _),
        pytest.raises(BusyServerError, match=r"it took too long.*The whole call had 0\.5 s \(timeout_s\)"),
    ):
        Client(url, timeout_s=0.5).models()


def test_a_server_that_says_nothing_holds_a_prediction_no_longer_than_allowed():
    with (
        answered_by(lambda connection, _: bool(connection.recv(1))) as (url, _),
        pytest.raises(BusyServerError, match=r"The whole call had 0\.2 s"),
    ):
        Client(url, timeout_s=0.2).predict(picture())


def test_a_pause_that_does_not_fit_into_the_call_is_not_made():
    busy = said({"detail": "Many wait."}, "Retry-After: 20", status=429)
    with answered_by(lambda connection, _: not connection.sendall(busy)) as (url, asked):
        with pytest.raises(BusyServerError, match=r"Many wait\. The whole call had 10 s"):
            Client(url, timeout_s=10).models()
        assert len(asked) == 1


def test_answers_renew_patience_and_not_the_time_of_the_call(monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda _: None)
    patience = Patience(5, CallTime(10))
    for clock[0] in (4.0, 8.0):
        patience.wait(None, "Busy.")
        patience.renew()
    clock[0] = 9.99
    with pytest.raises(BusyServerError, match="The whole call had 10 s"):
        patience.wait(1, "Busy.")


@pytest.mark.parametrize(
    "times", [{"timeout_s": 0}, {"timeout_s": -1}, {"timeout_s": float("nan")}, {"patience_s": -1}]
)
def test_times_that_make_no_sense_are_refused(times: dict[str, float]):
    with pytest.raises(UserError, match="makes no sense"):
        Client("http://127.0.0.1:1", **times)


def test_a_kept_connection_that_is_closed_without_a_word_is_asked_once_more_on_a_fresh_one():
    """RFC 9112, section 9.3.1; a prediction changes nothing, so asking it twice is safe."""

    def answering(connection: socket.socket, number: int) -> bool:
        if number == 2:
            return False  # it has read the question, and is gone
        connection.sendall(NO_MODELS if number == 1 else said({"predictions": [CAT]}))
        return True

    with answered_by(answering) as (url, asked), Client(url) as client:
        client.models()
        (only,) = client.predict(picture())
    assert only.label == "cat"
    assert asked[1].startswith(b"POST /predict")
    assert asked[1] == asked[2]
    assert len(asked) == 3


def test_a_fresh_connection_that_is_closed_without_a_word_is_told():
    with answered_by(lambda *_: False) as (url, asked):
        with pytest.raises(UserError, match="No answer from"):
            Client(url).models()
        assert len(asked) == 1


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()
