"""A group whose processes are threads of this one: quick enough for every test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class Threads:
    """One of `size` threads that speak with each other as processes would."""

    def __init__(self, rank: int, size: int, barrier: threading.Barrier, said: list[object]) -> None:
        self.rank, self.size = rank, size
        self._barrier, self._said = barrier, said

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Each tensor becomes the mean of all threads' ones."""
        said = self._exchange([tensor.detach().clone() for tensor in tensors])
        for number, tensor in enumerate(tensors):
            tensor.copy_(torch.stack([one[number] for one in said]).sum(0) / self.size)

    def any(self, flag: bool) -> bool:
        """Whether any thread says so."""
        return any(self._exchange(flag))

    def _exchange(self, mine):
        self._said[self.rank] = mine
        self._barrier.wait(10)
        said = list(self._said)
        self._barrier.wait(10)
        return said


def together(size: int, run: Callable[[Threads], T]) -> list[T]:
    """What `run` gives in each of `size` threads that are one group."""
    barrier, said = threading.Barrier(size), [None] * size

    def one(rank: int) -> T:
        try:
            return run(Threads(rank, size, barrier, said))
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(one, range(size)))
