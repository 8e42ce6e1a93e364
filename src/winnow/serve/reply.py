"""What is sent back: a status, a content type, a body; data for programs, never a page, and kept by nobody."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # workers word answers, too, and start without a server's libraries
    from starlette.types import Send

Header = tuple[bytes, bytes]

CLOSE: Header = (b"connection", b"close")
"""Sent where the rest of the body is not wanted: nobody reads it."""
JSON, TEXT, BYTES = b"application/json", b"text/plain; version=0.0.4; charset=utf-8", b"application/octet-stream"
_SAFE: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
_encode = json.JSONEncoder(check_circular=False).encode


@dataclass(slots=True)
class Reply:
    """One answer over HTTP."""

    body: bytes
    kind: bytes = JSON
    status: int = 200
    headers: tuple[Header, ...] = ()

    async def send(self, send: Send) -> None:
        """Send it, whole."""
        await send({"type": "http.response.start", "status": self.status, "headers": self._all_headers()})
        await send({"type": "http.response.body", "body": self.body})

    def wire(self, more: Iterable[Header]) -> bytes:
        """All of it as it goes over the wire, in HTTP/1.1.

        Args:
            more: headers that the server adds to every answer.
        """
        lines = [_STATUS_LINES[self.status]]
        for name, value in (*more, *self._all_headers()):
            lines += (name, b": ", value, b"\r\n")
        return b"".join((*lines, b"\r\n", self.body))

    def _all_headers(self) -> list[Header]:
        length = (b"content-length", b"%d" % len(self.body))
        return [(b"content-type", self.kind), length, *_SAFE, *self.headers]


def json_reply(value: Any, status: int = 200) -> Reply:
    """A JSON document. All but ASCII is escaped: names that clients sent may be no text at all."""
    return Reply(_encode(value).encode("ascii"), status=status)


def date_header() -> Header:
    """What a server adds to every answer (RFC 9110, 6.6.1), where no other does."""
    return b"date", formatdate(usegmt=True).encode()


def write_now(connection: int, wire: bytes) -> bytes:
    """Send an answer on a socket that never waits; gives what of it could not be sent now."""
    try:
        return wire[os.write(connection, wire) :]
    except BlockingIOError:
        return wire
    except OSError:  # the client left: nobody wants the rest
        return b""
