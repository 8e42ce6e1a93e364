"""A whole server whose lent connections can be looked at, and clients that know what went over the wire."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn

from data.pictures import file_of, noise
from winnow.serve.app import App
from winnow.serve.board import FIRST_NUMBER, MOST_LENT
from winnow.serve.bodies import Intake
from winnow.serve.door import Door
from winnow.serve.engine import Engine
from winnow.serve.keys import Keys
from winnow.serve.opening import open_served
from winnow.serve.protocol import Protocol
from winnow.serve.running import Running, raise_file_limit
from winnow.serve.served import Lineup
from winnow.serve.service import Service

from .tiny_models import CLASSES

TOKEN, OTHER = "the-token-of-tests", "the-other-token-of-tests"
PICTURE = file_of(noise(1))


def until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition, and give what it gives; fail where it does not come true."""
    give_up = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < give_up
        time.sleep(0.001)
    return found


class Heard(NamedTuple):
    """One answer as it came over the wire."""

    status: int
    head: bytes
    body: bytes

    @property
    def undated(self) -> bytes:
        """All of its bytes but the date."""
        return re.sub(rb"\r\ndate: [^\r]*", b"", self.head) + self.body

    @property
    def probs(self) -> list[float]:
        """Of all classes, in the model's order."""
        shown = json.loads(self.body)["predictions"][0]["probs"]
        return [shown[name] for name in CLASSES]


class Asker:
    """A client's connection, which stays open."""

    def __init__(self, port: int, token: str = TOKEN) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(20)
        self._token = token
        self._read = b""

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def request(self, body: bytes = PICTURE, path: str = "/predict", kind: str = "image/png", token: str = "") -> bytes:
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {token or self._token}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self) -> Heard:
        """The next answer, whole."""
        while b"\r\n\r\n" not in self._read:
            self._hear_more()
        head, _, rest = self._read.partition(b"\r\n\r\n")
        n_bytes = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        while len(rest) < n_bytes:
            self._hear_more()
            rest = self._read.partition(b"\r\n\r\n")[2]
        self._read = rest[n_bytes:]
        return Heard(int(head[9:12]), head, rest[:n_bytes])

    def ask(self, body: bytes = PICTURE, **how: str) -> Heard:
        self.send(self.request(body, **how))
        return self.hear()

    def is_over(self) -> bool:
        """Whether nothing more comes; waits for the server to close."""
        try:
            return self._read + self.socket.recv(1 << 16) == b""
        except ConnectionError:
            return True

    def _hear_more(self) -> None:
        more = self.socket.recv(1 << 16)
        if not more:
            raise ConnectionError(f"closed after {self._read!r:.200}")
        self._read += more


class Lending:
    """A whole server in a thread of this process, whose state can be looked at; its workers are processes."""

    def __init__(self, engine: Engine, keys: Keys | None = None, loop: Any = "auto", **more: Any) -> None:
        raise_file_limit(FIRST_NUMBER + MOST_LENT)
        log, most_bytes = more.pop("log", None), more.pop("most_bytes", 8 << 20)
        self.engine = engine
        self.service = Service(engine, open_version=open_served, intake=Intake(most_bytes), **more)
        self.keys = keys or Keys({TOKEN: "predict"})
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        app = App(self.service, Door(self.keys, ()), log)
        config = uvicorn.Config(
            app,
            loop=loop,
            interface="asgi3",
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=30,
        )
        started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

        def note() -> None:
            self._loop = asyncio.get_running_loop()
            started.set()

        async def nothing() -> None: ...

        self.running = Running(config, self.service, grace_s=20, look_again=nothing, started=note)
        self._thread = threading.Thread(target=self.running.run, args=([self._socket],), daemon=True)
        self._thread.start()
        assert started.wait(60)

    def close(self) -> None:
        self.running._signal = signal.SIGINT
        self.running.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._socket.close()

    def connect(self, token: str = TOKEN) -> Asker:
        return Asker(self.port, token)

    @contextmanager
    def lent(self, body: bytes = PICTURE, **how: str) -> Generator[Asker]:
        """A connection that asked so often that it is lent."""
        with self.connect() as asker:
            self.lend(asker, body, **how)
            yield asker

    def lend(self, asker: Asker, body: bytes = PICTURE, **how: str) -> None:
        """Ask until a connection is lent; one that was lent is taken back where a worker joins, and lent again."""
        until(lambda: asker.ask(body, **how).status == 200 and self.is_lent(asker))
        until(lambda: not self.engine.counts.computing)  # who answered it has let it go

    def protocol_of(self, asker: Asker) -> Protocol | None:
        connections: list[Any] = list(self.running.server_state.connections)
        return next((one for one in connections if one.client and one.client[1] == asker.port), None)

    def is_lent(self, asker: Asker) -> bool:
        protocol = self.protocol_of(asker)
        return protocol is not None and protocol._usual.is_lent

    def ordinarily(self, body: bytes, **how: str) -> Heard:
        """What the front says, on a connection of its own."""
        with self.connect() as asker:
            return asker.ask(body, **how)

    def settle(self) -> None:
        """Wait until workers have told all that they answered."""

        def is_told() -> bool:
            before = self.service.meters.whole.count
            time.sleep(0.25)
            return self.service.meters.whole.count == before

        until(is_told)

    def swap(self, lineup: Lineup) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self.service.swap(lineup), self._loop).result(60)

    def page(self, path: str) -> str:
        """What a GET gives."""
        with self.connect() as asker:
            asker.send(asker.request(b"", path=path).replace(b"POST", b"GET", 1))
            return asker.hear().body.decode()

    @property
    def version(self) -> str:
        return next(iter(self.engine.lineup)).served.version

    @property
    def n_loans(self) -> int:
        lender = self.engine.lender
        assert lender is not None
        return len(lender._loans)

    @property
    def n_handed_out(self) -> int:
        """Questions that the front gave to a worker: those of lent connections are not among them."""
        return self.engine.counts.in_queue.count

    def n_questions(self, outcome: str) -> int:
        return sum(n for (*_, what), n in self.service.meters.questions.items() if what == outcome)

    def worker_with(self, asker: Asker) -> int:
        """Wait until a worker has read a request of a connection, and stop it there; gives its process id."""
        lender, protocol = self.engine.lender, self.protocol_of(asker)
        assert lender is not None
        assert protocol is not None
        duplicate = protocol._usual._duplicate
        assert duplicate is not None
        number = duplicate.fileno()
        until(lambda: lender.board.is_held(number))
        place = lender.board.holder(number)
        assert place is not None
        worker = self.processes[place]
        stop(worker)
        assert lender.board.is_held(number)
        return worker

    @property
    def processes(self) -> dict[int, int]:
        """The workers' process ids, by their place on the board."""
        crew = self.engine._crew
        assert crew is not None
        return {one._seat.worker: one.process_id for one in crew._workers if one._seat is not None}


def stop(worker: int) -> None:
    """Stop a worker, and wait until it has."""
    os.kill(worker, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "T")


@contextmanager
def stopped(*workers: int) -> Generator[None]:
    """While workers do nothing."""
    for worker in workers:
        stop(worker)
    try:
        yield
    finally:
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)
