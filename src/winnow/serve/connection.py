"""The client's end of HTTP: one address, connections that stay open, and questions asked again."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import winnow
from winnow.errors import NotFoundError, UserError
from winnow.serve.patience import Patience
from winnow.serve.refusals import BUSY
from winnow.serve.timed_answer import expect_by

_MOST_ANSWER_BYTES = 256 << 20
_CONNECT_S = 10.0
_ANSWER_S = 120.0
"""From the first byte of a question that is sent to the last of its answer: more than a server takes, and the way."""
# How a connection ends that the other side has closed, plain or encrypted.
_CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back: the HTTP status, and the JSON in the body."""

    status: int
    value: dict[str, Any]
    retry_after_s: float | None


class Connection:
    """One server; may be used by many threads at once.

    Args:
        url: such as "http://127.0.0.1:8000".
        token: opens it; None: that in WINNOW_TOKEN, if there is one.
        allow_insecure: send the token over plain http to another machine, where anybody on the way can read it.

    Raises:
        UserError: the address cannot be one, or the token would be sent in the clear.
    """

    def __init__(self, url: str, token: str | None = None, *, allow_insecure: bool = False) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise UserError(f"'{_shown(url)}' is no address of a server: give one such as http://127.0.0.1:8000")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            # Addresses end up in logs and histories.
            raise UserError("The address may hold no user, password, '?' or '#': give the token on its own.")
        self._host, self._port, self._path = parts.hostname, port, parts.path.rstrip("/")
        self._is_safe = parts.scheme == "https"
        self.url = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._token = os.environ.get("WINNOW_TOKEN") if token is None else token
        if self._token is not None:
            self._token = self._token.strip()
            if not self._token.isascii() or not self._token.isprintable():
                raise UserError("The token holds signs that no token has: copy it again, whole.")
        if self._token and not self._is_safe and not _is_this_machine(self._host) and not allow_insecure:
            raise UserError(
                f"The token would go to {self._host} over plain http, where anybody on the way can read it: use https, "
                "a tunnel (ssh -L 8000:localhost:8000), or allow it with --insecure (allow_insecure=True)."
            )
        self._free: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._has_answered = False

    def close(self) -> None:
        """Close the connections that are kept; the next question opens a new one."""
        with self._lock:
            while self._free:
                self._free.pop().close()

    def ask(
        self, method: str, path: str, patience: Patience, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answered:
        """One answer, whatever its status, but for a busy server's: then the question is asked again.

        Raises:
            BusyServerError: the server stayed busy, or away, for longer than `patience`, or its call's time is over.
            UserError: nobody answers there, or nobody who speaks as a server of Winnow's does.
        """
        while True:
            try:
                answered = self._ask_once(method, path, body, headers or {}, patience.call.ends)
            except _GoneError as error:
                if patience.call.is_over:
                    raise patience.call.too_late(str(error)) from error
                if not self._has_answered:
                    raise UserError(f"{error} Start a server (winnow serve MODEL), or check the address.") from error
                patience.wait(None, str(error))  # it answered before: it may be starting anew
                continue
            self._has_answered = True
            if answered.status not in BUSY:
                return answered
            patience.wait(answered.retry_after_s, sentence_of(answered))

    def _ask_once(self, method: str, path: str, body: bytes, headers: Mapping[str, str], ends: float) -> Answered:
        sent = {"User-Agent": f"winnow/{winnow.__version__}", "Accept": "application/json", **headers}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        question = _Question(method, self._path + path, body, sent)
        kept = self._kept()
        if kept is not None:
            # The server may have closed it since. To ask once more is safe: a prediction changes nothing
            # (RFC 9112, section 9.3.1; RFC 9110, section 9.2.2).
            with suppress(_ClosedError):
                return self._asked_on(kept, question, ends)
        return self._asked_on(self._opened(ends), question, ends)

    def _asked_on(self, connection: http.client.HTTPConnection, question: _Question, ends: float) -> Answered:
        """One answer on one connection, which is kept if it may be.

        Raises:
            _ClosedError: the server closed it before it answered.
            _GoneError: it answers too late, or not as HTTP.
        """
        try:
            expect_by(connection, min(ends, time.monotonic() + _ANSWER_S))
            with suppress(*_CLOSED):
                # A server that refuses a body may say so, and hang up, before it has all of it.
                connection.request(question.method, question.path, question.body or None, question.headers)
            try:
                response = connection.getresponse()
            except _CLOSED as error:
                raise _ClosedError(f"No answer from {self.url} ({_reason(error)}).") from error
            data = response.read(_MOST_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _GoneError(f"No answer from {self.url} ({_reason(error)}).") from error
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._free.append(connection)
        return self._read(response, data)

    def _read(self, response: http.client.HTTPResponse, data: bytes) -> Answered:
        try:
            if len(data) > _MOST_ANSWER_BYTES:
                raise ValueError("too long")
            value: Any = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            if response.status not in BUSY:
                raise UserError(
                    f"{self.url} answers as no server of Winnow's does (status {response.status}): check the address."
                )
            value = {"detail": f"{self.url} answers {response.status}."}  # a proxy in front, most likely
        advised = response.getheader("retry-after", "")
        return Answered(response.status, cast("dict[str, Any]", value), float(advised) if advised.isdecimal() else None)

    def _kept(self) -> http.client.HTTPConnection | None:
        with self._lock:
            return self._free.pop() if self._free else None

    def _opened(self, ends: float) -> http.client.HTTPConnection:
        patience_s = max(0.001, min(_CONNECT_S, ends - time.monotonic()))
        if self._is_safe:
            context = ssl.create_default_context()
            fresh = http.client.HTTPSConnection(self._host, self._port, timeout=patience_s, context=context)
        else:
            fresh = http.client.HTTPConnection(self._host, self._port, timeout=patience_s)
        try:
            fresh.connect()
        except OSError as error:
            raise _GoneError(f"No server answers at {self.url} ({_reason(error)}).") from error
        return fresh


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


class _GoneError(Exception):
    """Nobody answered."""


class _ClosedError(_GoneError):
    """The connection was closed before a word of an answer came."""


def refuse(answered: Answered, url: str) -> UserError:
    """What a status that is no answer means for who asked."""
    said = sentence_of(answered)
    match answered.status:
        case 401:
            return UserError(f"{url} does not take this token: give the one that the server was started with. ({said})")
        case 404:
            return NotFoundError(said)
        case status if status >= 500:
            return UserError(f"{url} failed with status {status}: {said}")
        case _:
            return UserError(said)


def sentence_of(answered: Answered) -> str:
    """The server's own sentence."""
    detail = answered.value.get("detail")
    return detail if isinstance(detail, str) and detail else f"The server answers {answered.status}."


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _shown(url: str) -> str:
    """Without what may be a secret."""
    return url if "@" not in url else f"...@{url.rpartition('@')[2]}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLError):
        return f"the encryption failed: {error.reason or error}"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
