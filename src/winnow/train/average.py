"""Averaged weights: an exponential moving average (EMA) of everything a network has learned."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average:
    """The moving average of a network's weights and floating-point buffers.

    The decay of step t is min(decay, (1 + t) / (10 + t)), so that the random first weights are soon forgotten.
    Source: Polyak and Juditsky 1992; the start as in TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self._decay = decay
        self._live = _floats(net)
        self.tensors = {name: tensor.clone() for name, tensor in self._live.items()}
        """By the names of the network's state dict; same shapes."""

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the network as it stands after a step (from 0)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        get_ema_multi_avg_fn(decay)(list(self.tensors.values()), list(self._live.values()), step)

    @contextmanager
    def worn(self) -> Generator[None]:
        """The network wears the average while the context lasts."""
        own = {name: tensor.clone() for name, tensor in self._live.items()}
        self.put_on()
        try:
            yield
        finally:
            _copy(own, self._live)

    def put_on(self) -> None:
        """The network takes the average for good."""
        _copy(self.tensors, self._live)


def _floats(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in net.state_dict().items() if tensor.is_floating_point()}


@torch.no_grad()
def _copy(source: dict[str, Tensor], target: dict[str, Tensor]) -> None:
    for name, tensor in target.items():
        tensor.copy_(source[name])
