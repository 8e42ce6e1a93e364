"""A ravine: a quadratic that is steep across and almost flat along, where rates of convergence are known exactly."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from winnow.errors import UserError
from winnow.events import Event, StepDone
from winnow.seeds import seed_for
from winnow.studies.learning import Whole
from winnow.train.batch import Batch
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import SGD, Momentum, Optimiser, Weights
from winnow.train.plan import Plan
from winnow.train.schedule import Constant, Schedule

Path = list[tuple[float, ...]]


class Ravine(nn.Module):
    """f(x) = sum(curvature * (turn x)^2) / 2, with its minimum 0 at x = 0.

    Args:
        condition: the largest curvature over the smallest, which is 1.
        shape: of x; curvatures are spread evenly over the logarithms between the two.
        seed: draws where x starts, on the unit sphere, and the turn.
        is_turned: lay the ravine across the axes, in a random direction: methods that treat each weight for itself
            (Adagrad, RMSprop, Adam) find one along the axes as easy as a bowl.
    """

    def __init__(self, condition: float, shape: tuple[int, ...], seed: int, *, is_turned: bool = False) -> None:
        super().__init__()
        chance = np.random.default_rng(seed_for(seed, "ravine"))
        start = chance.normal(size=shape)
        start /= np.linalg.norm(start)
        n = math.prod(shape)
        turn, _ = np.linalg.qr(chance.normal(size=(n, n))) if is_turned else (np.eye(n), None)
        self.x = nn.Parameter(torch.from_numpy(start))
        self.turn = torch.from_numpy(turn)
        self.curvature = torch.from_numpy(np.exp(np.linspace(0, math.log(condition), n)))

    def forward(self) -> Tensor:
        """The height where x is."""
        return (self.curvature * (self.turn @ self.x.flatten()).square()).sum() / 2


def descend(ravine: Ravine, optimiser: Optimiser, n_steps: int, *, schedule: Schedule | None = None) -> Path:
    """Every x from the start to after the last step, flat; (n_steps + 1) of them, in double precision.

    Where the rate is too high for the ravine and x leaves what numbers can hold, every x but the first is infinite.
    """
    places = {0: _place(ravine)}
    lost = (math.inf,) * len(places[0])

    def losses(_: Batch) -> dict[str, Tensor]:
        return {"height": ravine()}

    def hear(event: Event) -> None:
        if isinstance(event, StepDone):
            places[event.done] = _place(ravine)

    plan = Plan(n_steps=n_steps, optimiser=optimiser, schedule=schedule or Constant())
    learner = Learner(ravine, (Player("x", (Weights.of(ravine),), losses),))
    try:
        train(learner, Whole(nothing=torch.zeros(1)), plan, seed=0, tell=hear)
    except UserError:  # some rates are meant to be too high: the loop gives up after three steps of NaN
        places = {0: places[0]}
    return [places.get(step, lost) for step in range(n_steps + 1)]


def _place(ravine: Ravine) -> tuple[float, ...]:
    return tuple(ravine.x.detach().flatten().tolist())


def distances(path: Path) -> list[float]:
    """How far from the minimum each place is."""
    return [math.sqrt(sum(value * value for value in place)) for place in path]


def best_descent(condition: float) -> SGD:
    """Gradient descent with the rate that converges fastest, for curvatures from 1 to `condition`."""
    return SGD(lr=2 / (1 + condition))


def best_momentum(condition: float) -> Momentum:
    """Momentum (heavy ball) with the rate and momentum that converge fastest. Source: Polyak 1964."""
    root = math.sqrt(condition)
    return Momentum(lr=(2 / (1 + root)) ** 2, momentum=((root - 1) / (root + 1)) ** 2)


def descent_rate(condition: float) -> float:
    """What the distance is multiplied by at each step of `best_descent`: (condition - 1) / (condition + 1)."""
    return (condition - 1) / (condition + 1)


def momentum_rate(condition: float) -> float:
    """The same of `best_momentum`, in the long run: (root - 1) / (root + 1), root = sqrt(condition).

    Source: Polyak, Some Methods of Speeding up the Convergence of Iteration Methods, 1964; Goh, Why Momentum Really
    Works, Distill 2017.
    """
    root = math.sqrt(condition)
    return (root - 1) / (root + 1)


RATES: dict[str, tuple[Callable[[float], Optimiser], Callable[[float], float]]] = {
    "gradient descent": (best_descent, descent_rate),
    "momentum": (best_momentum, momentum_rate),
}
