"""Memory that was freed goes back to the system: Arrow and the C library would keep it for what may come next."""

from __future__ import annotations

import ctypes
import gc
import sys

import pyarrow as pa


def give_back() -> None:
    """Call it between steps that each need much for a short time: their peaks then do not add up."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        # Other C libraries than glibc do not have it.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
