"""What a connection may take: slow headers, slow bodies, endless headers and too many connections end here.

A front that reads a byte a second holds a socket and a few hundred bytes until its time is over, and nobody waits for
it. uvicorn's own protocol has a clock for idle connections alone.

Source: the same limits as Apache's mod_reqtimeout (a start-up time, then a minimum rate).
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from winnow.serve.lazy_clock import LazyClock
from winnow.serve.problem import ProblemError
from winnow.serve.reply import CLOSE

MOST_CONNECTIONS = 1000
HEADER_TIMEOUT_S = 10.0
BODY_TIMEOUT_S = 20.0
LEAST_BYTES_PER_S = 16 << 10
"""From the body's timeout on it may take one second more for each of these."""
LAST_MOMENT_S = 0.25
"""So long a connection without a request stays open when the server stops."""
MOST_HEADER_BYTES = 64 << 10
"""Of a request's head; also of what may stand between two pieces of a body in chunks, and behind the last."""
UNREAD_TIMEOUT_S = 300.0
"""How long a client may take no further byte of its answer, which lies in our memory meanwhile."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection of a client, as long as it keeps to the limits."""

    header_timeout_s = HEADER_TIMEOUT_S
    body_timeout_s = BODY_TIMEOUT_S
    unread_timeout_s = UNREAD_TIMEOUT_S
    most_connections = MOST_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._is_in_body = False
        self._head_bytes = 0
        self._body_bytes = 0
        self._bytes_beside_body = 0
        self._is_turned_away = False
        self._is_last = False
        self._is_resting = False
        self._patience = LazyClock(self._lose_patience)
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or keep it only to say that there are too many."""
        super().connection_made(transport)  # type: ignore[arg-type]
        n_connections = len(self.connections)
        if n_connections > 2 * self.most_connections:
            self.transport.abort()
            return
        self._is_turned_away = n_connections > self.most_connections
        self._wait(1.0 if self._is_turned_away else self.header_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client, or the server, has ended it."""
        self._patience.close()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: a request on this connection, or on its way here, is still answered; then it ends."""
        self._is_last = True
        if self._is_idle:
            # A request may lie in the system's buffers: whoever closed now would reset it unread.
            self.loop.call_later(LAST_MOMENT_S, self._close_if_idle)
        elif self._is_under_way(self.cycle):
            self.cycle.keep_alive = False

    @property
    def _is_idle(self) -> bool:
        """Is no request on its way to an answer?"""
        return not self._is_under_way(self.cycle)

    @staticmethod
    def _is_under_way(cycle: RequestResponseCycle | None) -> bool:
        return cycle is not None and not cycle.response_complete

    def _close_if_idle(self) -> None:
        if self._is_idle:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the parser, and refuse what it refuses in a form that programs can read."""
        if self._is_turned_away:
            said = "Too many connections; close some, and come again in a moment."
            self._refuse(ProblemError(503, "too-many-connections", said, ((b"retry-after", b"1"),)))
            return
        if self._is_resting:
            self._wait(None)
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        if self._is_in_head:
            self._head_bytes += len(data)
        else:
            self._body_bytes += len(data)
            self._bytes_beside_body += len(data)
        parser = self.parser
        assert parser is not None  # it goes with the connection
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
                return
            # The server has no web sockets: the request is answered as a plain one, and nothing is said after it.
            self.cycle.keep_alive = False
        except httptools.HttpParserInvalidMethodError:
            allowed = (b"allow", b"GET, HEAD, POST, PUT")
            self._refuse(ProblemError(405, "method", "There is no such method.", (allowed,)))
            return
        except httptools.HttpParserError:
            self._refuse(ProblemError(400, "bad-http", "This is no HTTP request that can be read."))
            return
        beside_body = self._head_bytes if self._is_in_head else self._bytes_beside_body
        if beside_body > MOST_HEADER_BYTES:
            said = f"The headers are larger than {MOST_HEADER_BYTES >> 10} KB."
            self._refuse(ProblemError(431, "headers-too-large", said))
        elif not self._patience.is_set and (self._is_in_body or (self._is_in_head and self._head_bytes > 0)):
            self._wait(self.body_timeout_s if self._is_in_body else self.header_timeout_s)

    def pause_writing(self) -> None:
        """The client takes nothing at the moment: it has a while to go on."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.unread_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client goes on."""
        super().resume_writing()
        self._stop_waiting_for_reader()

    def on_message_begin(self) -> None:
        """A request begins: the parser holds a byte of its head, be it the last one of a piece that ended another."""
        self._head_bytes = max(self._head_bytes, 1)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes behind a body says nothing here: who may come in was decided by the head."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        super().on_body(body)
        self._bytes_beside_body = 0

    def on_headers_complete(self) -> None:
        """The head is whole: a body may follow."""
        self._wait(None)
        self._begin_body()
        try:
            super().on_headers_complete()
        except Exception:  # its address cannot be taken apart
            self._is_in_head, self._is_in_body = True, False
            raise
        if self._is_last:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The request is whole: the next one may follow."""
        super().on_message_complete()
        self._end_body()

    def on_response_complete(self) -> None:
        """The answer is written: what waits behind it comes next."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._wait(self.timeout_keep_alive)
            self._is_resting = True

    def _begin_body(self) -> None:
        self._is_in_head, self._is_in_body, self._body_bytes, self._bytes_beside_body = False, True, 0, 0

    def _end_body(self) -> None:
        self._wait(None)
        self._is_in_head, self._is_in_body, self._head_bytes = True, False, 0

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _wait(self, seconds: float | None) -> None:
        """Lose patience after so many seconds; None: not at all."""
        self._is_resting = False
        if seconds is None:
            self._patience.stop()
        else:
            self._patience.wait(seconds)

    def _lose_patience(self) -> None:
        if self.transport.is_closing():
            return
        if self._is_in_body:
            began = self._patience.began_at
            left = began + self.body_timeout_s + self._body_bytes / LEAST_BYTES_PER_S - self.loop.time()
            # Where the app reads no further, the client is not to blame.
            if left > 0 or self.flow.read_paused:
                self._wait(max(left, 0.1))
                self._patience.began_at = began
                return
        elif not self._is_idle:  # a client that waits for an answer need not hurry with its next request
            self._wait(self.header_timeout_s)
            return
        if self._is_turned_away or not (self._is_in_body or self._head_bytes):
            self.transport.close()
            return
        self._refuse(ProblemError(408, "too-slow", "The request came too slowly; send it again, faster."))

    def _refuse(self, problem: ProblemError) -> None:
        """Answer and close, unless the request has its answer already."""
        self._wait(None)
        if self._is_answered():
            self.transport.close()
            return
        reply = problem.reply()
        reply.headers = (*reply.headers, CLOSE)
        self.transport.write(reply.wire(self.server_state.default_headers))
        self.transport.close()

    def _is_answered(self) -> bool:
        """Has the request that is under way its answer, or a part of it?"""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        if cycle is None or not cycle.response_started:
            return False
        return self._is_in_body or not cycle.response_complete
