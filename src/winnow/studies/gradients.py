"""How much of the gradient arrives where: vanishing and exploding gradients, layer by layer."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from winnow.nets.net import Net
from winnow.report.study_schema import Chart
from winnow.studies.comparing import mean_line
from winnow.studies.learning import Examples

_LEAST = 1e-30
"""Below it single precision has no more digits: what vanished entirely is shown as this."""


def gradients_by_stage(net: Net, examples: Examples) -> list[float]:
    """The length of the loss's gradient in what each stage gives, from the lowest learning stage to the highest.

    The back-propagated gradient, not that of the weights: it is what shrinks or grows from layer to layer. (In
    layers of equal width without bias the weights' gradients all have the same expected length, whatever the
    initialisation: what they lose on the way down, the activations have gained on the way up.)

    Args:
        net: stays as it is.
        examples: the mean loss of all of them is derived, in training mode.

    Source: Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, AISTATS
    2010, section 4.2.
    """
    own = copy.deepcopy(net).train()
    x, given = examples.image, list[Tensor]()
    for stage in own.stages.values():
        x = stage(x)
        if x.requires_grad:
            x.retain_grad()
            given.append(x)
    F.cross_entropy(own.head(x), examples.label).backward()
    norms = [0.0 if one.grad is None else float(torch.linalg.vector_norm(one.grad.double())) for one in given]
    return [max(_LEAST, norm) if math.isfinite(norm) else 1 / _LEAST for norm in norms]


def gradient_chart(norms: Mapping[str, Sequence[Sequence[float]]]) -> Chart:
    """The lengths by layer, from the lowest: for each line its name and, by seed, what `gradients_by_stage` gave."""
    n_layers = len(next(iter(norms.values()))[0])
    lines = tuple(mean_line(name, range(1, n_layers + 1), several, is_log=True) for name, several in norms.items())
    return Chart(
        title="Gradient at each layer before the first step",
        x_title="hidden layer, from the pictures up",
        y_title="length of the gradient",
        series=lines,
        is_log_y=True,
    )


def powers_of_ten_lost(norms: Sequence[float]) -> float:
    """By how many powers of ten the gradient is shorter at the lowest layer than at the highest; negative: longer."""
    return math.log10(norms[-1] / norms[0])
