"""What a learner is given at a step, and where it comes from."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of one step: named tensors whose first dimension is the example, and the examples' names."""

    tensors: Mapping[str, Tensor]
    """(N, ...) each, such as "image" (N, C, H, W) and "label" (N,); what differs in length (boxes) is padded."""
    keys: tuple[str, ...] = ()
    """N names a person knows, such as file paths; empty: they have none."""
    weights: tuple[float, ...] = ()
    """N numbers: what each example counts in the mean that the losses are (translation: its tokens); empty: 1 each."""

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    @property
    def weight(self) -> float:
        """What the whole batch counts: the sum of its examples' weights."""
        return sum(self.weights) if self.weights else float(len(self))

    def part(self, start: int, end: int) -> Batch:
        """Its examples start..end - 1; tensors are views."""
        parts = {name: tensor[start:end] for name, tensor in self.tensors.items()}
        return Batch(parts, self.keys[start:end], self.weights[start:end])

    def on(self, device: torch.device, memory_format: torch.memory_format = torch.contiguous_format) -> Batch:
        """The same on a device, its pictures (4-dimensional tensors) in a memory format."""
        moved: dict[str, Tensor] = {}
        for name, tensor in self.tensors.items():
            layout = memory_format if tensor.ndim == 4 else torch.preserve_format
            moved[name] = tensor.to(device, non_blocking=True, memory_format=layout)
        return Batch(moved, self.keys, self.weights)


class Batches(Protocol):
    """Where batches come from: each a pure function of (seed, step), whoever asks and in whatever order."""

    def __len__(self) -> int:
        """Steps in an epoch, at least 1."""
        ...

    def at(self, step: int) -> Batch:
        """The batch of a global step, counted from 0 through all epochs."""
        ...

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """`at(step)`, `at(step + 1)`, ... without end; may read ahead with workers, which end when it is closed."""
        ...
