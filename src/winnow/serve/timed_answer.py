"""An HTTP answer that must be there, whole, at a given time.

The timeout of a socket counts anew for every byte that comes, so a server that sends one now and then would hold its
client for ever.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def expect_by(connection: http.client.HTTPConnection, ends: float) -> None:
    """Let the next question be sent, and its answer be read, before a time on the clock of `time.monotonic`.

    What takes longer raises TimeoutError, as a socket does.
    """
    connection.sock.settimeout(_left_s(ends))
    connection.response_class = cast("type[http.client.HTTPResponse]", partial(_TimedResponse, ends))


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, ends: float, sock: socket.socket, method: str | None = None) -> None:
        super().__init__(sock, method=method)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock, ends))


class _Timed(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends: float) -> None:
        self._raw, self._sock, self._ends = raw, sock, ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        self._sock.settimeout(_left_s(self._ends))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left_s(ends: float) -> float:
    left_s = ends - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("timed out")
    return left_s
