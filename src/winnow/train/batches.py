"""Batches of pictures: each a pure function of (seed, step), read ahead by threads, changed all at once.

Threads read the bytes; what is done to them is done by whoever takes the batch, on the device that learns, so that
no worker competes with the network for cores, and an accelerator augments at its own speed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from winnow.errors import UserError
from winnow.train.augment.colour import Normalisation
from winnow.train.augment.geometry import resize
from winnow.train.augment.mixing import Mix, mix_pictures, mix_targets, soft_targets
from winnow.train.augment.recipe import Augmentation, Drawn, change, draw
from winnow.train.batch import Batch
from winnow.train.group import Group
from winnow.train.order import LastBatch, Order
from winnow.train.pictures import LabelledPictures, Rows

_CPU = torch.device("cpu")
_AHEAD = 2
"""Batches read ahead by each thread: one waits while the next is read."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Read:
    """Bytes of a step, and what is to be done to them.

    Attributes:
        indices: (B,) the examples of the whole effective batch.
        mine: (n,) which rows of the batch this process learns from.
        rows: (m,) which rows were read: `mine`, and their partners where pictures are mixed.
        pixels: (m, S, S, 3) uint8.
    """

    indices: Rows
    mine: Rows
    rows: Rows
    pixels: Tensor
    drawn: Drawn
    side_px: int


class PictureBatches:
    """What the loop takes (`Batches`): "image" (n, C, H, W) float32, "label" (n,) or (n, C), "weight" (n,) if weighted.

    Args:
        pictures: what to learn from.
        batch_size: examples a step, over all processes.
        augmentation: what changes.
        normalisation: what the network expects.
        sides_px: the side of the pictures in epoch 0, 1, ...; the last one from then on; none: as stored.
        last: what becomes of examples that do not fill a batch; see `Order`.
        rates: (N,) how often each example is drawn; see `Order`.
        device: where batches are wanted.
        group: the processes that learn together: this one takes rows rank, rank + size, ... of every batch, so that
            the k-th micro-batches of all together are the k-th micro-batch of a single process.
        workers: threads that read ahead; 0: none, each batch is read when it is asked for.

    Raises:
        UserError: no batch can be made; class ids are to be mixed and nobody said how many classes there are.
    """

    def __init__(
        self,
        pictures: LabelledPictures,
        batch_size: int,
        *,
        seed: int,
        augmentation: Augmentation | None = None,
        normalisation: Normalisation | None = None,
        sides_px: Sequence[int] = (),
        last: LastBatch = "wrap",
        rates: NDArray[np.floating] | None = None,
        device: torch.device = _CPU,
        group: Group | None = None,
        workers: int = 2,
    ) -> None:
        self._pictures, self._seed, self._device, self._workers = pictures, seed, device, workers
        self._augmentation = augmentation or Augmentation()
        self._normalisation = normalisation or Normalisation()
        self._sides_px = tuple(sides_px) or (pictures.side_px,)
        self._rank, self._n_ranks = (0, 1) if group is None else (group.rank, group.size)
        if batch_size < self._n_ranks:
            raise UserError(f"A batch of {batch_size} cannot be shared by {self._n_ranks} processes: take larger ones.")
        if self._augmentation.is_mixing and pictures.targets.ndim == 1 and pictures.n_classes is None:
            raise UserError("Mixing pictures needs soft targets, and nobody said of how many classes: give n_classes.")
        self._order = Order(len(pictures), batch_size, seed=seed, last=last, rates=rates)

    def __len__(self) -> int:
        return self._order.steps_per_epoch

    def at(self, step: int) -> Batch:
        """This process's share of the batch of a global step."""
        return self._finish(self._read(step))

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """`at(step)`, `at(step + 1)`, ... without end, read ahead."""
        for read in _read_ahead(self._read, step, self._workers):
            yield self._finish(read)

    def _read(self, step: int) -> _Read:
        chosen = self._order.at(step)
        side_px = self._sides_px[min(step // len(self), len(self._sides_px) - 1)]
        drawn = draw(self._augmentation, chosen, self._pictures.side_px, side_px, self._seed, step)
        mine = np.arange(self._rank, len(chosen.indices), self._n_ranks)
        rows = mine if drawn.mix is None else np.union1d(mine, drawn.mix.partners[mine])
        pixels = self._pictures.read(chosen.indices[rows])
        if self._device.type == "cuda" and pixels.device.type == "cpu":
            pixels = pixels.pin_memory()  # else the copy to the device would wait
        return _Read(chosen.indices, mine, rows, pixels, drawn, side_px)

    def _finish(self, read: _Read) -> Batch:
        pixels = read.pixels.to(self._device, non_blocking=True)
        x = change(self._augmentation, pixels, read.drawn, read.rows, read.side_px, self._normalisation)
        examples = read.indices[read.mine]
        target, weight = self._targets(examples), self._weights(examples)
        if read.drawn.mix is not None:
            x, target, weight = self._mixed(x, read, read.drawn.mix)
        return _batch(x, target, weight, self._pictures.keys_of(examples), self._device)

    def _mixed(self, x: Tensor, read: _Read, mix: Mix) -> tuple[Tensor, Tensor, Tensor | None]:
        partners = mix.partners[read.mine]
        own = torch.from_numpy(mix.own[read.mine])
        boxes = None if mix.boxes is None else torch.from_numpy(mix.boxes[read.mine]).to(x.device)
        x_own, x_other = (x[torch.from_numpy(np.searchsorted(read.rows, rows))] for rows in (read.mine, partners))
        both = read.indices[read.mine], read.indices[partners]
        weights = self._weights(both[0]), self._weights(both[1])
        targets = self._soft(self._targets(both[0])), self._soft(self._targets(both[1]))
        pair = None if weights[0] is None or weights[1] is None else (weights[0], weights[1])
        target, weight = mix_targets(targets, pair, own)
        return mix_pictures(x_own, x_other, own.to(x.device), boxes), target, weight

    def _targets(self, examples: Rows) -> Tensor:
        return _as_targets(self._pictures.targets[examples])

    def _soft(self, targets: Tensor) -> Tensor:
        return soft_targets(targets, self._pictures.n_classes or 0) if targets.ndim == 1 else targets

    def _weights(self, examples: Rows) -> Tensor | None:
        weights = self._pictures.weights
        return None if weights is None else torch.from_numpy(weights[examples].astype(np.float32))


def one_pass(
    pictures: LabelledPictures,
    batch_size: int,
    *,
    normalisation: Normalisation | None = None,
    side_px: int | None = None,
    device: torch.device = _CPU,
    workers: int = 2,
) -> Iterator[Batch]:
    """All examples once, in order and unchanged, for validation; the last batch may be smaller."""
    starts = range(0, len(pictures), batch_size)

    def read(number: int) -> tuple[Rows, Tensor]:
        indices = np.arange(number * batch_size, min(len(pictures), (number + 1) * batch_size))
        return indices, pictures.read(indices)

    normal = normalisation or Normalisation()
    for indices, pixels in _read_ahead(read, 0, workers, len(starts)):
        x = normal.of(resize(pixels.to(device), side_px or pictures.side_px))
        weights = None if pictures.weights is None else torch.from_numpy(pictures.weights[indices].astype(np.float32))
        yield _batch(x, _as_targets(pictures.targets[indices]), weights, pictures.keys_of(indices), device)


def rising_sides(first_px: int, last_px: int, n_epochs: int, *, multiple_of: int = 32) -> tuple[int, ...]:
    """The side of the pictures in each epoch, rising evenly by `multiple_of` to the last: early epochs are cheap.

    Source: Howard 2018 (DAWNBench); Tan and Le, EfficientNetV2, ICML 2021, progressive learning.

    >>> rising_sides(96, 160, 6)
    (96, 96, 128, 128, 160, 160)
    """
    n_sides = max(1, (last_px - first_px) // multiple_of + 1)
    return tuple(last_px - multiple_of * (left * n_sides // n_epochs) for left in reversed(range(n_epochs)))


def _as_targets(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.int64 if values.ndim == 1 else np.float32))


def _batch(x: Tensor, target: Tensor, weight: Tensor | None, keys: tuple[str, ...], device: torch.device) -> Batch:
    tensors = {"image": x, "label": target.to(device, non_blocking=True)}
    if weight is None:
        return Batch(tensors, keys)
    return Batch({**tensors, "weight": weight.to(device, non_blocking=True)}, keys, tuple(weight.tolist()))


def _read_ahead(read: Callable[[int], T], start: int, workers: int, end: int | None = None) -> Iterator[T]:
    """`read(start)`, `read(start + 1)`, ... in order, up to `end` or without end, some of them ahead of time."""
    number = start
    if workers == 0:
        while end is None or number < end:
            yield read(number)
            number += 1
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="winnow-batches") as pool:
        waiting: deque[Future[T]] = deque()
        try:
            while True:
                while len(waiting) < workers * _AHEAD and (end is None or number < end):
                    waiting.append(pool.submit(read, number))
                    number += 1
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
