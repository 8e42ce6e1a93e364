"""A client gets what a model gives by itself, is patient with a busy server, and keeps its token to itself."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image

import winnow
from winnow.api.model import Model
from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.inputs import to_input
from winnow.data.picture_summary import summary_of
from winnow.errors import NotFoundError, UserError
from winnow.serve import connection, protocol, refusals
from winnow.serve.app import App
from winnow.serve.bodies import Intake
from winnow.serve.client import Client
from winnow.serve.door import Door
from winnow.serve.keys import Keys
from winnow.serve.opening import lineup_of, open_served
from winnow.serve.patience import BusyServerError
from winnow.serve.questions import Answer, Question, UnansweredError
from winnow.serve.refusals import status_of
from winnow.serve.service import Service
from winnow.tasks.predictor import Predictor

from .asking import AsksInTasks
from .tiny_models import CLASSES, tiny_model

TOKEN = "a-token-that-is-long-enough"


class EngineHere(AsksInTasks):
    """Answers in this process; refuses questions first, as many as it is told."""

    def __init__(self, lineup):
        self.lineup, self.is_ready, self.refusals = lineup, True, list[UnansweredError]()
        self._predictors = {one.served.digest: Predictor(one.served.path) for one in lineup}
        self.asked = 0

    async def start(self) -> None:
        pass

    async def ask(self, question: Question) -> Answer:
        self.asked += 1
        if self.refusals:
            raise self.refusals.pop()
        served = question.served
        try:
            picture = decode(question.what, at_least_px=served.input_spec.side_px)
        except UnreadablePictureError as error:
            raise UnansweredError(status_of(error.code), error.code, error.reason) from error
        pixels = to_input(picture.pixels, served.input_spec)
        probs = self._predictors[served.digest].answer(pixels)
        return Answer(served, {"probabilities": probs}, summary_of(pixels, *picture.full_size))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "clouds")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[tuple[str, Service]]:
    """The real door before an engine of one thread; takes 5 pictures and 64 kB at a time."""
    engine = EngineHere(lineup_of([f"clouds={folder}"]))
    service = Service(engine, open_version=open_served, intake=Intake(1 << 16), most_items=5)  # type: ignore[arg-type]
    app = App(service, Door(Keys({TOKEN: "predict"}), ()))
    config = uvicorn.Config(
        app, interface="asgi3", http=protocol.Protocol, lifespan="off", log_config=None, proxy_headers=False
    )
    running = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(running.serve([listening])), daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.001)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", service
        running.should_exit = True
        thread.join(10)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    rng = np.random.default_rng(0)
    for number in range(23):
        Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).save(inbox / f"{number:02}.png")
    (inbox / "07.png").write_bytes(b"no picture")
    (inbox / "11.png").write_bytes((inbox / "10.png").read_bytes()[:-30])
    (inbox / "12.png").write_bytes(b"")
    return inbox


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses are noted, not made."""
    made: list[float] = []
    monkeypatch.setattr(connection.time, "sleep", made.append)
    return made


def test_it_gives_what_the_model_gives_item_by_item(server, folder: Path, pictures: Path):
    with Client(server[0], TOKEN) as client:
        told, own = client.predict(pictures), Model(folder).predict(pictures)
    assert [(one.source, one.label, one.labels, one.error) for one in told] == [
        (one.source, one.label, one.labels, one.error) for one in own
    ]
    assert sum(one.error is not None for one in told) == 3
    for one, other in zip(told, own, strict=True):
        assert list(one.probs) == list(other.probs)
        assert list(one.probs.values()) == pytest.approx(list(other.probs.values()), abs=1e-6)


def test_bytes_arrays_and_images_are_sent_as_files(server, folder: Path, pictures: Path):
    pixels = np.random.default_rng(1).integers(0, 256, (2, 9, 9, 3), dtype=np.uint8)
    given = [(pictures / "00.png").read_bytes(), pixels, Image.fromarray(pixels[0])]
    told = Client(server[0], TOKEN).predict(given)
    own = Model(folder).predict(given)
    assert [one.source for one in told] == [one.source for one in own]
    assert [one.probs for one in told] == [pytest.approx(one.probs, abs=1e-6) for one in own]


def test_it_says_what_is_served(server):
    (only,) = Client(server[0], TOKEN).models()
    assert (only.model, only.share, only.task, only.classes) == ("clouds", 1.0, "classify", CLASSES)


def test_a_model_that_is_not_served_and_a_wrong_token_are_said(server, pictures: Path):
    with pytest.raises(NotFoundError, match="Did you mean clouds"):
        Client(server[0], TOKEN).predict(pictures, model="cloud")
    with pytest.raises(NotFoundError, match="no version 9"):
        Client(server[0], TOKEN).predict(pictures, model="clouds@9")
    for token in ("another-token-of-the-length", ""):
        with pytest.raises(UserError, match="does not take this token"):
            Client(server[0], token).predict(pictures)


def test_the_token_is_found_in_the_environment(server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WINNOW_TOKEN", f"{TOKEN}\n")
    assert winnow.Client(server[0]).models()


def test_pictures_left_out_by_a_full_queue_are_sent_again(server, pictures: Path, no_pauses: list[float]):
    engine = server[1].engine
    engine.refusals = [refusals.queue_full(64, 0.4) for _ in range(9)]
    told = Client(server[0], TOKEN).predict([pictures / f"{number:02}.png" for number in range(5)])
    assert [one.error for one in told] == [None] * 5
    assert len(no_pauses) >= 2


def test_a_server_that_stays_busy_is_left_alone_in_the_end(server, pictures: Path, no_pauses: list[float]):
    engine = server[1].engine
    engine.refusals = [refusals.draining() for _ in range(99)]
    with pytest.raises(BusyServerError, match=r"The server is being stopped.*This went on for 1 s"):
        Client(server[0], TOKEN, patience_s=1).predict(pictures / "00.png")
    engine.refusals = []


def test_a_picture_too_large_for_the_server_costs_its_own_answer(server, pictures: Path):
    large = Image.fromarray(np.random.default_rng(2).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    large.save(pictures / "13.png")
    told = {Path(one.source).name: one for one in Client(server[0], TOKEN).predict(pictures)}
    assert "larger than 0.0625 MB" in str(told["13.png"].error)
    assert told["14.png"].error is None


def test_nobody_there_is_said_with_what_to_do():
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(UserError, match=rf"No server answers at http://127\.0\.0\.1:{port} .*winnow serve MODEL"):
        Client(f"http://127.0.0.1:{port}").models()


def test_a_token_goes_in_the_clear_to_this_machine_alone():
    for url in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://models.example.org"):
        Client(url, TOKEN)
    with pytest.raises(UserError, match="anybody on the way can read it"):
        Client("http://models.example.org:8000", TOKEN)
    Client("http://models.example.org:8000", TOKEN, allow_insecure=True)
    Client("http://models.example.org:8000", "")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", "http://x:port", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(UserError, match="is no address of a server"):
        Client(url)


def test_a_secret_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(UserError) as refused:
        Client("http://me:hunter2@127.0.0.1:8000")
    assert "hunter2" not in str(refused.value)


Answering = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def served_by(answering: Answering) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answering(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def test_it_comes_back_when_the_server_says(no_pauses: list[float]):
    answers = [(503, "2"), (429, "3"), (429, "\xb2"), (200, "")]  # a raised 2 is a digit, but no number

    def answering(handler: BaseHTTPRequestHandler) -> None:
        status, later = answers.pop(0)
        send(handler, status, b'{"models": [], "detail": "Too much."}', **({"Retry_After": later} if later else {}))

    with served_by(answering) as url:
        assert Client(url).models() == []
    assert [round(pause) for pause in no_pauses] == [2, 3, 0]


def test_a_connection_is_kept_and_one_that_the_server_closed_is_no_failure():
    ports: list[int] = []

    def answering(handler: BaseHTTPRequestHandler) -> None:
        ports.append(handler.client_address[1])
        send(handler, 200, b'{"models": []}')
        handler.close_connection = len(ports) == 2  # without a word to the client

    with served_by(answering) as url, Client(url) as client:
        for _ in range(3):
            client.models()
    assert ports[0] == ports[1] != ports[2]


HUGE_SHARE = (
    b'{"models": [{"name": "a", "versions": [{"version": 1, "task": "", "classes": [], "share": 1%0400d}]}]}' % 0
)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"models": 3}', b'{"models": [{}]}', HUGE_SHARE, b""])
def test_who_is_no_server_of_ours_is_told_as_such(body: bytes):
    with served_by(lambda handler: send(handler, 200, body)) as url, pytest.raises(UserError, match="answers"):
        Client(url).models()


def test_a_redirection_is_not_followed_with_the_token():
    asked: list[str] = []

    def answering(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        send(handler, 307, json.dumps({"detail": "Elsewhere."}).encode(), Location="/other")

    with served_by(answering) as url, pytest.raises(UserError, match=r"Elsewhere\."):
        Client(url, TOKEN).models()
    assert asked == ["/models"]
