"""The weights before the first step: rules from the papers, applied to a whole network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd  # pyright: ignore[reportPrivateUsage]

Rule = Literal["xavier", "he", "dirac"]


@torch.no_grad()
def initialise(net: nn.Module, rule: Rule) -> None:
    """Draw the weights of every convolution and linear layer of a network anew; their biases become 0.

    Args:
        net: changed in place; norms, embeddings and everything else stay as they are.
        rule: "xavier" keeps the variance through tanh and sigmoid layers, forward and backward on average (normal,
            std = sqrt(2 / (fan_in + fan_out))); "he" keeps it forward through ReLUs (normal, std = sqrt(2 / fan_in));
            "dirac" lets each convolution pass its first input channels on unchanged, further filters and linear
            layers are drawn by "he".

    Source: Glorot and Bengio, AISTATS 2010; He et al., ICCV 2015; Zagoruyko and Komodakis, DiracNets, 2017, and for
    filters beyond the input channels K. Jordan, 94 % on CIFAR-10 in 3.29 seconds, 2024.
    """
    draw = _RULES[rule]
    for module in net.modules():
        if isinstance(module, _ConvNd | nn.Linear):
            draw(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _xavier(weight: Tensor) -> None:
    nn.init.xavier_normal_(weight)


def _he(weight: Tensor) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def _dirac(weight: Tensor) -> None:
    _he(weight)
    if weight.ndim > 2:
        nn.init.dirac_(weight[: weight.size(1)])


_RULES: dict[Rule, Callable[[Tensor], None]] = {"xavier": _xavier, "he": _he, "dirac": _dirac}
