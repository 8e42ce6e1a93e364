"""Same seed, same machine, same bits: what every step draws is a function of (seed, rank, step)."""

from __future__ import annotations

import random
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils import deterministic

from winnow.seeds import seed_for


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
    was_on, only_warned = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    # Both are modules that answer for C++ switches: type checkers do not see their attributes.
    memory: Any = deterministic
    cudnn: Any = torch.backends.cudnn
    filled = memory.fill_uninitialized_memory
    cudnn_before = cudnn.deterministic, cudnn.benchmark
    memory.fill_uninitialized_memory = False  # it would write all fresh memory twice, for debugging only
    cudnn.deterministic, cudnn.benchmark = True, False
    torch.use_deterministic_algorithms(was_on or device.type == "cpu", warn_only=only_warned or not was_on)
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        torch.use_deterministic_algorithms(was_on, warn_only=only_warned)
        cudnn.deterministic, cudnn.benchmark = cudnn_before
        memory.fill_uninitialized_memory = filled
        np.random.set_state(numpy_state)
        random.setstate(python_state)
