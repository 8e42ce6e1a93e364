"""Who learns: a network, and the players that change its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from winnow.train.batch import Batch
from winnow.train.optimisers import Weights

Losses = Callable[[Batch], Mapping[str, Tensor]]
"""From a batch to named scalars, each a mean over the batch's examples (by `Batch.weights`); their sum is minimised."""


@dataclass(frozen=True, slots=True)
class Player:
    """One side of the game: its weights move to lower its own losses, and nobody else's weights do."""

    name: str
    weights: tuple[Weights, ...]
    losses: Losses
    every: int = 1
    """Moves at every n-th step only (a Wasserstein GAN's generator: 5)."""


@dataclass(frozen=True, slots=True)
class Learner:
    """A network and its players, who take turns within a step in this order."""

    net: nn.Module
    """Holds every weight and buffer that is learned, saved and averaged; a GAN's: an `nn.ModuleDict` of both."""
    players: tuple[Player, ...]
    frozen: tuple[nn.Module, ...] = ()
    """Modules kept in eval mode: their batch norms and dropouts do not move."""
