"""Memory that was freed goes back to the system: Arrow and the C library would keep it for what may come next."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pyarrow as pa

_FEW = 10_000
"""Pictures that need too little memory to look for it: each look takes a tenth of a second, or more."""
_MADE_BETWEEN = 20_000
"""Objects that are made between two looks for garbage during an import, whose rows are never garbage in circles."""


@contextmanager
def with_few_looks_for_garbage() -> Generator[None]:
    """Python looks for garbage more rarely while the block runs, and not at all among what was there before.

    An import makes so many objects that Python would look through the newest a thousand times and through all a dozen
    times; and of those that were there before, which are many more, none becomes garbage meanwhile, or it waits.
    """
    if gc.get_freeze_count():  # somebody else's, or another import's: theirs to undo
        yield
        return
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(max(_MADE_BETWEEN, usual[0]) if usual[0] else 0, *usual[1:])  # 0: never, as somebody wishes
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def give_back(n_pictures: int) -> None:
    """Call it between steps that each need much for a short time: their peaks then do not add up.

    Args:
        n_pictures: how many the step was about; after a few nothing is done.
    """
    if n_pictures < _FEW:
        return
    gc.collect()
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        # Other C libraries than glibc do not have it.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
