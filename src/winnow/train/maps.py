"""Batches of what a network's lower part gives: computed once, and learned from in every epoch."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray

from winnow.train.batch import Batch
from winnow.train.order import Order
from winnow.train.pictures import LabelledPictures


class MapBatches:
    """What the loop takes (`Batches`): "image" (n, ...) float32 activations, "label" (n,), "weight" (n,) if weighted.

    Args:
        maps: (N, ...) activations of the N pictures, in their order.
        pictures: whose labels, weights and keys are learned from; their pixels are not read.
        batch_size: examples a step.
        seed: of their order.
        device: where batches are wanted.
    """

    def __init__(
        self,
        maps: NDArray[np.float32],
        pictures: LabelledPictures,
        batch_size: int,
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        self._maps, self._pictures, self._device = maps, pictures, device
        self._order = Order(len(pictures), batch_size, seed=seed)

    def __len__(self) -> int:
        return self._order.steps_per_epoch

    def at(self, step: int) -> Batch:
        """The batch of a global step."""
        chosen = self._order.at(step).indices
        pictures = self._pictures
        tensors = {"image": torch.from_numpy(self._maps[chosen]), "label": torch.from_numpy(pictures.targets[chosen])}
        weights: tuple[float, ...] = ()
        if pictures.weights is not None:
            tensors["weight"] = torch.from_numpy(pictures.weights[chosen].astype(np.float32))
            weights = tuple(tensors["weight"].tolist())
        tensors = {name: tensor.to(self._device) for name, tensor in tensors.items()}
        return Batch(tensors, pictures.keys_of(chosen), weights)

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """`at(step)`, `at(step + 1)`, ... without end."""
        while True:
            yield self.at(step)
            step += 1
