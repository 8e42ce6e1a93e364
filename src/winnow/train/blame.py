"""Which examples of a batch make its losses NaN or infinite?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from winnow.train.batch import Batch
from winnow.train.learner import Losses

_NAMED = 5  # examples in a message


@torch.no_grad()
def offenders(batch: Batch, losses: Sequence[Losses]) -> tuple[str, ...]:
    """The keys of the examples that hold a number that is not finite, or whose own loss is not.

    Empty where no single example is to blame: the batch has no keys, or only all of it together overflows.

    Args:
        batch: on the device of the network.
        losses: of each player. Batch norms' statistics move; restore them afterwards.
    """
    if not batch.keys:
        return ()
    alone = [batch.part(at, at + 1) for at in range(len(batch))]
    bad = [one for one in alone if not _are_finite(*one.tensors.values())]
    bad = bad or [one for one in alone if any(_is_loss_bad(one, function) for function in losses)]
    return tuple(one.keys[0] for one in bad)


def accusation(step: int, batch: Batch, losses: Sequence[Losses]) -> str:
    """The sentence, without its full stop, that says what happened at a step (from 0) and names who did it."""
    what = f"Step {step + 1} gave a loss or gradient that is not finite"
    if guilty := offenders(batch, losses):
        return f"{what}, because of {_listed(guilty)}"
    return f"{what}; no example does so alone" + (f" (among them {_listed(batch.keys)})" if batch.keys else "")


def _listed(keys: tuple[str, ...]) -> str:
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(keys[:_NAMED]) + more


def _is_loss_bad(one: Batch, losses: Losses) -> bool:
    try:
        return not _are_finite(*losses(one).values())
    except (RuntimeError, ValueError):
        return False  # a loss that needs company (batch norm over one value, pairs) tells nothing about one example


def _are_finite(*tensors: Tensor) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
