"""Nobody comes in but by the link, and a page may do only what the policy says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from winnow.studio.door import Door, Lock
from winnow.studio.sessions import Sessions

PORT = 8765
HERE = f"http://127.0.0.1:{PORT}"
SOCKET = f"ws://127.0.0.1:{PORT}/socket"


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(PORT, Sessions(tmp_path))


@pytest.fixture
def stranger(lock: Lock) -> TestClient:
    """A browser that has not opened the link."""
    return browser(lock)


def browser(lock: Lock) -> TestClient:
    app = FastAPI()

    @app.get("/")
    def _page(request: Request) -> HTMLResponse:
        prefix = request.headers.get("x-forwarded-prefix", "none")
        return HTMLResponse(f"<html><script>1</script><p>{prefix}</p></html>")

    @app.get("/sandbox")
    def _sandbox() -> HTMLResponse:
        return HTMLResponse("<p>by itself</p>", headers={"Content-Security-Policy": "default-src 'none'; sandbox"})

    @app.post("/act")
    def _act() -> str:
        return "done"

    @app.websocket("/socket")
    async def _socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    return TestClient(Door(app, lock), base_url=HERE)


@pytest.fixture
def guest(stranger: TestClient, lock: Lock) -> TestClient:
    """A browser that has."""
    assert stranger.get(lock.link).status_code == 200
    return stranger


def test_a_stranger_is_told_to_open_the_link(stranger: TestClient):
    answer = stranger.get("/")
    assert answer.status_code == 401
    assert "winnow studio" in answer.text


def test_a_wrong_token_opens_nothing(stranger: TestClient, lock: Lock):
    assert stranger.get(f"/?token={lock.token[:-1]}x").status_code == 401
    assert stranger.get("/?token=").status_code == 401
    assert not stranger.cookies


def test_the_link_gives_a_cookie_that_scripts_and_other_sites_cannot_use(stranger: TestClient, lock: Lock):
    answer = stranger.get(lock.link)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert f"max-age={30 * 24 * 3600};" in cookie  # it outlives the browser's window
    assert lock.token not in cookie
    assert stranger.get("/").status_code == 200


def test_the_page_of_the_link_leads_on_without_the_token(stranger: TestClient, lock: Lock):
    answer = stranger.get(lock.link)
    assert 'http-equiv="refresh" content="0;url=/"' in answer.text
    assert lock.token not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_link_for_once_opens_one_browser(stranger: TestClient, lock: Lock):
    """Everybody on this machine can read it among the arguments of the program that opens it."""
    link = lock.link_for_once()
    assert lock.token not in link
    assert stranger.get(link).status_code == 200
    stranger.cookies.clear()
    assert stranger.get(link).status_code == 401
    assert stranger.get(lock.link).status_code == 200


def test_the_token_does_not_post(stranger: TestClient, lock: Lock):
    assert stranger.post(f"/act?token={lock.token}").status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.evil.example:{PORT}", ""])
def test_other_names_for_this_machine_are_refused(guest: TestClient, host: str):
    """DNS rebinding: a stranger's name that leads to this machine."""
    assert guest.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", "http://127.0.0.1:1"])
def test_other_sites_cannot_act_even_with_the_cookie(guest: TestClient, origin: str):
    assert guest.post("/act", headers={"origin": origin}).status_code == 403
    assert guest.get("/", headers={"origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect), guest.websocket_connect(SOCKET, headers={"origin": origin}):
        pass


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_says_where_it_comes_from_is_believed(guest: TestClient, method: str, site: str):
    """Whatever it calls itself, and without an origin."""
    headers = {"sec-fetch-site": site, "user-agent": "Other"}
    assert guest.request(method, "/act", headers=headers).status_code == 403
    assert guest.get("/", headers=headers).status_code == 200  # a link to us


@pytest.mark.parametrize("host", ["x/../admin?", f"localhost.evil.com:{PORT}", f"127.0.0.1:{PORT}@evil.example"])
def test_a_host_that_only_looks_like_ours_is_refused(guest: TestClient, host: str):
    assert guest.get("/", headers={"host": host}).status_code == 421


def test_our_own_pages_can_act(guest: TestClient):
    assert guest.post("/act", headers={"origin": HERE}).json() == "done"
    with guest.websocket_connect(SOCKET, headers={"origin": HERE}) as socket:
        assert socket.receive_text() == "hello"


def test_a_stranger_gets_no_web_socket(stranger: TestClient):
    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect(SOCKET):
        pass


def test_inline_scripts_run_only_with_the_nonce_of_this_answer(guest: TestClient):
    first, second = guest.get("/"), guest.get("/")
    nonces = [re.search(r"'nonce-([^']+)'", one.headers["content-security-policy"]) for one in (first, second)]
    assert nonces[0] is not None
    assert nonces[1] is not None
    assert nonces[0][1] != nonces[1][1]
    assert f'<script nonce="{nonces[0][1]}">' in first.text
    assert int(first.headers["content-length"]) == len(first.content)


def test_a_page_may_speak_to_this_studio_alone(guest: TestClient):
    policy = guest.get("/").headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in rules["script-src"]
    assert not re.search(r"https?:|\*", policy)


def test_a_proxys_prefix_never_reaches_a_page(guest: TestClient):
    assert "<p>none</p>" in guest.get("/", headers={"x-forwarded-prefix": "/evil"}).text


def test_two_studios_on_one_machine_do_not_share_a_cookie(tmp_path: Path):
    assert Lock(1, Sessions(tmp_path)).cookie != Lock(2, Sessions(tmp_path)).cookie


def test_an_open_page_goes_on_after_the_studio_was_started_again(guest: TestClient, lock: Lock, tmp_path: Path):
    again = Lock(PORT, Sessions(tmp_path))
    restarted = browser(again)
    restarted.cookies = guest.cookies
    assert restarted.get("/").status_code == 200
    assert restarted.get(lock.link).status_code == 200  # by its cookie: the old link opens nothing by itself
    restarted.cookies.clear()
    assert restarted.get(lock.link).status_code == 401


def test_a_broken_cookie_is_no_cookie(stranger: TestClient):
    assert stranger.get("/", headers={"cookie": "=;=;\x00winnow"}).status_code == 401


def test_a_route_may_have_a_policy_of_its_own(guest: TestClient):
    assert guest.get("/sandbox").headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "'nonce-" in guest.get("/").headers["content-security-policy"]
