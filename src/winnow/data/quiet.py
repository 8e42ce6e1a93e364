"""Pillow's warnings, silenced while Winnow decodes and only then.

Pillow warns about odd metadata through `warnings`, whose filters are one list for the whole process: two
threads that each save and restore it would undo one another. So the first thread in puts our filter up and
the last one out takes it down.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager

_door = threading.Lock()
_inside = 0
_kept: warnings.catch_warnings[None] | None = None


@contextmanager
def quiet_pillow() -> Generator[None]:
    """No warning from Pillow is shown or turned into an error inside; everyone else's are left alone."""
    global _inside, _kept
    with _door:
        if _inside == 0:
            _kept = warnings.catch_warnings()
            _kept.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        _inside += 1
    try:
        yield
    finally:
        with _door:
            _inside -= 1
            if _inside == 0 and _kept is not None:
                _kept.__exit__(None, None, None)
                _kept = None
