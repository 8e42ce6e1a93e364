"""What a server says while it runs; where it cannot be written, serving goes on in silence."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Voice:
    """Says lines, for as long as somebody can take them.

    Args:
        said: hears them; may raise OSError (a full disk, a reader that has gone).

    Attributes:
        is_heard: the last could be written.
    """

    def __init__(self, said: Callable[[str], None]) -> None:
        self._said = said
        self.is_heard = True

    def say(self, words: str) -> None:
        """Say them; that they cannot be written is logged once, until they can be again."""
        try:
            self._said(words)
        except OSError as error:
            if self.is_heard:
                _log.warning("What the server says cannot be written (%s); it goes on in silence.", error.strerror)
            self.is_heard = False
        else:
            self.is_heard = True
