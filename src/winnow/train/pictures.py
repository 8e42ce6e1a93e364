"""Pictures to learn from: bytes on disk, what they show, and who they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from winnow.errors import BadDataError

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPictures:
    """N examples in an array of stored pictures; folds and subsets share the array and differ in `places`.

    Attributes:
        pixels: (M, S, S, 3) uint8, usually memory-mapped (`PictureReader.mapped`): only a batch's rows are ever read.
            A tensor stays where it is, on the accelerator for instance (`on`).
        targets: (N,) int64 class ids, or (N, C) float32: several classes a picture, or probabilities.
        places: (N,) where in `pixels` each example lies; None: they lie in order.
        weights: (N,) how much each counts; None: all the same.
        keys: N names, such as content hashes; empty: they have none.
        n_classes: needed where class ids must become soft targets (mixup, CutMix).

    Raises:
        BadDataError: shapes, types or lengths do not fit.
    """

    pixels: NDArray[np.uint8] | Tensor
    targets: NDArray[Any]
    places: Rows | None = None
    weights: NDArray[np.floating] | None = None
    keys: Sequence[str] = ()
    n_classes: int | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.pixels.shape)
        if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3 or self.pixels.dtype not in (np.uint8, torch.uint8):
            raise BadDataError(
                f"Pictures of shape {shape} and type {self.pixels.dtype} cannot be learned from: "
                "give (M, side, side, 3) uint8, as the pixel cache does."
            )
        n = len(self.targets)
        lengths = [len(one) for one in (self.places, self.weights, self.keys or None) if one is not None]
        if any(length != n for length in lengths) or (self.places is None and n != shape[0]):
            raise BadDataError(
                f"{n} targets do not fit {shape[0]} pictures and lists of {lengths}: "
                "give as many places, weights and keys as targets, and places where there are other pictures, too."
            )
        if self.places is not None and n and not 0 <= int(self.places.min()) <= int(self.places.max()) < shape[0]:
            raise BadDataError(f"Some places lie outside of 0..{shape[0] - 1}: they are rows of the stored pictures.")
        is_ids = self.targets.ndim == 1 and self.targets.dtype.kind in "iu"
        if not is_ids and not (self.targets.ndim == 2 and self.targets.dtype.kind == "f"):
            raise BadDataError(
                f"Targets of shape {self.targets.shape} and type {self.targets.dtype} are not read: "
                "give (N,) integers or (N, C) floats."
            )

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def side_px(self) -> int:
        """Side of the stored pictures."""
        return int(self.pixels.shape[1])

    def subset(self, indices: Rows) -> LabelledPictures:
        """Some of the examples, such as a fold's; the pictures are shared."""
        places = indices if self.places is None else self.places[indices]
        weights = None if self.weights is None else self.weights[indices]
        targets, keys = self.targets[indices], self.keys_of(indices)
        return dataclasses.replace(self, targets=targets, places=places, weights=weights, keys=keys)

    def keys_of(self, indices: Rows) -> tuple[str, ...]:
        """The names of some examples; empty where they have none."""
        return tuple([self.keys[int(i)] for i in indices]) if self.keys else ()

    def on(self, device: torch.device) -> LabelledPictures:
        """The same with all stored pictures in the device's memory: for an accelerator that has room for them."""
        pixels = self.pixels if isinstance(self.pixels, Tensor) else torch.from_numpy(np.array(self.pixels))
        return dataclasses.replace(self, pixels=pixels.to(device))

    def read(self, indices: Rows) -> Tensor:
        """(n, S, S, 3) uint8 pictures of some examples, where `pixels` lies; n pictures of memory and no more."""
        places = indices if self.places is None else self.places[indices]
        if isinstance(self.pixels, Tensor):
            return self.pixels[torch.from_numpy(places).to(self.pixels.device)]
        # In the order of the file, so that a cold disk reads forwards.
        order = np.argsort(places)
        rows = np.empty((len(places), *self.pixels.shape[1:]), dtype=np.uint8)
        rows[order] = self.pixels[places[order]]
        return torch.from_numpy(rows)
