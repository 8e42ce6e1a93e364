"""Does a client ask the same again and again? Then its connection can be lent to the workers (`serve.lender`)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from winnow.serve.board import FIRST_NUMBER
from winnow.serve.known_heads import SeenHead
from winnow.serve.lender import Lendable, Wish

try:
    import fcntl
except ImportError:  # Windows, where nothing is lent
    fcntl = None

if TYPE_CHECKING:
    from winnow.serve.app import App
    from winnow.serve.short_way import ShortHead

_FIRST_REQUESTS = 2
"""So many in turn with the same head: before, lending costs more than it saves."""
_MOST_REQUESTS = 1024
_LEAST_TIMEOUT_S = 5.0
"""Who waits for less has a clock of its own, which only the front looks at."""


class _Connection(Lendable, Protocol):
    transport: asyncio.Transport


class Usual:
    """What one connection asked lately, and whether it is lent.

    Args:
        connection: the protocol, to which workers hand it back.

    Attributes:
        is_lent: workers read it, and nobody else.
    """

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._head: ShortHead | None = None
        self._key = b""
        self._n_alike = 0
        self._n_wanted = _FIRST_REQUESTS
        self._duplicate: socket.socket | None = None
        self.is_lent = False

    @property
    def may_be_lent(self) -> bool:
        """Whether it asked the same often enough."""
        return self._n_alike >= self._n_wanted

    def saw(self, seen: SeenHead, head: ShortHead) -> None:
        """It asks, with a head that was seen before."""
        if head is not self._head or seen.key != self._key:
            self._head, self._key, self._n_alike = head, seen.key, 0
        self._n_alike += 1

    def was_unusual(self) -> None:
        """A worker found something to be read by the front: from now on it takes longer to be trusted."""
        self._n_wanted = min(8 * self._n_wanted, _MOST_REQUESTS)

    def lend(self, app: App) -> bool:
        """Lend it; False: it stays here for now."""
        self._n_alike = 0
        head, lender = self._head, app.lender
        if lender is None or head is None or head.served is None or head.timeout_s < _LEAST_TIMEOUT_S:
            return False
        if self._duplicate is None and not self._duplicated():
            return False
        assert self._duplicate is not None
        most_bytes = app.service.intake.most_bytes
        wish = Wish(head.served, head.options.top, most_bytes, self._key, partial(head.is_true, app))
        self.is_lent = wish.is_true() and lender.lend(self._connection, self._duplicate, wish)
        return self.is_lent

    def close(self) -> None:
        """The connection has ended here; the other side shall see it though workers may have it open for a while."""
        if self._duplicate is not None:
            with suppress(OSError):
                self._duplicate.shutdown(socket.SHUT_RDWR)
            if not self.is_lent:  # else workers know it by its number until they hand it back
                self._duplicate.close()
                self._duplicate = None

    def _duplicated(self) -> bool:
        """The socket under a number that no worker uses for anything else."""
        if fcntl is None:
            return False
        original: int = self._connection.transport.get_extra_info("socket").fileno()
        try:
            number = fcntl.fcntl(original, fcntl.F_DUPFD_CLOEXEC, FIRST_NUMBER)
        except OSError:  # as many files are open as may be
            return False
        self._duplicate = socket.socket(fileno=number)
        return True
