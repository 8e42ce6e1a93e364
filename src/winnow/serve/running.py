"""The server while it runs: it stops without losing a request that it took, and looks again at what it serves.

SIGTERM: not ready at once, a moment for those that are just coming, then no new connections; what was accepted is
answered, and the process ends with 0. SIGINT: the same without the moment. SIGHUP: tokens are read again, and models
named without a version are served in their newest.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from socket import socket
from types import FrameType

import uvicorn

from winnow.serve.last_call import take_no_more
from winnow.serve.service import Service

_MOMENT_S = 0.5
"""Between "not ready" and no new connections: who asks through a balancer is still on the way."""
_LAST_ONES_S = 0.05
"""In which those who have connected, and wait to be accepted, are."""
_HANGUP = getattr(signal, "SIGHUP", None)


class Running(uvicorn.Server):
    """uvicorn's server with our way to start, to stop and to look again.

    Args:
        grace_s: in which everything that was accepted must be answered.
        look_again: what SIGHUP asks for.
        started: called when the server can answer.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        *,
        grace_s: float,
        look_again: Callable[[], Awaitable[None]],
        started: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._service = service
        self._grace_s = grace_s
        self._look_again = look_again
        self._has_started = started
        self._looking: set[asyncio.Future[None]] = set()
        self._signal = signal.SIGTERM

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start the workers, then listen: who is let in is answered."""
        await self._service.start()
        if self._service.is_stopping:  # it was told so meanwhile, and nobody was let in
            await self._service.engine.drain(0.0)
            return
        await super().startup(sockets)
        # What is loaded now stays; looking through it for garbage takes up to half a second, in which nobody is
        # answered.
        gc.freeze()
        self._has_started()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Answer what was accepted, end the workers."""
        self._service.is_stopping = True
        self._service.engine.recall()
        if self._signal == signal.SIGTERM:
            await asyncio.sleep(min(_MOMENT_S, self._grace_s / 2))
        for listening in sockets or ():
            take_no_more(listening)
        await asyncio.sleep(_LAST_ONES_S)
        began = asyncio.get_running_loop().time()
        await super().shutdown(sockets)
        left = self._grace_s - (asyncio.get_running_loop().time() - began)
        await self._service.engine.drain(max(0.0, left))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: at once no longer ready, the rest in `shutdown`."""
        self._service.is_stopping = True
        self._signal = signal.Signals(sig)
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Hear signals for as long as we serve; uvicorn would raise them again at the end, and the status not be 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        if _HANGUP is not None:
            loop.add_signal_handler(_HANGUP, self._hang_up)
        try:
            yield
        finally:
            if _HANGUP is not None:
                loop.remove_signal_handler(_HANGUP)
            for one, handler in before.items():
                signal.signal(one, handler)

    def _hang_up(self) -> None:
        looking = asyncio.ensure_future(self._look_again())
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)


def raise_file_limit(wanted: int) -> None:
    """Let this process hold as many connections open as it may take; shells often allow fewer."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
