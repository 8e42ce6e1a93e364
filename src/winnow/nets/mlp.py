"""The multilayer perceptron; without hidden layers, the perceptron.

Source: Rosenblatt, The Perceptron, Psychological Review 65(6), 1958; Rumelhart, Hinton, Williams, Learning
Representations by Back-propagating Errors, Nature 323, 1986.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from winnow.nets.activations import find_activation
from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import load_published


def mlp(
    *,
    n_classes: int,
    n_channels: int = 1,
    side_px: int = 28,
    state: State | None = None,
    widths: Sequence[int] = (84,),
    activation: str = "relu",
    has_bias: bool = True,
) -> Net:
    """Fully connected layers over the values of a picture, row by row.

    Args:
        widths: units of each hidden layer; () makes a perceptron, one linear unit a class.
        activation: of the hidden layers: identity, sigmoid, tanh, relu, leaky-relu, elu or gaussian.
        has_bias: whether units have a bias, the output layer's included.

    Raises:
        NotFoundError: no activation is called so.
    """
    return dense_net(n_channels * side_px**2, n_classes, widths, activation, has_bias=has_bias, state=state)


def dense_net(
    n_inputs: int,
    n_classes: int,
    widths: Sequence[int] = (),
    activation: str = "relu",
    *,
    has_bias: bool = True,
    state: State | None = None,
) -> Net:
    """A multilayer perceptron over rows of `n_inputs` numbers (or anything that flattens to them).

    Raises:
        NotFoundError: no activation is called so.
    """
    act = find_activation(activation)
    stages: dict[str, nn.Module] = {"inputs": nn.Flatten()}
    sizes = [n_inputs, *widths]
    for number, (below, width) in enumerate(pairwise(sizes), start=1):
        stages[f"hidden{number}"] = nn.Sequential(nn.Linear(below, width, bias=has_bias), act())
    net = Net(stages, nn.Linear(sizes[-1], n_classes, bias=has_bias), dim=sizes[-1], n_classes=n_classes)
    if state is not None:
        load_published(net, state)
    return net


def perceptron(*, n_classes: int, n_channels: int = 1, side_px: int = 28, state: State | None = None) -> Net:
    """One linear unit a class over the values of a picture."""
    return mlp(n_classes=n_classes, n_channels=n_channels, side_px=side_px, state=state, widths=())


PERCEPTRON = NetEntry(
    name="perceptron",
    title="Perceptron",
    year=1958,
    paper="Rosenblatt: The Perceptron, Psychological Review 65(6)",
    n_parameters=7_850,
    stages=("inputs",),
    dim=784,
    make=perceptron,
    side_px=28,
    smallest_side_px=1,
    n_channels=1,
    n_classes=10,
    mean=(0.5,),
    std=(0.5,),
)

ENTRY = NetEntry(
    name="mlp",
    title="Multilayer perceptron, 84 hidden units",
    year=1986,
    paper="Rumelhart, Hinton, Williams: Learning Representations by Back-propagating Errors, Nature 323",
    n_parameters=66_790,
    stages=("inputs", "hidden1"),
    dim=84,
    make=mlp,
    side_px=28,
    smallest_side_px=1,
    n_channels=1,
    n_classes=10,
    mean=(0.5,),
    std=(0.5,),
)
