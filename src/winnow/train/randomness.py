"""Same seed, same machine, same bits: what every step draws is a function of (seed, rank, step)."""

from __future__ import annotations

import random
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils import deterministic

from winnow.seeds import seed_for

# Both are modules that answer for C++ switches: type checkers do not see their attributes.
_memory: Any = deterministic
_cudnn: Any = torch.backends.cudnn


def seed_step(seed: int, rank: int, step: int, device: torch.device) -> None:
    """Seed python's, numpy's and torch's generators for one step; no state of theirs needs keeping for a resume."""
    drawn = seed_for(seed, "step", str(rank), str(step))
    random.seed(drawn)
    np.random.seed(drawn)
    torch.default_generator.manual_seed(drawn)
    if device.type == "cuda":
        torch.cuda.manual_seed(drawn)


@contextmanager
def repeatable(device: torch.device) -> Generator[None]:
    """Algorithms that give the same bits every time; afterwards all generators and switches are as they were before.

    On a GPU this picks cuDNN's deterministic kernels, but not slower substitutes of other operations.
    """
    numpy_state, python_state = np.random.get_state(), random.getstate()
    _switches.turn(device)
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        _switches.turn_back()
        np.random.set_state(numpy_state)
        random.setstate(python_state)


class _Switches:
    """Torch's switches belong to the process: of trainings in several threads the first turns them, the last back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: tuple[Any, ...] = ()

    def turn(self, device: torch.device) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            was_on = torch.are_deterministic_algorithms_enabled()
            only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
            self._before = (
                was_on,
                only_warned,
                _memory.fill_uninitialized_memory,
                _cudnn.deterministic,
                _cudnn.benchmark,
            )
            _memory.fill_uninitialized_memory = False  # it would write all fresh memory twice, for debugging only
            _cudnn.deterministic, _cudnn.benchmark = True, False
            torch.use_deterministic_algorithms(was_on or device.type == "cpu", warn_only=only_warned or not was_on)

    def turn_back(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside:
                return
            was_on, only_warned, filled, _cudnn.deterministic, _cudnn.benchmark = self._before
            torch.use_deterministic_algorithms(was_on, warn_only=only_warned)
            _memory.fill_uninitialized_memory = filled


_switches = _Switches()
