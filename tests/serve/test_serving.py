"""A whole server, as `winnow serve` starts it: it answers, swaps models, and stops without losing a request."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from data.pictures import file_of, noise
from winnow.workspace.servers import running
from winnow.workspace.workspace import Workspace

from .tiny_models import expected, tiny_model

TOKEN, ADMIN = "the-token-of-tests", "the-admin-token-of-tests"
AS_USER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/png"}
AS_ADMIN = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="stops servers by signals")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two versions of a model that answer differently."""
    folder = tmp_path_factory.mktemp("workspace")
    with Workspace.open(folder) as opened:
        opened.add_dataset("clouds", "nowhere")
        add_version(opened, folder, 1.0)
        add_version(opened, folder, 3.0)
    return folder


def add_version(workspace: Workspace, folder: Path, scale: float) -> None:
    made = tiny_model(folder / f"made-{scale}", scale=scale)
    digest = json.loads((made / "winnow.json").read_text())["sha256"]
    workspace.add_model("clouds", None, "clouds", 1, digest, made_in=made)


class Server:
    """`winnow serve` in a process of its own."""

    def __init__(self, *words: str) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        environment = os.environ | {"WINNOW_TOKEN": TOKEN, "WINNOW_ADMIN_TOKEN": ADMIN, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "winnow.cli.main", "serve", *words, "--port", str(self.port), "--workers", "1"]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"it did not start: {self.end()}")

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, dict]:
        """Status and answer, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, AS_USER if headers is None else headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def predict(self, picture: bytes) -> tuple[int, dict]:
        return self.ask("POST", "/predict", picture)

    def end(self, how: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit status and what it wrote."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def server(workspace: Path) -> Iterator[Server]:
    started = Server("clouds@1", "--workspace", str(workspace))
    yield started
    assert started.end()[0] == 0


class Asking:
    """Asks again and again until it is told to stop; keeps what it heard."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.statuses: list[int] = []
        self.lost: list[Exception] = []
        self.versions: list[str] = []
        self.probs: dict[str, set[float]] = {}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(one,)) for one in range(3)]

    def _ask(self, first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        picture = file_of(noise(7))
        while not self._stop.is_set():
            try:
                connection.connect()
            except OSError:  # nothing was asked yet: the server has stopped listening
                return
            try:
                connection.request("POST", "/predict", picture, AS_USER)
                answer = connection.getresponse()
                said = json.loads(answer.read())
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(error)
                return
            finally:
                connection.close()
            self.statuses.append(answer.status)
            if answer.status == 200:
                self.versions.append(said["version"])
                self.probs.setdefault(said["version"], set()).add(said["predictions"][0]["prob"])

    def wait_for(self, n: int) -> None:
        """Until so many more answers have come."""
        wanted = len(self.statuses) + n
        deadline = time.monotonic() + 60
        while len(self.statuses) < wanted and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(self.statuses) >= wanted


@contextmanager
def asking(server: Server) -> Iterator[Asking]:
    one = Asking(server)
    for thread in one._threads:
        thread.start()
    try:
        yield one
    finally:
        one._stop.set()
        for thread in one._threads:
            thread.join(60)


def test_a_picture_gets_what_python_gives_it(server: Server, workspace: Path):
    picture = file_of(noise(1))
    status, said = server.predict(picture)
    assert status == 200
    (truth,) = expected(workspace / "models" / "clouds" / "1", [picture])
    assert said["predictions"][0]["probs"] == pytest.approx(
        dict(zip(("cirrus", "cumulus", "stratus"), truth, strict=True)), abs=1e-5
    )


def test_it_is_known_in_its_workspace(server: Server, workspace: Path):
    (found,) = [one for one in running(workspace) if one.address.endswith(f":{server.port}")]
    assert found.models == ("clouds@1",)
    assert found.pid == server.process.pid


def test_a_swap_under_load_loses_nothing_and_each_answer_is_of_one_version(server: Server):
    with asking(server) as load:
        for version in ("2", "1"):
            load.wait_for(5)
            body = json.dumps({"versions": [{"version": version, "share": 1.0}]}).encode()
            assert server.ask("PUT", "/models/clouds", body, AS_ADMIN)[0] == 200
            assert server.predict(file_of(noise(2)))[1]["version"] == version
        load.wait_for(5)
    assert set(load.statuses) == {200}
    assert not load.lost
    assert set(load.versions) == {"1", "2"}
    assert all(len(probs) == 1 for probs in load.probs.values())
    assert load.probs["1"] != load.probs["2"]


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server that was told a name without a version, and its workspace."""
    folder = tmp_path_factory.mktemp("newest")
    with Workspace.open(folder) as opened:
        opened.add_dataset("clouds", "nowhere")
        add_version(opened, folder, 1.0)
    started = Server("clouds", "--workspace", str(folder))
    yield started, folder
    started.end()


def test_hanging_up_serves_the_newest_version(newest: tuple[Server, Path]):
    server, folder = newest
    assert server.predict(file_of(noise(1)))[1]["version"] == "1"
    with Workspace.open(folder) as opened:
        add_version(opened, folder, 3.0)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while server.predict(file_of(noise(1)))[1]["version"] == "1" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.predict(file_of(noise(1)))[1]["version"] == "2"


def test_it_stops_without_losing_what_it_took(newest: tuple[Server, Path]):
    server, _ = newest
    picture = file_of(noise(4))
    begun = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: image/png\r\n"
    begun.sendall(f"{head}Content-Length: {len(picture)}\r\n\r\n".encode() + picture[:-1])
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    idle.request("GET", "/readyz")
    assert idle.getresponse().read()
    with asking(server) as load:
        load.wait_for(5)
        server.process.send_signal(signal.SIGTERM)
        while server.process.poll() is None:
            try:
                idle.request("GET", "/readyz")
                answer = idle.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                break
            if answer.status == 503:  # not ready at once, while it still listens
                break
        begun.sendall(picture[-1:])
        assert begun.recv(65536).startswith(b"HTTP/1.1 200")
        status, out, err = server.end()
    begun.close()
    idle.close()
    assert (status, err) == (0, "")
    assert set(load.statuses) == {200}
    assert not load.lost
    assert TOKEN not in out


BAD = ("generated", "libjpeg-fuzz", "libpng", "pillow", "png-bugs", "pngsuite", "exif-orientation")


@pytest.mark.parametrize("category", BAD)
def test_bad_pictures_get_an_answer_or_a_reason(server: Server, test_data: Path, category: str):
    """A few of each kind; all of them were sent by hand."""
    folder = test_data / "badinput" / "images" / category
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.stat().st_size < 2 << 20)
    for file in files[:: max(1, len(files) // 4)]:
        status, said = server.predict(file.read_bytes())
        assert status == 200 or (400 <= status < 500 and said["code"] and said["detail"]), file
    assert server.ask("GET", "/readyz")[0] == 200
