"""The activation functions of multilayer perceptrons, by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from winnow.errors import NotFoundError, did_you_mean


class Gaussian(nn.Module):
    """exp(-a^2): a bump that answers to inputs near 0 (Broomhead and Lowe, 1988)."""

    def forward(self, a: Tensor) -> Tensor:
        """The same shape, in (0, 1]."""
        return torch.exp(-a.square())


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gaussian": Gaussian,
}
"""Name -> what makes one; slopes are torch's: 0.01 for leaky ReLU, 1 for ELU."""


def find_activation(name: str) -> Callable[[], nn.Module]:
    """What makes the activation of that name.

    Raises:
        NotFoundError: no activation is called so.
    """
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    hint = did_you_mean(name, ACTIVATIONS, otherwise=f"Known are {', '.join(ACTIVATIONS)}.")
    raise NotFoundError(f"No activation is called '{name}'. {hint}")
