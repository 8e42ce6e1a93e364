"""What the processes of one data-parallel training do together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Group(Protocol):
    """The processes of one training. Every process calls the same methods in the same order."""

    @property
    def rank(self) -> int:
        """This process's number, 0..size - 1."""
        ...

    @property
    def size(self) -> int:
        """How many processes there are."""
        ...

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by its mean over the processes."""
        ...

    def any(self, flag: bool) -> bool:
        """Whether the flag is true in any process; the same answer in all of them."""
        ...
