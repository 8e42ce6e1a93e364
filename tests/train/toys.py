"""Tiny data and networks to train, and a fingerprint of what came out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from winnow.train.batch import Batch
from winnow.train.learner import Learner, Player
from winnow.train.optimisers import Optimiser, Weights


class Toys:
    """Batches of random pictures whose class is hidden in their brightness; each a function of its step."""

    def __init__(
        self, epoch_steps: int = 4, size: int = 8, change: Callable[[int, Tensor], object] = lambda *_: None
    ) -> None:
        self._epoch_steps, self._size, self._change = epoch_steps, size, change

    def __len__(self) -> int:
        return self._epoch_steps

    def at(self, step: int) -> Batch:
        generator = torch.Generator().manual_seed(step)
        label = torch.randint(0, 3, (self._size,), generator=generator)
        image = torch.randn(self._size, 3, 8, 8, generator=generator) + label[:, None, None, None]
        self._change(step, image)
        return Batch({"image": image, "label": label}, tuple(f"{step}-{n}.png" for n in range(self._size)))

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        while True:
            yield self.at(step)
            step += 1


def tiny_net(*, is_normed: bool = True) -> nn.Sequential:
    """Convolution, batch norm, dropout, linear: one of everything that a resume must bring back."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(4) if is_normed else nn.Identity()
    drop = nn.Dropout(0.2 if is_normed else 0.0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), norm, nn.ReLU(), drop, nn.Flatten(), nn.Linear(144, 3))


def classifier(net: nn.Module, optimiser: Optimiser | None = None) -> Learner:
    """A learner with one player and the cross-entropy."""

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"cross_entropy": F.cross_entropy(net(batch["image"]), batch["label"])}

    return Learner(net, (Player("net", (Weights.of(net, optimiser=optimiser),), losses),))


def sha256(net: nn.Module) -> str:
    """Of all weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        digest.update(name.encode() + tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()
