"""Addresses of pictures are followed into the public network alone, and only where the server allows it."""

from __future__ import annotations

import asyncio
import http.server
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from winnow.data.sources import fetch
from winnow.serve import url_pictures
from winnow.serve.questions import UnansweredError
from winnow.serve.served import Share

from .asking import KnowingEngine, app_of, client_of, clouds, service_of

METADATA = "169.254.169.254"


class Site(http.server.BaseHTTPRequestHandler):
    """A site with a picture, redirects, and a picture without end."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))  # type: ignore[attr-defined]
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        if self.path == "/endless":
            try:
                while True:
                    self.wfile.write(bytes(1 << 16))
            except OSError:
                return
        self.wfile.write(b"a picture")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and their addresses; 127.0.0.1 counts as public here, and "example.org" is there."""
    known = {"example.org": ["127.0.0.1"]}

    def look_up(host: str, port: Any, *_: Any, **__: Any) -> list[Any]:
        addresses = known.get(host) or ([host] if _is_ip(host) else [])
        if not addresses:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    is_public = fetch.is_public
    monkeypatch.setattr(fetch, "is_public", lambda address: address == "127.0.0.1" or is_public(address))
    monkeypatch.setattr(fetch.socket, "getaddrinfo", look_up)
    return known


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def fetched(url: str) -> bytes:
    return asyncio.run(url_pictures.fetch_picture(url, time.monotonic() + 5))


def code_of(url: str) -> str:
    with pytest.raises(UnansweredError) as error:
        fetched(url)
    assert METADATA not in error.value.sentence
    assert error.value.status == 422
    return error.value.code


def test_addresses_are_refused_unless_allowed():
    engine = KnowingEngine(Share(clouds("1"), 1.0))
    client = client_of(app_of(service_of(engine)))
    answer = client.post("/predict", json={"images": [{"url": "http://example.org/a.png"}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "no-urls")


def test_a_public_picture_is_fetched(site: http.server.ThreadingHTTPServer, names: dict[str, list[str]]):
    engine = KnowingEngine(Share(clouds("1"), 1.0))
    client = client_of(app_of(service_of(engine, allows_urls=True)))
    url = f"http://example.org:{site.server_port}/a.png"
    said = client.post("/predict", json={"images": [{"url": url}, {"url": "ftp://example.org/"}]}).json()["predictions"]
    assert engine.asked[0].what == b"a picture"
    assert said[0]["error"] is None
    assert said[1]["error"]["code"] == "E_URL_BLOCKED"
    assert site.asked == [("/a.png", f"example.org:{site.server_port}")]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", METADATA, "[::1]", "[::ffff:10.0.0.1]", "192.168.0.1", "0.0.0.0", "[fe80::1]", "[64:ff9b::a00:1]"],
)
def test_the_own_network_is_never_asked(host: str):
    assert code_of(f"http://{host}/a.png") == "E_URL_BLOCKED"


def test_a_name_with_one_private_address_is_blocked(names: dict[str, list[str]]):
    names["mixed.example"] = ["93.184.215.14", "10.0.0.1"]
    assert code_of("http://mixed.example/") == "E_URL_BLOCKED"


def test_a_redirect_into_the_own_network_is_blocked(site: http.server.ThreadingHTTPServer, names: dict[str, list[str]]):
    here = f"http://example.org:{site.server_port}"
    assert fetched(f"{here}/to/{here}/a.png") == b"a picture"
    assert code_of(f"{here}/to/http://{METADATA}/latest") == "E_URL_BLOCKED"
    assert code_of(f"{here}/to/file:///etc/passwd") == "E_URL_BLOCKED"


def test_a_name_that_changes_its_mind_is_asked_at_the_checked_address(
    site: http.server.ThreadingHTTPServer, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
):
    """DNS rebinding: whatever the name says later, the connection goes where the check looked."""
    looked: list[str] = []
    look_up = fetch.socket.getaddrinfo

    def rebinding(host: str, *more: Any, **options: Any) -> list[Any]:
        looked.append(host)
        found = look_up(host, *more, **options)
        names["example.org"] = ["10.0.0.1"]
        return found

    monkeypatch.setattr(fetch.socket, "getaddrinfo", rebinding)
    assert fetched(f"http://example.org:{site.server_port}/a.png") == b"a picture"
    assert looked == ["example.org"]


def test_what_is_too_large_is_cut_off(
    site: http.server.ThreadingHTTPServer, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(url_pictures, "MOST_BYTES", 1 << 20)
    assert code_of(f"http://example.org:{site.server_port}/endless") == "E_URL_FAILED"


def test_what_is_too_slow_is_cut_off(names: dict[str, list[str]]):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://example.org:{silent.getsockname()[1]}/"
        with pytest.raises(UnansweredError) as error:
            asyncio.run(url_pictures.fetch_picture(url, time.monotonic() + 0.2))
    assert error.value.code == "E_URL_FAILED"
