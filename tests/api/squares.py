"""Pictures that are quick to learn: noise of 8 x 8 pixels, with or without a bright square in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

CLASSES = ("plain", "square")
RUNGS = ["commonest-class", "pixels-nearest-neighbour"]


def squares(n: int = 60, seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """(n, 8, 8) grey pictures and their (n,) class ids; every other one has a square."""
    rng = np.random.default_rng(seed)
    ids = np.arange(n) % 2
    pictures = rng.integers(0, 60, (n, 8, 8), dtype=np.uint8)
    pictures[ids == 1, 2:5, 2:5] += 120
    return pictures, ids


def write_squares(folder: Path, n: int = 60, seed: int = 0) -> Path:
    """The same as a folder of class folders of PNGs."""
    for place, (picture, one) in enumerate(zip(*squares(n, seed), strict=True)):
        home = folder / CLASSES[one]
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(home / f"{place:03}.png")
    return folder
