"""The networks that studies compare: plain on purpose, so that one part at a time can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import nn

from winnow.nets.mlp import dense_net
from winnow.nets.net import Net

Pooling = Literal["max", "average"]
_POOLS: dict[Pooling, Callable[[int], nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
_SMALLEST_POOLED_PX = 4


def plain_convnet(
    n_channels: int,
    side_px: int,
    n_classes: int,
    *,
    widths: Sequence[int] = (16, 32, 32),
    hidden: int = 64,
    pooling: Pooling = "max",
    is_normed: bool = True,
) -> Net:
    """3x3 convolutions, each with ReLU and halved by pooling while there are 4 px or more, and one hidden layer.

    Args:
        widths: maps of each convolution.
        hidden: units of the hidden layer.
        pooling: how the sides are halved.
        is_normed: whether batch norm follows each convolution.
    """
    stages: dict[str, nn.Module] = {}
    below, px = n_channels, side_px
    for number, width in enumerate(widths, start=1):
        parts: list[nn.Module] = [nn.Conv2d(below, width, 3, padding=1)]
        parts += [nn.BatchNorm2d(width)] if is_normed else []
        parts.append(nn.ReLU())
        if px >= _SMALLEST_POOLED_PX:
            parts.append(_POOLS[pooling](2))
            px //= 2
        stages[f"conv{number}"] = nn.Sequential(*parts)
        below = width
    stages["hidden"] = nn.Sequential(nn.Flatten(), nn.Linear(below * px**2, hidden), nn.ReLU())
    return Net(stages, nn.Linear(hidden, n_classes), dim=hidden, n_classes=n_classes)


def deep_mlp(
    n_inputs: int, n_classes: int, depth: int, width: int, *, activation: str = "relu", is_normed: bool = False
) -> Net:
    """So many hidden layers of one width; with batch norm, it stands before each activation."""
    net = dense_net(n_inputs, n_classes, (width,) * depth, activation)
    if is_normed:
        for stage in hidden_of(net):
            stage.insert(1, nn.BatchNorm1d(width))
    return net


def hidden_of(net: Net) -> list[nn.Sequential]:
    """The hidden layers of a multilayer perceptron, each a linear layer and what follows it."""
    return [stage for stage in net.stages.values() if isinstance(stage, nn.Sequential)]


def with_dropout(net: Net, hidden_rate: float, input_rate: float) -> Net:
    """A multilayer perceptron that forgets some of its inputs and hidden units at every training step."""
    for stage in hidden_of(net):
        stage.append(nn.Dropout(hidden_rate))
    net.stages["inputs"] = nn.Sequential(net.stages["inputs"], nn.Dropout(input_rate))
    return net


@torch.no_grad()
def scale_weights(net: Net, factor: float) -> None:
    """Multiply the weights of all linear layers but the head, in place."""
    for stage in hidden_of(net):
        for module in stage:
            if isinstance(module, nn.Linear):
                module.weight.mul_(factor)


def copy_lower(source: Net, target: Net, n_stages: int) -> None:
    """Give `target` the first stages of a network of the same kind, running statistics included."""
    for name in target.stage_names[:n_stages]:
        target.stages[name].load_state_dict(source.stages[name].state_dict())
