"""Who may come in: this machine's own address, the link with the token, then a cookie; and what a page may do.

Everything a browser asks of the studio passes here first, web sockets included. A stranger's page that knows the port
gets nothing: its Host or Origin is another, and it has no cookie.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from winnow.studio.sessions import LASTS_S, Sessions

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# A page on another port of this machine is the same site, and another origin.
_OTHER_SITES = ("cross-site", "same-site")
# Vue compiles a few templates in the browser, hence 'unsafe-eval'; inline scripts run only with this answer's nonce.
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class Lock:
    """The token of the printed link, new with every studio, and who came in by it.

    Args:
        port: where the studio is.
        sessions: of browsers that came in, now or before.
    """

    def __init__(self, port: int, sessions: Sessions) -> None:
        self.port = port
        self.sessions = sessions
        self.token = secrets.token_urlsafe(24)
        self._token = _hashed(self.token)
        self._once: set[bytes] = set()

    @property
    def cookie(self) -> str:
        """Cookies do not know ports: two studios on one machine need two names."""
        return f"winnow-{self.port}"

    @property
    def link(self) -> str:
        """What to open."""
        return self._to(self.token)

    def link_for_once(self) -> str:
        """What a program opens for the user: programs' arguments can be read by everybody on this machine."""
        token = secrets.token_urlsafe(24)
        self._once.add(_hashed(token))
        return self._to(token)

    def fits(self, token: str) -> bool:
        """Whether this is the token, or one for once, which fits no more then."""
        hashed = _hashed(token)
        if hashed in self._once:
            self._once.remove(hashed)
            return True
        return secrets.compare_digest(hashed, self._token)

    def _to(self, token: str) -> str:
        return f"http://127.0.0.1:{self.port}/?token={token}"

    @property
    def hosts(self) -> frozenset[str]:
        """The Host headers of this machine's own address."""
        return frozenset(f"{name}:{self.port}" for name in _LOCAL_NAMES)


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class Door:
    """The outermost layer of the studio's app."""

    def __init__(self, app: ASGIApp, lock: Lock) -> None:
        self._app = app
        self._lock = lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, sign in, or hand on."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        refused = self._refusal(scope)
        if refused is None:
            # A proxy's prefix would be written into the page; there is no proxy here.
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"x-forwarded-prefix"]
            return await self._app(scope, receive, send if scope["type"] == "websocket" else _Guarded(send))
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        return await refused(scope, receive, _Guarded(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self._lock.hosts:
            return PlainTextResponse("The studio answers only at this machine's own address.", 421)
        origin = headers.get("origin")
        # Even for reading: NiceGUI's socket answers to any origin, and a page on another port of this machine sends our
        # cookie along. Links to us, and our own pages' reading, come without an origin.
        if origin is not None and origin not in {f"http://{host}" for host in self._lock.hosts}:
            return PlainTextResponse("Another site may not act here.", 403)
        if scope.get("method", "GET") not in _SAFE_METHODS and headers.get("sec-fetch-site") in _OTHER_SITES:
            return PlainTextResponse("Another site may not act here.", 403)
        tokens = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        if scope["type"] == "http" and scope["method"] == "GET" and any(self._lock.fits(token) for token in tokens):
            return self._welcome()
        if any(self._lock.sessions.knows(session) for session in _cookies(headers, self._lock.cookie)):
            return None
        return HTMLResponse(_page("Open the studio by its link: the one that <b>winnow studio</b> printed."), 401)

    def _welcome(self) -> Response:
        # Not a redirect: a browser that came from elsewhere would not send a strict cookie along with it.
        response = HTMLResponse(_page("Opening the studio.", onward="/"))
        value, lasts_s = self._lock.sessions.begin(), int(LASTS_S)
        # With an end: without one, browsers forget it when they are closed.
        response.set_cookie(self._lock.cookie, value, max_age=lasts_s, httponly=True, samesite="strict")
        return response


def _cookies(headers: Headers, name: str) -> Iterable[str]:
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ()
    return (jar[name].value,) if name in jar else ()


def _page(sentence: str, onward: str | None = None) -> str:
    refresh = "" if onward is None else f'<meta http-equiv="refresh" content="0;url={escape(onward)}">'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Winnow</title>{refresh}</head>'
        f'<body style="font: 1.1rem/1.5 system-ui; margin: 4rem auto; max-width: 34rem"><p>{sentence}</p></body></html>'
    )


class _Guarded:
    """Sends an answer on with the policy of what its page may do; a page's own inline scripts get its nonce.

    User text never holds a `<script` here: NiceGUI escapes it, and other routes give no HTML.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Hold back pages until they are whole; all else goes through at once."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=self._nonce))  # a route may be stricter
            for name, value in _HEADERS.items():
                headers[name] = value
            if not headers.get("content-type", "").startswith("text/html"):
                await self._send(message)
                return
            headers["Cache-Control"] = "no-store"
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                body = self._body.replace(b"<script", f'<script nonce="{self._nonce}"'.encode())
                if "content-length" in (headers := MutableHeaders(scope=self._start)):
                    headers["content-length"] = str(len(body))
                await self._send(self._start)
                await self._send({"type": "http.response.body", "body": body})
        else:
            await self._send(message)
