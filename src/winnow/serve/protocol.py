"""Which way a request goes: the ordinary one through ASGI, the short one of a single picture, or to the workers.

A connection answers one request after the other, whichever way each of them goes; what it may take of time and memory
is said by `winnow.serve.limited_protocol`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from winnow.serve.app import App
from winnow.serve.known_heads import SeenHead, see_head
from winnow.serve.limited_protocol import LimitedProtocol
from winnow.serve.problem import ProblemError
from winnow.serve.reply import CLOSE, Reply
from winnow.serve.service import GONE
from winnow.serve.short_way import ShortHead, ShortWay, read_head
from winnow.serve.usual import Usual

_PREDICT = b"/predict"


class _UnderWay:
    """As much of a request of uvicorn's as lets another one wait behind it."""

    response_complete = False


_UNDER_WAY = _UnderWay()


class Protocol(LimitedProtocol):
    """One connection of a client.

    Attributes:
        when_gone: called if the client leaves before its answer; set by who works on it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.when_gone: Callable[[], object] | None = None
        self._short: ShortWay | None = None
        self._short_reads: ShortWay | None = None  # the same, until its body is whole
        self._missing = 0  # bytes of that body, where the parser does not count them
        self._seen_head: SeenHead | None = None
        self._usual = Usual(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who works for this client that it has left."""
        self._usual.close()
        if self._short is not None:
            self._short.leave()
        super().connection_lost(exc)
        if self.when_gone is not None:
            self.when_gone()

    @property
    def _is_idle(self) -> bool:
        return self._short is None and not self._usual.is_lent and not self._is_under_way(self.cycle)

    def _parse(self, data: bytes) -> None:
        """Hand to the parser what goes no shorter way."""
        if self._missing:
            data = self._go_on_with_body(data, 0)
        elif self._is_in_head and not self._head_bytes and self._may_be_short():
            data = self._begin_known(data)
        if data:
            super()._parse(data)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._short_reads is None:
            super().on_body(body)
        else:
            self._short_reads.take(body)
            self._bytes_beside_body = 0

    def on_headers_complete(self) -> None:
        """The head is whole: a body may follow."""
        cycle = self.cycle
        if self._short is not None:
            self.cycle = cast("RequestResponseCycle", _UNDER_WAY)  # behind which uvicorn lets this one wait
        elif self._begin_short():
            return
        try:
            super().on_headers_complete()
        except Exception:
            self.cycle = cycle
            raise
        self.scope["extensions"] = {GONE: self}  # type: ignore[typeddict-item]

    def on_message_complete(self) -> None:
        """The request is whole: the next one may follow."""
        if self._short_reads is None:
            super().on_message_complete()
        else:
            self._end_body()

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
        self._wait(None)
        self._begin_body()
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
        super()._end_body()
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

    def _is_answered(self) -> bool:
        """Has the request that is under way its answer, or a part of it?"""
        return super()._is_answered() if self._short is None else self._short.is_answered
