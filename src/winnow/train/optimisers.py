"""How gradients become steps: the optimisers of the field, as settings that build torch's own.

Weight decay never touches norms and biases (parameters with fewer than two dimensions): shrinking them costs
accuracy and regularises nothing (He et al., Bag of Tricks for Image Classification, CVPR 2019, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import nn

from winnow.train.muon import MuonSteps


class Optimiser(Protocol):
    """Settings of an optimiser."""

    @property
    def lr(self) -> float:
        """The learning rate that a schedule's factor of 1 means."""
        ...

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """Optimisers that together move these weights, their groups' "initial_lr" set."""
        ...


@dataclass(frozen=True, slots=True)
class Weights:
    """Parameters that share a learning rate."""

    parameters: tuple[nn.Parameter, ...]
    lr_factor: float = 1.0
    """Times the optimiser's rate; lower layers of a fine-tuned network: 0.1 or so (Howard and Ruder 2018)."""
    optimiser: Optimiser | None = None
    """Their own; None: the plan's."""

    @classmethod
    def of(cls, *modules: nn.Module, lr_factor: float = 1.0, optimiser: Optimiser | None = None) -> Weights:
        """All parameters of some modules, each once."""
        return cls(_each_once(modules), lr_factor, optimiser)


def _each_once(modules: Iterable[nn.Module]) -> tuple[nn.Parameter, ...]:
    return tuple(dict.fromkeys(parameter for module in modules for parameter in module.parameters()))


def _groups(weights: Sequence[Weights], lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """Torch's parameter groups: each weights' matrices and filters with decay, its vectors and scalars without."""
    groups: list[dict[str, Any]] = []
    for one in weights:
        # Without decay one group is enough: each costs a pass of its own.
        matrices = [parameter for parameter in one.parameters if parameter.ndim >= 2 or not weight_decay]
        vectors = [parameter for parameter in one.parameters if parameter.ndim < 2 and weight_decay]
        for parameters, decay in ((matrices, weight_decay), (vectors, 0.0)):
            if parameters:
                rate = lr * one.lr_factor
                groups.append({"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay})
    return groups


@dataclass(frozen=True, slots=True)
class SGD:
    """Stochastic gradient descent: against the gradient of the batch (Robbins and Monro 1951)."""

    lr: float
    weight_decay: float = 0.0

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One torch optimiser."""
        return [torch.optim.SGD(_groups(weights, self.lr, self.weight_decay))]


@dataclass(frozen=True, slots=True)
class Momentum:
    """SGD with a velocity that gathers past gradients (Polyak 1964)."""

    lr: float
    momentum: float = 0.9
    weight_decay: float = 0.0

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One torch optimiser."""
        return [torch.optim.SGD(_groups(weights, self.lr, self.weight_decay), momentum=self.momentum)]


@dataclass(frozen=True, slots=True)
class Nesterov:
    """Momentum that looks ahead (Nesterov 1983; Sutskever et al., ICML 2013)."""

    lr: float
    momentum: float = 0.9
    weight_decay: float = 0.0

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One torch optimiser."""
        groups = _groups(weights, self.lr, self.weight_decay)
        return [torch.optim.SGD(groups, momentum=self.momentum, nesterov=True)]


@dataclass(frozen=True, slots=True)
class Adagrad:
    """Each weight's rate falls with the root of its summed squared gradients (Duchi, Hazan, Singer 2011)."""

    lr: float = 1e-2
    weight_decay: float = 0.0

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One torch optimiser."""
        return [torch.optim.Adagrad(_groups(weights, self.lr, self.weight_decay))]


@dataclass(frozen=True, slots=True)
class RMSprop:
    """Adagrad that forgets: a running mean of squared gradients (Hinton's lecture 6e, 2012)."""

    lr: float = 1e-3
    forgetting: float = 0.99
    """How much of the running mean stays at each step."""
    weight_decay: float = 0.0

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One torch optimiser."""
        return [torch.optim.RMSprop(_groups(weights, self.lr, self.weight_decay), alpha=self.forgetting)]


@dataclass(frozen=True, slots=True)
class Adam:
    """RMSprop with momentum, both freed from their start at zero (Kingma and Ba, ICLR 2015)."""

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One torch optimiser; fused, which moves a weight in one pass over memory, not in ten."""
        return [torch.optim.Adam(_groups(weights, self.lr, self.weight_decay), betas=self.betas, fused=True)]


@dataclass(frozen=True, slots=True)
class AdamW:
    """Adam whose weight decay shrinks the weights themselves (Loshchilov and Hutter, ICLR 2019)."""

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 1e-2

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One torch optimiser; fused, as Adam."""
        return [torch.optim.AdamW(_groups(weights, self.lr, self.weight_decay), betas=self.betas, fused=True)]


@dataclass(frozen=True, slots=True)
class Muon:
    """Momentum whose step is made orthogonal, for matrices and filters; `others` moves norms and biases.

    Keller Jordan recommends it for hidden layers: give the first and the last layer `Weights` with an optimiser of
    their own. Source: kellerjordan.github.io/posts/muon (2024).
    """

    lr: float = 0.02
    momentum: float = 0.95
    weight_decay: float = 0.0
    is_normalised: bool = False
    """Scale each filter bank to norm sqrt(its filters) before the step, as the CIFAR-10 speed runs do."""
    others: Optimiser = field(default_factory=AdamW)

    def build(self, weights: Sequence[Weights]) -> list[torch.optim.Optimizer]:
        """One optimiser for matrices and filters, and what `others` builds for the rest."""
        matrices = [_only(one, is_matrix=True) for one in weights]
        vectors = [_only(one, is_matrix=False) for one in weights]
        built: list[torch.optim.Optimizer] = []
        if groups := _groups(matrices, self.lr, self.weight_decay):
            built.append(MuonSteps(groups, momentum=self.momentum, is_normalised=self.is_normalised))
        return built + (self.others.build(vectors) if any(one.parameters for one in vectors) else [])


def _only(weights: Weights, *, is_matrix: bool) -> Weights:
    kept = tuple(parameter for parameter in weights.parameters if (parameter.ndim >= 2) == is_matrix)
    return Weights(kept, weights.lr_factor)
