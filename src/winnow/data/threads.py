"""Work on many rows, a batch at a time, on as many threads as there are cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from winnow.machine import cores

BATCH = 4096

Done = TypeVar("Done")


def in_parallel(work: Callable[[int], Done], n: int, batch: int = BATCH) -> list[Done]:
    """What `work` gives for each start of a batch, in order. Threads suffice: numpy lets go of Python's lock."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, range(0, n, batch)))
