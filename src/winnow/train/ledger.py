"""The losses of steps, read when it costs no waiting, told, and summed up to the end of an epoch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from winnow.events import StepDone, Tell
from winnow.train.state import Facts
from winnow.train.step import Taken


class NotFiniteError(Exception):
    """A step gave a loss or gradient that is NaN or infinite; whatever came after it is worthless.

    Attributes:
        step: which one, from 0.
    """

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


class Ledger:
    """Steps whose losses nobody has read yet.

    Args:
        n_steps: of the whole training.
        at_most: so many may wait: reading a loss waits for a GPU, which has work for some steps meanwhile.
        judges_losses: in a group only the averaged gradients are the same everywhere, and only they are judged.
    """

    def __init__(self, n_steps: int, at_most: int, tell: Tell, *, judges_losses: bool) -> None:
        self._n_steps, self._at_most, self._tell, self._judges_losses = n_steps, at_most, tell, judges_losses
        self._unread: list[tuple[int, float, Taken]] = []

    @property
    def is_full(self) -> bool:
        """Whether it is time to read."""
        return len(self._unread) >= self._at_most

    def add(self, step: int, lr: float, taken: Taken) -> None:
        """A step (from 0) was taken at a learning rate."""
        self._unread.append((step, lr, taken))

    def forget(self) -> None:
        """The unread steps are rolled back."""
        self._unread.clear()

    def read(self, facts: Facts) -> None:
        """Tell the unread steps, once it is sure that they gave numbers, and add them to the epoch's sums.

        Raises:
            NotFiniteError: one did not.
        """
        unread, self._unread = self._unread, []
        for step, lr, taken in unread:
            losses = dict(zip(taken.losses, _numbers(list(taken.losses.values())), strict=True))
            judged = [*_numbers(list(taken.norms)), *(losses.values() if self._judges_losses else ())]
            if not all(map(math.isfinite, judged)):
                raise NotFiniteError(step)
            for name, loss in losses.items():
                total, count = facts.sums.get(name, (0.0, 0))
                facts.sums[name] = total + loss, count + 1
            self._tell(StepDone(step + 1, self._n_steps, losses, lr))


def _numbers(scalars: list[Tensor]) -> list[float]:
    """Fetched from their device at once."""
    return torch.stack([scalar.float() for scalar in scalars]).tolist() if scalars else []
