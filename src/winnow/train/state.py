"""All that a training remembers from one step to the next: what a checkpoint holds and a roll-back brings back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from winnow.events import EpochDone
from winnow.train.average import Average
from winnow.train.checkpoint import Saved
from winnow.train.precision import Precision


@dataclass
class Facts:
    """The part that is no tensor."""

    step: int = 0
    """The step to take next."""
    micro_batch: int | None = None
    precision: Precision = field(default_factory=Precision)
    left_out: list[int] = field(default_factory=list[int])
    """Steps whose batch gave no finite gradient."""
    epochs: list[EpochDone] = field(default_factory=list[EpochDone])
    sums: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    """Of each loss in the running epoch: its sum and its count."""
    seconds: float = 0.0
    """Of the running epoch."""
    best_epoch: int = 0
    """From 1; 0: none yet."""
    stopped: Literal["", "done", "early"] = ""
    """Why the training is over: all steps taken, or the score has stopped rising; empty while it is not over."""

    @property
    def scores(self) -> tuple[float, ...]:
        """The watched score of each epoch that has one."""
        return tuple(next(iter(epoch.scores.values())) for epoch in self.epochs if epoch.scores)


class State:
    """A network, its optimisers, its average and its best weights so far, read and restored as one."""

    def __init__(self, net: nn.Module, optimisers: Sequence[torch.optim.Optimizer], average: Average | None) -> None:
        self.facts = Facts()
        self.best: dict[str, Tensor] = {}
        """The network's state dict at the best epoch; empty: none yet."""
        self._net, self._optimisers, self._average = net, optimisers, average

    def keep_best(self) -> None:
        """The network as it stands is the best so far."""
        self.best = {name: tensor.clone() for name, tensor in self._net.state_dict().items()}

    def wear_best(self) -> None:
        """The network takes the best weights for good."""
        _copy(self.best, self._net.state_dict())

    def copy(self) -> Saved:
        """Everything, in tensors and facts of its own."""
        live = {f"net/{name}": tensor for name, tensor in self._net.state_dict().items()}
        if self._average is not None:
            live |= {f"average/{name}": tensor for name, tensor in self._average.tensors.items()}
        others: dict[str, Any] = {}
        for number, optimiser in enumerate(self._optimisers):
            for index, values in optimiser.state_dict()["state"].items():
                for name, value in values.items():
                    (live if isinstance(value, Tensor) else others)[f"optimiser/{number}/{index}/{name}"] = value
        tensors = {name: tensor.detach().clone() for name, tensor in live.items()}
        tensors |= {f"best/{name}": tensor for name, tensor in self.best.items()}  # never changed in place
        return Saved(tensors, {**dataclasses.asdict(self.facts), "optimisers": others})

    def restore(self, saved: Saved) -> None:
        """Be again what `copy` gave, to the bit and in the same memory layout."""
        self.facts, others = _facts_of(saved.facts), saved.facts["optimisers"]
        _copy(_under("net/", saved.tensors), self._net.state_dict())
        self.best = _under("best/", saved.tensors)
        if self._average is not None:
            _copy(_under("average/", saved.tensors), self._average.tensors)
        for number, optimiser in enumerate(self._optimisers):
            prefix = f"optimiser/{number}/"
            _restore_optimiser(optimiser, {**_under(prefix, saved.tensors), **_under(prefix, others)})


def _facts_of(facts: Mapping[str, Any]) -> Facts:
    values: dict[str, Any] = {name: value for name, value in facts.items() if name != "optimisers"}
    values["precision"] = Precision(**facts["precision"])
    values["left_out"] = list(facts["left_out"])
    values["epochs"] = [EpochDone(**epoch) for epoch in facts["epochs"]]
    values["sums"] = {name: (total, count) for name, (total, count) in facts["sums"].items()}
    return Facts(**values)


def _under(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


@torch.no_grad()
def _copy(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> None:
    for name, tensor in target.items():
        tensor.copy_(source[name])


def _restore_optimiser(optimiser: torch.optim.Optimizer, values: Mapping[str, Any]) -> None:
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for path, value in values.items():
        index, name = path.split("/", 1)
        own = _laid_out_as(parameters[int(index)], value) if isinstance(value, Tensor) else value
        state.setdefault(int(index), {})[name] = own
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """A copy with the parameter's strides: mixed layouts would be slow, and round in another order."""
    if value.shape != parameter.shape:
        return value.clone()
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
