"""What is known of a network before it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from winnow.nets.net import Net

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the training pictures of ImageNet, red, green, blue, where white is 1: what most published weights expect."""

State = Mapping[str, Tensor]
"""Weights by name, as a file of safetensors holds them."""


class Maker(Protocol):
    """Builds the network with fresh weights, or with published ones under its authors' names for them."""

    def __call__(self, *, n_classes: int, n_channels: int, side_px: int, state: State | None = None) -> Net:
        """A network for `n_channels` x `side_px` x `side_px` pictures and `n_classes` classes."""
        ...


@dataclass(frozen=True, slots=True)
class NetEntry:
    """One network of the registry. `build` in `registry.py` makes it."""

    name: str
    """In lower case with dashes, as a user types it."""
    title: str
    year: int | None
    """Of the paper; None where it is not known here."""
    paper: str
    """Authors, title, place: enough to find it."""
    n_parameters: int
    """With `n_classes`, `n_channels` and `side_px` as here; everything that learns."""
    stages: tuple[str, ...]
    """Where it can be cut, lowest first."""
    dim: int
    """Features of one picture before the head."""
    make: Maker
    side_px: int = 224
    smallest_side_px: int = 32
    n_channels: int = 3
    n_classes: int = 1000
    mean: tuple[float, ...] = IMAGENET_MEAN
    """Per channel, subtracted from pixels in 0..1."""
    std: tuple[float, ...] = IMAGENET_STD
    hub: str | None = None
    """The timm name under which weights can be had from the hub."""
    licence: str = "no published weights"
    """Of the weights on the hub; those in your folders have their own."""
