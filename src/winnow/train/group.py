"""What the processes of one data-parallel training do together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from winnow.errors import UserError


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


@torch.no_grad()
def check_same_start(group: Group, net: nn.Module) -> None:
    """Look once whether all processes hold the same weights: nothing would show it later, and nothing be learned.

    Raises:
        UserError: they do not; in all of them.
    """
    own = torch.stack([parameter.double().norm() for parameter in net.parameters()])
    mean = own.clone()
    group.mean([mean])
    if group.any(not torch.allclose(own, mean, rtol=1e-9, atol=0)):
        raise UserError(
            "The processes of this training start from different weights: seed torch alike before the network is made "
            "(torch.manual_seed), and give all of them the same folder for checkpoints."
        )
