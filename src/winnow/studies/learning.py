"""Studies train with the loop of the house: pictures in memory go in, curves come out."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from winnow.errors import UserError
from winnow.nets.net import Net
from winnow.seeds import seed_for
from winnow.studies.pictures import StudyPictures
from winnow.train.batch import Batch
from winnow.train.learner import Learner, Losses, Player
from winnow.train.loop import Trained, train
from winnow.train.optimisers import Momentum, Optimiser, Weights
from winnow.train.order import Order
from winnow.train.plan import Plan
from winnow.train.schedule import Constant, Schedule

BATCH = 32
_JUDGED_AT_ONCE = 512
_LOSS = "cross_entropy"


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures and their labels: `image` (N, C, S, S) float32 and `label` (N,) int64."""

    image: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.label)

    def at(self, rows: NDArray[np.integer]) -> Examples:
        """Some of them."""
        places = torch.from_numpy(np.asarray(rows, dtype=np.int64))
        return Examples(self.image[places], self.label[places])

    def of_classes(self, classes: NDArray[np.integer]) -> Examples:
        """Those of some classes, whose ids become 0, 1, ... in the order given."""
        is_one = torch.from_numpy(np.asarray(classes, dtype=np.int64))[:, None] == self.label[None]
        kept = is_one.any(0)
        return Examples(self.image[kept], is_one[:, kept].int().argmax(0))

    def few(self, per_class: int, seed: int) -> Examples:
        """So many of each class, drawn by the seed; a smaller draw is part of a larger one."""
        chance = np.random.default_rng(seed_for(seed, "few"))
        order = chance.permutation(len(self))
        labels = self.label.numpy()[order]
        kept = [order[labels == label][:per_class] for label in np.unique(labels)]
        return self.at(np.sort(np.concatenate(kept)))


@dataclass(frozen=True, eq=False)
class Dealt:
    """What is learned from and what is judged on, normalised alike."""

    learned: Examples
    judged: Examples
    n_classes: int


def deal(pictures: StudyPictures) -> Dealt:
    """Pictures as tensors whose pixels have mean 0 and deviation 1 over those that are learned from."""
    pixels = pictures.pixels.astype(np.float32) / 255
    learned = pixels[~pictures.is_judged]
    mean, deviation = learned.mean((0, 1, 2)), learned.std((0, 1, 2))
    image = torch.from_numpy(((pixels - mean) / np.maximum(deviation, 1e-3)).transpose(0, 3, 1, 2).copy())
    everything = Examples(image, torch.from_numpy(pictures.labels))
    learned, judged = (everything.at(np.flatnonzero(pictures.is_judged == part)) for part in (False, True))
    return Dealt(learned, judged, pictures.n_classes)


class InMemory:
    """Batches of examples in memory, in a new order every epoch (`winnow.train.batch.Batches`)."""

    def __init__(self, examples: Examples, batch_size: int, seed: int) -> None:
        self._examples = examples
        self._order = Order(len(examples), min(batch_size, len(examples)), seed=seed, last="wrap")

    def __len__(self) -> int:
        return self._order.steps_per_epoch

    def at(self, step: int) -> Batch:
        """The batch of a global step."""
        part = self._examples.at(self._order.at(step).indices)
        return Batch({"image": part.image, "label": part.label})

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """`at(step)`, `at(step + 1)`, ... without end."""
        while True:
            yield self.at(step)
            step += 1


class Whole:
    """The same few examples at every step: gradients without noise. A hundred steps are called an epoch."""

    def __init__(self, **tensors: Tensor) -> None:
        self._batch = Batch(tensors)

    def __len__(self) -> int:
        return 100

    def at(self, step: int) -> Batch:
        """All examples."""
        return self._batch

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """All examples, without end."""
        while True:
            yield self._batch


@dataclass(frozen=True)
class Fitted:
    """How a training went.

    Attributes:
        losses: mean loss of each epoch; after a training broke down, that of an answer by guessing.
        accuracies: on the judged pictures after each epoch, or at the end alone.
    """

    losses: tuple[float, ...]
    accuracies: tuple[float, ...]

    @property
    def accuracy(self) -> float:
        """On the judged pictures at the end."""
        return self.accuracies[-1]

    @property
    def loss(self) -> float:
        """Mean of the last epoch."""
        return self.losses[-1]

    def epochs_to(self, loss: float) -> int:
        """The first epoch, from 1, whose mean loss is at most so much; one more than there were, if none is."""
        return next((n for n, one in enumerate(self.losses, start=1) if one <= loss), len(self.losses) + 1)


def fit(
    net: Net,
    examples: Examples,
    judged: Examples,
    *,
    seed: int,
    n_epochs: int,
    optimiser: Optimiser | None = None,
    schedule: Schedule | None = None,
    weights: tuple[Weights, ...] | None = None,
    is_judged_each_epoch: bool = True,
) -> Fitted:
    """Train a classifier with the cross-entropy; its weights are the last ones.

    Args:
        net: trained in place.
        examples: to learn from.
        judged: to be judged on.
        seed: of order and dropout.
        n_epochs: how often each example is seen.
        optimiser: default: momentum 0.9 with rate 0.05.
        schedule: default: a constant rate.
        weights: those that learn; default: all.
        is_judged_each_epoch: whether there is a curve of accuracies, or one at the end alone.
    """
    plan = Plan(n_epochs=n_epochs, optimiser=optimiser or Momentum(lr=0.05), schedule=schedule or Constant())
    learner = Learner(net, (Player("net", weights or (Weights.of(net),), cross_entropy_of(net)),))
    batches = InMemory(examples, BATCH, seed_for(seed, "order"))
    trained = _attempt(learner, batches, plan, seed, judged if is_judged_each_epoch else None)
    guess = math.log(net.n_classes)
    if trained is None:
        return Fitted((guess,) * n_epochs, (1 / net.n_classes,) * n_epochs)
    losses = tuple(epoch.losses.get(_LOSS, guess) for epoch in trained.epochs)
    curve = tuple(epoch.scores["accuracy"] for epoch in trained.epochs if epoch.scores)
    return Fitted(losses, curve or (accuracy(net, judged),))


def _attempt(learner: Learner, batches: InMemory, plan: Plan, seed: int, judged: Examples | None) -> Trained | None:
    """None where the training broke down: its numbers left what a float can hold."""
    validate = None if judged is None else lambda net: {"accuracy": accuracy(net, judged)}
    try:
        return train(learner, batches, plan, seed=seed, validate=validate)
    except UserError:  # some rates are meant to be too high: the loop gives up after three steps of NaN
        return None


def cross_entropy_of(net: Net) -> Losses:
    """The losses of a classifier."""

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {_LOSS: F.cross_entropy(net(batch["image"]), batch["label"])}

    return losses


@torch.no_grad()
def accuracy(net: torch.nn.Module, examples: Examples) -> float:
    """Share of the examples that a network in eval mode answers right."""
    n_right = 0
    for image, label in zip(examples.image.split(_JUDGED_AT_ONCE), examples.label.split(_JUDGED_AT_ONCE), strict=True):
        n_right += int((net(image).argmax(1) == label).sum())
    return n_right / len(examples)


@torch.no_grad()
def mean_loss(net: torch.nn.Module, examples: Examples) -> float:
    """The cross-entropy of a network in eval mode, mean over the examples."""
    return float(F.cross_entropy(net(examples.image), examples.label))
