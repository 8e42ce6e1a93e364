"""SIGTERM and Ctrl-C, heard between two steps: time to leave a checkpoint before going."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, NoReturn

_HEARD = (signal.SIGTERM, signal.SIGINT)


class Interrupts:
    """While this context lasts, the first signal is only remembered; the second one acts at once.

    One that nobody has acted on is obeyed when the context ends: it may have come after the last step. Outside of the
    main thread python delivers no signals, and nothing happens.
    """

    def __init__(self) -> None:
        self._signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = {one: signal.signal(one, self._hear) for one in _HEARD}
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)
        if self.is_asked and not isinstance(error, SystemExit | KeyboardInterrupt):
            self.leave()

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked this process to end."""
        return self._signal is not None

    def leave(self) -> NoReturn:
        """End as asked; a process that was asked by another one of its group ends as after SIGTERM.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
            SystemExit: 143, it was SIGTERM.
        """
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signal.SIGTERM)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self._signal is not None:
            self.leave()
        self._signal = number
