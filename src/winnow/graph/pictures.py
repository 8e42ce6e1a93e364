"""Run a graph over many pictures: every core reads, prepares and computes one picture at a time."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from winnow.graph.runtime import OpenGraph
from winnow.machine import cores

Pixels = npt.NDArray[np.uint8]
_READERS_PER_CORE = 2
"""Two threads a core: while the graph's streams compute, the others have the next pictures ready; 1.2 times the
pictures a second of one thread a core."""
_AHEAD_PER_CORE = 8  # enough to keep cores busy, few enough to keep memory flat


def run_on_pictures(
    graph: OpenGraph, picture: Callable[[int], Pixels], count: int
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the graph's output row for pictures 0..count-1, in order.

    Decoding and OpenVINO both release Python's lock, so threads suffice and nothing is copied between processes.

    Args:
        graph: opened with `one_at_a_time=True` where the engine knows the difference.
        picture: gives picture i as (side, side, 3) uint8; called from several threads.
        count: how many pictures there are.
    """

    def row(index: int) -> npt.NDArray[np.float32]:
        return graph.run(picture(index)[None])[0]

    indices = iter(range(count))
    with ThreadPoolExecutor(_READERS_PER_CORE * cores(), thread_name_prefix="winnow-pictures") as pool:
        waiting: deque[Future[npt.NDArray[np.float32]]] = deque(
            pool.submit(row, index) for index in itertools.islice(indices, cores() * _AHEAD_PER_CORE)
        )
        try:
            for _ in range(count):
                result = waiting.popleft().result()
                for index in itertools.islice(indices, 1):
                    waiting.append(pool.submit(row, index))
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
