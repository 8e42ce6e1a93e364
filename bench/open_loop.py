"""Asks a server over HTTP from a process of its own, and says what came back: `python bench/open_loop.py` reads a JSON
line on stdin (`Load`) and writes one on stdout (`Heard`).

Open loop: questions are sent when they are due (evenly, or at random as of many who know nothing of each other:
Poisson), whether or not earlier ones were answered; a delay counts from when a question was due, so that a server that
stalls cannot hide it (Tene, How NOT to measure latency, 2013). Closed loop (`rate` 0): each connection asks again when
it has its answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

_MOST_CONNECTIONS = 512


@dataclass(frozen=True)
class Load:
    """What to ask.

    Attributes:
        url: of the endpoint.
        token: sent as a bearer token; "" sends none.
        folder: its files are sent in turn, each as a raw body.
        seconds: for how long.
        rate: questions a second; 0: a closed loop.
        is_even: of an open loop: one question after the other at equal distances; else Poisson.
        connections: of a closed loop.
        lasts: goes on where the server is away for a moment, and counts that apart.
    """

    url: str
    token: str
    folder: str
    seconds: float
    rate: float = 0.0
    is_even: bool = False
    connections: int = 1
    lasts: bool = False


@dataclass
class Heard:
    """What came back.

    Attributes:
        statuses: how often each status came; "lost": a question was sent whole, and the connection ended without one.
        turned_away: connections that were refused.
        asked_again: questions on a connection that had been used before and ended without a byte of an answer: the
            server closed it while they were on their way, and did not accept them. They were asked once more on a
            new connection, as HTTP has it (RFC 9112, 9.3.1) and every common client does.
        seconds: from the first question to the last answer.
        delays_ms: of answers with status 200, sorted.
        refusals_ms: of other answers, sorted.
        versions: how often each `version` answered.
        cpu_s: that the asking itself took.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    turned_away: int = 0
    asked_again: int = 0
    seconds: float = 0.0
    delays_ms: list[float] = field(default_factory=list)
    refusals_ms: list[float] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    cpu_s: float = 0.0

    def at(self, share: float) -> float:
        """A quantile of the delays, in ms."""
        return quantile(self.delays_ms, share)

    @property
    def answered(self) -> int:
        """How many answers had status 200."""
        return self.statuses.get("200", 0)


def quantile(values: list[float], share: float) -> float:
    """Of sorted values; 0 of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


class Connection(asyncio.Protocol):
    """One connection: a question out, an answer back."""

    def __init__(self) -> None:
        self.is_open = False
        self.n_answers = 0
        self._answer: asyncio.Future[bytes] | None = None
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side has left."""
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        """Part of an answer."""
        self._got += data
        head, mark, rest = self._got.partition(b"\r\n\r\n")
        if not mark:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if len(rest) >= length and self._answer is not None and not self._answer.done():
            if any(line.startswith(b"connection: close") for line in lines):
                self.is_open = False
            self.n_answers += 1
            self._answer.set_result(head.split(b" ", 2)[1] + b" " + rest[:length])

    @property
    def may_ask_again(self) -> bool:
        """Whether it ended as one that the server had no more use for."""
        return self.n_answers > 0 and not self._got

    async def ask(self, question: bytes) -> tuple[str, bytes]:
        """Status and body."""
        assert self._transport is not None
        self._got, self._answer = b"", asyncio.get_running_loop().create_future()
        self._transport.write(question)
        status, _, body = (await self._answer).partition(b" ")
        return status.decode(), body


class Asking:
    """A load while it is under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        parts = urlsplit(load.url)
        assert parts.hostname is not None
        self._host, self._port = parts.hostname, parts.port
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        token = f"Authorization: Bearer {load.token}\r\n" if load.token else ""
        self._questions = [
            (
                f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{token}"
                f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            + body
            for body in (file.read_bytes() for file in sorted(Path(load.folder).iterdir()))
        ]
        self._idle: list[Connection] = []
        self._statuses: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()
        self.heard = Heard()

    async def run(self) -> Heard:
        """All of it."""
        start = time.perf_counter()
        await (self._open_loop() if self._load.rate else self._closed_loop())
        self.heard.seconds = time.perf_counter() - start
        self.heard.statuses, self.heard.versions = dict(self._statuses), dict(self._versions)
        self.heard.delays_ms.sort()
        self.heard.refusals_ms.sort()
        self.heard.cpu_s = time.process_time()
        return self.heard

    async def _open_loop(self) -> None:
        rng, waiting = random.Random(0), set[asyncio.Task[None]]()
        start = due = time.perf_counter()
        number = 0
        while due - start < self._load.seconds:
            due += 1 / self._load.rate if self._load.is_even else rng.expovariate(self._load.rate)
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            if len(waiting) >= _MOST_CONNECTIONS:  # the asking itself is at its end: said, not hidden
                self._statuses["not sent"] += 1
                continue
            task = asyncio.ensure_future(self._ask(number, due))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            number += 1
        if waiting:
            await asyncio.wait(waiting)

    async def _closed_loop(self) -> None:
        end = time.perf_counter() + self._load.seconds

        async def again(first: int) -> None:
            number = first
            while time.perf_counter() < end:
                await self._ask(number, time.perf_counter())
                number += self._load.connections

        await asyncio.gather(*(again(first) for first in range(self._load.connections)))

    async def _ask(self, number: int, due: float) -> None:
        question = self._questions[number % len(self._questions)]
        while True:
            connection = await self._connection()
            if connection is None:
                return
            try:
                status, body = await connection.ask(question)
                break
            except ConnectionError:
                if not connection.may_ask_again:
                    self._statuses["lost"] += 1
                    return
                self.heard.asked_again += 1
        taken_ms = 1000 * (time.perf_counter() - due)
        self._statuses[status] += 1
        (self.heard.delays_ms if status == "200" else self.heard.refusals_ms).append(taken_ms)
        if self._load.lasts and status == "200":
            self._versions[str(json.loads(body).get("version"))] += 1
        if connection.is_open:
            self._idle.append(connection)

    async def _connection(self) -> Connection | None:
        while self._idle:
            if (connection := self._idle.pop()).is_open:
                return connection
        loop = asyncio.get_running_loop()
        while True:
            try:
                return (await loop.create_connection(Connection, self._host, self._port))[1]
            except OSError:
                self.heard.turned_away += 1
                if not self._load.lasts:
                    return None
                await asyncio.sleep(0.05)


class Started:
    """A load in a process of its own."""

    def __init__(self, load: Load) -> None:
        # A pipe would be full long before somebody reads it.
        self._answer = tempfile.TemporaryFile("w+")  # noqa: SIM115  (it is closed when it was read)
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=self._answer, text=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(load)) + "\n")
        self._process.stdin.close()

    def heard(self) -> Heard:
        """Wait for its end."""
        if self._process.wait():
            sys.exit("the asking failed")
        with self._answer:
            self._answer.seek(0)
            return Heard(**json.load(self._answer))


def main() -> None:
    """Read what to ask, ask, write what came back."""
    load = Load(**json.loads(sys.stdin.readline()))
    print(json.dumps(asdict(uvloop.run(Asking(load).run()))))


if __name__ == "__main__":
    main()
