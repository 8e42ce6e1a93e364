"""The connection itself: slow headers, slow bodies, endless headers and too many connections end here.

A front that reads a byte a second holds a socket and a few hundred bytes until its time is over, and nobody waits for
it. uvicorn's own protocol has a clock for idle connections alone.

Source: the same limits as Apache's mod_reqtimeout (a start-up time, then a minimum rate).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from winnow.serve.app import App
from winnow.serve.known_heads import SeenHead, see_head
from winnow.serve.lazy_clock import LazyClock
from winnow.serve.problem import ProblemError
from winnow.serve.reply import CLOSE, Reply
from winnow.serve.service import GONE
from winnow.serve.short_way import ShortHead, ShortWay, read_head
from winnow.serve.usual import Usual

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
_PREDICT = b"/predict"


class _UnderWay:
    """As much of a request of uvicorn's as lets another one wait behind it."""

    response_complete = False


_UNDER_WAY = _UnderWay()


class Protocol(HttpToolsProtocol):
    """One connection of a client.

    Attributes:
        when_gone: called if the client leaves before its answer; set by who works on it.
    """

    header_timeout_s = HEADER_TIMEOUT_S
    body_timeout_s = BODY_TIMEOUT_S
    unread_timeout_s = UNREAD_TIMEOUT_S
    most_connections = MOST_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.when_gone: Callable[[], object] | None = None
        self._short: ShortWay | None = None
        self._short_reads: ShortWay | None = None  # the same, until its body is whole
        self._missing = 0  # bytes of that body, where the parser does not count them
        self._seen_head: SeenHead | None = None
        self._is_in_head = True
        self._is_in_body = False
        self._head_bytes = 0
        self._body_bytes = 0
        self._bytes_beside_body = 0
        self._is_turned_away = False
        self._is_last = False
        self._is_resting = False
        self._patience = LazyClock(self._lose_patience)
        self._usual = Usual(self)
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
        """Tell who works for this client that it has left."""
        self._patience.close()
        self._usual.close()
        self._stop_waiting_for_reader()
        if self._short is not None:
            self._short.leave()
        super().connection_lost(exc)
        if self.when_gone is not None:
            self.when_gone()

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
        return self._short is None and not self._usual.is_lent and not self._is_under_way(self.cycle)

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
        if self._missing:
            data = self._go_on_with_body(data, 0)
        elif self._is_in_head and not self._head_bytes and self._may_be_short():
            data = self._begin_known(data)
        if data:
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
        if self._short_reads is None:
            super().on_body(body)
        else:
            self._short_reads.take(body)
        self._bytes_beside_body = 0

    def on_headers_complete(self) -> None:
        """The head is whole: a body may follow."""
        self._wait(None)
        cycle = self.cycle
        if self._short is not None:
            self.cycle = cast("RequestResponseCycle", _UNDER_WAY)  # behind which uvicorn lets this one wait
        elif self._begin_short():
            return
        self._is_in_head, self._is_in_body, self._body_bytes, self._bytes_beside_body = False, True, 0, 0
        try:
            super().on_headers_complete()
        except Exception:  # its address cannot be taken apart
            self.cycle, self._is_in_head, self._is_in_body = cycle, True, False
            raise
        self.scope["extensions"] = {GONE: self}  # type: ignore[typeddict-item]
        if self._is_last:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The request is whole: the next one may follow."""
        if self._short_reads is None:
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

    def _may_be_short(self) -> bool:
        """Is nothing else under way here, so that `serve.short_way` might answer what comes?"""
        is_free = not (self._is_last or self.pipeline or self.flow.write_paused) and self._is_idle
        return is_free and isinstance(self.app, App)

    def _begin_known(self, data: bytes) -> bytes:
        """Take a request whose head was seen before; gives what is left for the parser."""
        app = cast("App", self.app)
        seen = self._seen_head = see_head(data)
        head = None if seen is None else app.known_heads.get(seen)
        if seen is None or head is None or not head.is_true(app) or not self._begin(head, seen.n_bytes):
            return data
        self._usual.saw(seen, head)
        self._seen_head = None
        self._missing = seen.n_bytes
        return self._go_on_with_body(data, seen.end)

    def _begin_short(self) -> bool:
        """Take a request whose head the parser has read, if it is one for the short way."""
        path, _, query = self.url.partition(b"?")
        parser, app = self.parser, cast("App", self.app)
        assert parser is not None  # it goes with the connection
        if (
            path != _PREDICT
            or b"#" in query
            or not self._may_be_short()
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or parser.should_upgrade()
            or self.expect_100_continue
        ):
            return False
        scope = cast("Scope", self.scope)
        scope.update(method="POST", path="/predict", query_string=query)
        read = read_head(app, scope)
        if read is None or not self._begin(*read):
            return False
        head, n_bytes = read
        seen = self._seen_head
        if seen is not None and seen.n_bytes == n_bytes:
            app.known_heads.put(seen, head)
        return True

    def _begin(self, head: ShortHead, n_bytes: int) -> bool:
        app = cast("App", self.app)
        if app.service.is_stopping:
            return False
        self._is_in_head, self._is_in_body, self._body_bytes, self._bytes_beside_body = False, True, 0, 0
        try:
            self._short = self._short_reads = ShortWay(app, head, n_bytes, self.client, self._answer)
        except ProblemError:  # the ordinary way meets it again, and says what it is
            self._is_in_head, self._is_in_body = True, False
            return False
        return True

    def _go_on_with_body(self, data: bytes, begin: int) -> bytes:
        """Take a piece of the body whose length is known; gives what lies behind it."""
        short = self._short_reads
        assert short is not None  # it reads until the body is whole
        end = min(len(data), begin + self._missing)
        if not short.is_answered:  # what nobody wants need not be copied
            short.take(data[begin:end])
        self._missing -= end - begin
        self._body_bytes += end - begin
        if self._missing:
            if not self._patience.is_set:
                self._wait(self.body_timeout_s)
            return b""
        self._end_body()
        return data[end:]

    def _end_body(self) -> None:
        short, self._short_reads = self._short_reads, None
        self._seen_head = None
        self._wait(None)
        self._is_in_head, self._is_in_body, self._head_bytes = True, False, 0
        if short is None:
            return
        if short.is_answered:
            self._end_short()
        else:
            short.ask()

    def _answer(self, reply: Reply) -> None:
        """Send the answer of the request on its short way."""
        if self.transport.is_closing():
            return
        if self._is_last and not self.pipeline:
            reply.headers = (*reply.headers, CLOSE)  # the next request finds the next server
        self.transport.write(reply.wire(self.server_state.default_headers))
        if self._short is not None and self._short_reads is None:  # else its body is still to come
            self._end_short()

    def _end_short(self) -> None:
        self._short = None
        if self._is_last and not self.pipeline:
            self.transport.close()
        self.on_response_complete()
        if self._usual.may_be_lent:
            self.loop.call_soon(self._lend)  # later: the next request may have come in the same piece, and is ours

    def _lend(self) -> None:
        """Let the workers answer what comes next, while it is as usual."""
        is_free = self._may_be_short() and self._is_in_head and not self._head_bytes
        if not is_free or self.transport.is_closing() or self.transport.get_write_buffer_size():
            return
        if self._usual.lend(cast("App", self.app)):
            self.transport.pause_reading()
            self._wait(None)

    def abort(self) -> None:
        """A worker died in the midst of an answer."""
        self._usual.is_lent = False
        self.transport.abort()
        self._usual.close()

    def take_back(self, unsent: bytes, unread: bytes, *, is_unusual: bool) -> None:
        """A worker hands this connection back: what it wrote in part is written, what it read is taken as read here."""
        self._usual.is_lent = False
        if self.transport.is_closing():
            self._usual.close()
            return
        self.transport.write(unsent)
        self.transport.resume_reading()
        self._wait(self.timeout_keep_alive)
        self._is_resting = True
        if self._is_last:
            self.shutdown()  # of which it was told while it was lent
        if is_unusual:
            self._usual.was_unusual()
        if unread:
            self.data_received(unread)

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
        if self._short is not None:
            return self._short.is_answered
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        if cycle is None or not cycle.response_started:
            return False
        return self._is_in_body or not cycle.response_complete
