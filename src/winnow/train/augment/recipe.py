"""Which changes, how strong, and what is drawn for each picture of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from winnow.seeds import seed_for
from winnow.train.augment.colour import Normalisation, cut_out
from winnow.train.augment.geometry import crop_and_resize, flip_and_shift, resize
from winnow.train.augment.mixing import Mix, draw_mix
from winnow.train.order import Chosen

Flip = Literal["none", "random", "alternating"]
_CROP_TRIES = 10


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Which changes pictures go through on their way to the network; the default changes nothing.

    In this order: flip; shift or crop; colours; normalisation; cutout; mixture. Everything is drawn from the seed and
    the step, for the whole effective batch: neither micro-batches nor processes change what is drawn.
    """

    flip: Flip = "none"
    """Left to right: by chance, or alternating: by chance in the first epoch and then the other side in every other
    one, so that two epochs show both sides (Jordan, 94 % on CIFAR-10 in 3.29 Seconds on a Single GPU, 2024)."""
    shift_px: int = 0
    """Up to so many pixels of the stored picture in each direction; what comes in is the picture reflected."""
    crop_area: tuple[float, float] | None = None
    """Random-resized crop: a box with this share of the area, resized (Szegedy et al., Going Deeper, 2015)."""
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """Width to height of that box."""
    brightness: float = 0.0
    """The factor is drawn from 1 - b to 1 + b; so are those of contrast and saturation."""
    contrast: float = 0.0
    saturation: float = 0.0
    cutout_px: int = 0
    """Side of the hole, in pixels of the stored picture; smaller in proportion where the picture is made smaller."""
    mixup_alpha: float = 0.0
    """Beta(alpha, alpha) says how much of either picture; 0.2 is mild. Targets become soft, (N, C)."""
    cutmix_alpha: float = 0.0
    """The same for CutMix; 1 is usual."""

    def __post_init__(self) -> None:
        if self.shift_px and self.crop_area:
            raise ValueError("shift_px and crop_area both say where the picture is: give one")
        if self.crop_area and not 0 < self.crop_area[0] <= self.crop_area[1] <= 1:
            raise ValueError(f"crop_area {self.crop_area} is no range within (0, 1]")
        least = min(self.shift_px, self.brightness, self.contrast, self.saturation, self.cutout_px)
        if min(least, self.mixup_alpha, self.cutmix_alpha) < 0 or max(self.brightness, self.contrast) > 1:
            raise ValueError("a strength is below 0, or brightness or contrast above 1")

    @property
    def is_mixing(self) -> bool:
        """Whether pictures are mixed, so that targets become soft."""
        return self.mixup_alpha > 0 or self.cutmix_alpha > 0


def small_pictures(side_px: int, *, flip: bool) -> Augmentation:
    """For pictures up to some 64 px and few epochs: alternating flip, and shifts by a sixteenth of the side.

    At 32 px these are Jordan's 2 px. `flip=False` for what reads from left to right: digits, letters, signs.
    """
    side = "alternating" if flip else "none"
    return Augmentation(flip=side, shift_px=max(1, side_px // 16))


def photographs(*, flip: bool) -> Augmentation:
    """For photographs in larger numbers of pixels: crops of 35 to 100 % of the area, flips and slight colours.

    The usual least area of 8 % suits a million pictures and hundreds of epochs; here each look must show more.
    """
    side = "random" if flip else "none"
    return Augmentation(flip=side, crop_area=(0.35, 1.0), brightness=0.2, contrast=0.2, saturation=0.2)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn for the n pictures of a step; None: that change is not made. Shapes as their users say."""

    flips: NDArray[np.bool_] | None
    shifts: NDArray[np.int64] | None
    boxes: NDArray[np.int64] | None
    factors: NDArray[np.float32] | None
    holes: NDArray[np.int64] | None
    mix: Mix | None


def draw(augmentation: Augmentation, chosen: Chosen, stored_px: int, side_px: int, seed: int, step: int) -> Drawn:
    """What happens to each picture of a step; a pure function of its arguments.

    Args:
        chosen: which examples, in which epoch.
        stored_px: side of the stored pictures.
        side_px: side that the network is given.
    """
    a, n = augmentation, len(chosen.indices)
    chance = np.random.default_rng(seed_for(seed, "augment", str(step)))
    flips = shifts = boxes = factors = holes = None
    if a.flip == "random":
        flips = chance.random(n) < 0.5
    elif a.flip == "alternating":
        flips = (_coins(chosen.indices, seed) + chosen.epochs) % 2 == 1
    if a.shift_px:
        shifts = chance.integers(-a.shift_px, a.shift_px + 1, (n, 2))
    if a.crop_area is not None:
        boxes = _draw_boxes(n, stored_px, a.crop_area, a.crop_ratio, chance)
    if a.brightness or a.contrast or a.saturation:
        spread = np.array([a.brightness, a.contrast, a.saturation])
        factors = (1 + spread * chance.uniform(-1, 1, (n, 3))).clip(0).astype(np.float32)
    if a.cutout_px:
        holes = chance.integers(0, side_px, (n, 2))
    return Drawn(flips, shifts, boxes, factors, holes, draw_mix(n, side_px, a.mixup_alpha, a.cutmix_alpha, chance))


def change(
    augmentation: Augmentation,
    pixels: Tensor,
    drawn: Drawn,
    rows: NDArray[np.int64],
    side_px: int,
    normalisation: Normalisation,
) -> Tensor:
    """(N, S, S, 3) uint8 pictures as the network's (N, C, side, side) float32, not yet mixed.

    Args:
        drawn: for the whole batch.
        rows: (N,) which pictures of the batch these are.
    """

    def mine(values: NDArray[Any] | None) -> Tensor | None:
        return None if values is None else torch.from_numpy(values[rows]).to(pixels.device)

    flips, boxes, factors, holes = mine(drawn.flips), mine(drawn.boxes), mine(drawn.factors), mine(drawn.holes)
    if boxes is None:
        x = resize(flip_and_shift(pixels, flips, mine(drawn.shifts)), side_px)
    else:
        x = crop_and_resize(pixels, boxes, side_px, flips)
    x = normalisation.of(x, factors)
    if holes is not None:
        cut_out(x, holes, max(1, round(augmentation.cutout_px * side_px / pixels.shape[1])))
    return x


def _coins(indices: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """(N,) 0 or 1 for each example, the same at every step.

    Source: Steele, Lea and Flood 2014, SplitMix64's finaliser: neighbours become independent bits.
    """
    z = indices.astype(np.uint64) + np.uint64(seed_for(seed, "flip") * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) & np.uint64(1)).astype(np.int64)


def _draw_boxes(
    n: int, size: int, area: tuple[float, float], ratio: tuple[float, float], chance: np.random.Generator
) -> NDArray[np.int64]:
    """(n, 4) top, left, height, width of boxes in a square of `size`; the whole square where no try fitted.

    Area uniform, ratio uniform by its logarithm: the same distribution as torchvision's RandomResizedCrop.
    """
    pixels = chance.uniform(area[0], area[1], (n, _CROP_TRIES)) * size**2
    ratios = np.exp(chance.uniform(np.log(ratio[0]), np.log(ratio[1]), (n, _CROP_TRIES)))
    height = np.rint(np.sqrt(pixels / ratios)).astype(np.int64)
    width = np.rint(np.sqrt(pixels * ratios)).astype(np.int64)
    fits = (height >= 1) & (height <= size) & (width >= 1) & (width <= size)
    first = fits.argmax(1)
    some, each = fits.any(1), np.arange(n)
    height, width = np.where(some, height[each, first], size), np.where(some, width[each, first], size)
    top, left = chance.integers(0, size - height + 1), chance.integers(0, size - width + 1)
    return np.stack([top, left, height, width], 1)
