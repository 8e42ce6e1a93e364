"""A server in this process whose engine knows the answers by heart, to ask over ASGI or over a real socket."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.testclient import TestClient

from winnow.data.inputs import InputSpec
from winnow.errors import NotFoundError
from winnow.serve.app import App
from winnow.serve.bodies import Intake
from winnow.serve.counts import Counts
from winnow.serve.door import Door
from winnow.serve.job import Told
from winnow.serve.keys import Keys
from winnow.serve.protocol import Protocol
from winnow.serve.questions import Answer, Question, UnansweredError
from winnow.serve.served import Lineup, Served, Share, Tensor
from winnow.serve.service import Service

TOKEN, ADMIN = "the-token-of-tests", "the-admin-token-of-tests"
CLASSES = ("cirrus", "cumulus", "stratus")
PROBS = (0.2, 0.7, 0.1)
BAD = b"bad picture"
"""The fake engine refuses it as it would a damaged file."""


def clouds(version: str) -> Served:
    """A version of a model of pictures."""
    spec = InputSpec(8)
    return Served("clouds", version, Path("clouds"), version * 64, "pictures", "classify", CLASSES, None, 0.6, spec)


def doubling() -> Served:
    """A graph made elsewhere that doubles numbers."""
    x, y = Tensor("x", "float32", (None, 2)), Tensor("y", "float32", (None, 2))
    return Served("doubling", "abc", Path("doubling.onnx"), "d" * 64, "tensors", inputs=(x,), outputs=(y,))


class AsksInTasks:
    """The engine's other way to ask, over the first."""

    refusal: UnansweredError | None = None
    lender = None

    async def ask(self, question: Question) -> Answer:
        raise NotImplementedError

    def full(self) -> UnansweredError | None:
        return self.refusal

    def put(self, question: Question, told: Told) -> asyncio.Task[None]:
        return asyncio.ensure_future(self._tell(question, told))

    def leave(self, waiter: asyncio.Task[None]) -> None:
        waiter.cancel()

    async def _tell(self, question: Question, told: Told) -> None:
        try:
            told(await self.ask(question))
        except UnansweredError as error:
            told(error)


class KnowingEngine(AsksInTasks):
    """Answers at once, or when `free` is set."""

    def __init__(self, *shares: Share) -> None:
        self.lineup = Lineup(shares)
        self.counts = Counts()
        self.is_ready = True
        self.asked: list[Question] = []
        self.dropped = 0
        self.fails: Exception | None = None
        self.free: asyncio.Event | None = None

    async def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if self.fails is not None:
            raise self.fails
        if self.free is not None:
            try:
                await self.free.wait()
            except asyncio.CancelledError:
                self.dropped += 1
                raise
        if not isinstance(question.what, bytes):
            with np.errstate(over="ignore"):
                return Answer(question.served, {"y": 2 * question.what["x"]}, np.zeros(0, np.float32))
        if not question.what:
            raise UnansweredError(400, "E_EMPTY", "The file is empty.")
        if question.what == BAD:
            raise UnansweredError(422, "E_CORRUPT", "The file is damaged inside.")
        return Answer(question.served, {"probabilities": np.array(PROBS, np.float32)}, np.zeros(0, np.float32))

    async def swap(self, lineup: Lineup) -> None:
        self.lineup = lineup


def open_version(name: str) -> Served:
    """The workspace of these tests has versions 1 to 3."""
    base, _, version = name.partition("@")
    if base != "clouds" or version not in ("1", "2", "3"):
        raise NotFoundError(f"No model is called '{name}'.")
    return clouds(version)


def service_of(engine: KnowingEngine, most_bytes: int = 1 << 20, **more: Any) -> Service:
    """What the routes share, with small limits."""
    return Service(engine, open_version=open_version, intake=Intake(most_bytes), most_items=16, **more)  # type: ignore[arg-type]


def app_of(service: Service, *hosts: str, log: Any = None) -> App:
    """The app behind a door that knows two tokens."""
    return App(service, Door(Keys({TOKEN: "predict", ADMIN: "admin"}), hosts), log)


def client_of(app: App, token: str | None = TOKEN) -> TestClient:
    """Asks an app without a socket; a fault of ours is seen as the client sees it."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return TestClient(app, base_url="http://127.0.0.1:8000", headers=headers, raise_server_exceptions=False)


class Listening:
    """A server with a socket, in a thread."""

    def __init__(self, app: App, protocol: type[Protocol]) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self.place: tuple[str, int] = self._socket.getsockname()
        config = uvicorn.Config(
            app,
            interface="asgi3",
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self.server = uvicorn.Server(config)
        self.server.capture_signals = lambda: _nothing()  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self.server.run, args=([self._socket],), daemon=True)
        self._thread.start()

    def head(self, first: str, *headers: str, token: str = TOKEN) -> bytes:
        """The head of a request to this server."""
        lines = [f"{first} HTTP/1.1", f"Host: 127.0.0.1:{self.place[1]}", f"Authorization: Bearer {token}", *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def connect(self) -> socket.socket:
        """A connection with some patience."""
        connection = socket.create_connection(self.place)
        connection.settimeout(20)
        return connection

    def hear(self, *parts: bytes) -> bytes:
        """All that comes back until the server closes, on a connection of its own."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return heard(connection)

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        self._socket.close()


def next_answer(connection: socket.socket) -> bytes:
    """One whole answer on a connection that stays open: its head and its body may come one after the other."""
    answer = b""
    while not (head := re.match(rb"(?s).*?\r\n\r\n", answer)):
        answer += _more(connection)
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)\r\n", head[0])
    assert length is not None
    while len(answer) < head.end() + int(length[1]):
        answer += _more(connection)
    return answer


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65536)
    assert more, "it closed before its answer was whole"
    return more


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


@contextmanager
def _nothing() -> Generator[None]:
    yield
