"""Two tasks out of one set of pictures: one half of its classes, and the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from winnow.errors import BadDataError
from winnow.nets.net import Net
from winnow.seeds import seed_for
from winnow.studies.learning import Dealt, Fitted, fit
from winnow.studies.plain_nets import copy_lower, plain_convnet
from winnow.train.optimisers import Momentum, Weights
from winnow.train.schedule import Linear

RATE = 0.02
_LEAST_CLASSES = 4


@dataclass(frozen=True)
class Halves:
    """The task A that weights come from and the task B that they go to; no class is in both."""

    a: Dealt
    b: Dealt


def halves(data: Dealt, seed: int) -> Halves:
    """The classes dealt into two halves by the seed; where their number is odd, B has one more.

    Raises:
        BadDataError: a half would have a single class.
    """
    if data.n_classes < _LEAST_CLASSES:
        raise BadDataError(
            f"Two tasks of 2 classes each cannot be made out of {data.n_classes} classes; take pictures of "
            f"{_LEAST_CLASSES} classes or more, or leave --on away for the embedded digits."
        )
    order = np.random.default_rng(seed_for(seed, "halves")).permutation(data.n_classes)
    middle = data.n_classes // 2
    a, b = (
        Dealt(data.learned.of_classes(classes), data.judged.of_classes(classes), len(classes))
        for classes in (order[:middle], order[middle:])
    )
    return Halves(a, b)


def fresh(data: Dealt, seed: int) -> Net:
    """An untrained net for a task."""
    torch.manual_seed(seed)
    _, n_channels, side_px, _ = data.learned.image.shape
    return plain_convnet(n_channels, side_px, data.n_classes)


def begun(data: Dealt, seed: int, source: Net, n_stages: int) -> Net:
    """An untrained net but for its lowest stages, which are another's."""
    net = fresh(data, seed)
    copy_lower(source, net, n_stages)
    return net


def teach(
    net: Net, data: Dealt, n_epochs: int, seed: int, *, frozen: int = 0, is_judged_each_epoch: bool = False
) -> Fitted:
    """Train a net on a task; its lowest `frozen` stages do not move."""
    net.freeze(net.stage_names[frozen - 1] if frozen else None)
    learning = Weights(tuple(weight for _, weights in net.groups() for weight in weights))
    return fit(
        net,
        data.learned,
        data.judged,
        seed=seed,
        n_epochs=n_epochs,
        optimiser=Momentum(lr=RATE),
        schedule=Linear(),
        weights=(learning,),
        is_judged_each_epoch=is_judged_each_epoch,
    )
