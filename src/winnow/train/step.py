"""One step: every player in turn lowers its losses on a batch, in micro-batches that fit into memory."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from winnow.errors import UserError
from winnow.events import Note, Tell
from winnow.train.batch import Batch
from winnow.train.group import Group
from winnow.train.learner import Learner, Player
from winnow.train.optimisers import Optimiser
from winnow.train.plan import Plan
from winnow.train.precision import Precision

_TORCH_SAYS_FULL = ("DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step leaves behind; tensors on the device, unread, so that a GPU need not be waited for."""

    losses: dict[str, Tensor]
    """Means over the batch; with several players their names are "player.loss"."""
    norms: tuple[Tensor, ...]
    """The gradient's length before clipping, for each player that moved."""


class Stepper:
    """The players of a learner with their optimisers; lays the network out in memory as its precision asks."""

    def __init__(self, learner: Learner, plan: Plan, precision: Precision, group: Group | None) -> None:
        self._learner, self._clip_norm, self._precision, self._group = learner, plan.clip_norm, precision, group
        learner.net.to(memory_format=precision.memory_format)  # pyright: ignore[reportCallIssue]
        self._moved = [_moved(player) for player in learner.players]
        self._freeze_the_rest()
        self._optimisers = [_optimisers(player, plan.optimiser) for player in learner.players]
        self._buffers = [buffer for buffer in learner.net.buffers() if buffer.is_floating_point()]
        self.device = next(learner.net.parameters()).device
        self.micro_batch = plan.micro_batch
        """Examples through the network at once; None: the whole batch. Halved when memory does not suffice."""

    @property
    def optimisers(self) -> list[torch.optim.Optimizer]:
        """All of them, in the players' order."""
        return [optimiser for several in self._optimisers for optimiser in several]

    def set_lr(self, factor: float) -> float:
        """Multiply every rate by the schedule's factor; the first player's first rate."""
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * factor
        return float(self.optimisers[0].param_groups[0]["lr"])

    def take(self, step: int, batch: Batch, tell: Tell) -> Taken:
        """Move every player whose turn it is.

        Raises:
            UserError: not even one example fits into memory.
        """
        losses: dict[str, Tensor] = {}
        norms: list[Tensor] = []
        for number, player in enumerate(self._learner.players):
            if (step + 1) % player.every:
                continue
            own = self._gradients(number, batch, tell)
            prefix = f"{player.name}." if len(self._learner.players) > 1 else ""
            losses |= {prefix + name: loss for name, loss in own.items()}
            norms.append(self._move(number, batch))
        return Taken(losses, tuple(norms))

    def _gradients(self, number: int, batch: Batch, tell: Tell) -> dict[str, Tensor]:
        """The gradients of a batch's mean losses in the player's weights, by micro-batches that fit; the losses."""
        while True:
            size = min(self.micro_batch or len(batch), len(batch))
            try:
                return self._accumulate(number, batch, size)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise UserError(
                        "One example alone does not fit into memory; make it or the network smaller, "
                        "or close what else uses this machine."
                    ) from error
            # Only here, after `except`, are the failed step's tensors free.
            self.micro_batch = (size + 1) // 2
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            tell(Note(f"Memory is short: {self.micro_batch} instead of {size} examples go through at once now."))

    def _accumulate(self, number: int, batch: Batch, size: int) -> dict[str, Tensor]:
        player, moved = self._learner.players[number], self._moved[number]
        for parameter in moved:
            parameter.grad = None
        # Where others' weights are in the graph too, only this player's may gather gradients.
        inputs = moved if len(self._moved) > 1 else None
        sums: dict[str, Tensor] = {}
        for start in range(0, len(batch), size):
            part = batch.part(start, start + size) if size < len(batch) else batch
            if part.weight == 0 and self._group is None:
                continue  # the mean over what counts nothing is no number
            share = part.weight / batch.weight if size < len(batch) else 1.0
            part = part.on(self.device, self._precision.memory_format)
            with self._precision.autocast(self.device):
                losses = player.losses(part)
                total = functools.reduce(operator.add, losses.values())
            # In a group a loss counts by its weight before it is derived: where processes share statistics, its
            # gradient flows through the other ones, too.
            (total * (share if self._group is None else part.weight)).backward(inputs=inputs)
            for name, loss in losses.items():
                sums[name] = sums[name] + loss.detach() * share if name in sums else loss.detach() * share
        return sums

    def _move(self, number: int, batch: Batch) -> Tensor:
        """One step of the player's optimisers along its gradients; the gradients' length before clipping."""
        moved = self._moved[number]
        gradients = [parameter.grad for parameter in moved if parameter.grad is not None]
        if self._group is not None:
            self._average(gradients, batch.weight)
        norm = nn.utils.get_total_norm(gradients)
        if self._clip_norm is not None:
            nn.utils.clip_grads_with_norm_(moved, self._clip_norm, norm)
        for optimiser in self._optimisers[number]:
            optimiser.step()
        return norm

    def _average(self, gradients: list[Tensor], weight: float) -> None:
        """The mean of all processes' gradients, each counted by its batch; and of the batch norms' statistics."""
        assert self._group is not None
        counted = torch.tensor(weight, device=self.device)
        self._group.mean([*gradients, counted, *self._buffers])
        for gradient in gradients:
            gradient.div_(counted)

    def _freeze_the_rest(self) -> None:
        movable = {parameter for moved in self._moved for parameter in moved}
        for parameter in self._learner.net.parameters():
            parameter.requires_grad_(parameter in movable)


def _moved(player: Player) -> list[nn.Parameter]:
    return [parameter for weights in player.weights for parameter in weights.parameters]


def _optimisers(player: Player, default: Optimiser) -> Sequence[torch.optim.Optimizer]:
    by_default = [weights for weights in player.weights if weights.optimiser is None]
    built = default.build(by_default) if by_default else []
    for weights in player.weights:
        if weights.optimiser is not None:
            built += weights.optimiser.build([weights])
    return built


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a processor's or a GPU's memory did not suffice."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _TORCH_SAYS_FULL)
