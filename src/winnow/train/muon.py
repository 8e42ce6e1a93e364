"""Muon: momentum whose step is made orthogonal, one filter bank or matrix at a time.

torch.optim.Muon refuses what is not a matrix and knows no normalised weights; this one flattens filters to
(filters, the rest), as Keller Jordan's airbench does, and steps like torch's on matrices.

Source: K. Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024
(kellerjordan.github.io/posts/muon), and github.com/KellerJordan/cifar10-airbench, airbench94_muon.py (MIT).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315
"""The quintic whose slope at 0 is steepest while it still ends between about 0.7 and 1.2."""


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """About U V^T of a matrix U S V^T, by the Newton-Schulz iteration; on a GPU in bfloat16, whose digits suffice.

    Args:
        matrix: (M, N).
        steps: iterations; 3 are enough where only the direction matters.
    """
    if matrix.size(0) > matrix.size(1):
        return orthogonal(matrix.T, steps).T
    x = (matrix.bfloat16() if matrix.is_cuda else matrix) / (matrix.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return x


class MuonSteps(torch.optim.Optimizer):
    """Steps for parameters with at least two dimensions; settings as in `optimisers.Muon`."""

    def __init__(self, groups: list[dict[str, Any]], *, momentum: float, is_normalised: bool) -> None:
        super().__init__(groups, {"momentum": momentum, "is_normalised": is_normalised})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Move every parameter that has a gradient; there is no closure."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)

    def _move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        velocity = state["momentum_buffer"]
        # torch's form, (1 - m) g + m v: its direction is that of g + m v, which is all that survives.
        velocity.lerp_(gradient, 1 - group["momentum"])
        flat = gradient.lerp(velocity, group["momentum"]).flatten(1)
        if group["is_normalised"]:
            parameter.mul_(len(parameter) ** 0.5 / parameter.norm())
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        rows, columns = flat.shape
        step = orthogonal(flat).view_as(parameter)
        parameter.add_(step, alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)
