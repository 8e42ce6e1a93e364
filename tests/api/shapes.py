"""Pictures with any number of classes: noise with a bright square, a bright bar, both or neither, and their labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

CLASSES = ("bar", "square")
MULTILABEL_RUNGS = ["base-rates", "pixels-logistic-regression"]


def shapes(n: int = 80, seed: int = 0) -> tuple[npt.NDArray[np.uint8], list[tuple[str, ...]]]:
    """(n, 8, 8) grey pictures and what each shows."""
    rng = np.random.default_rng(seed)
    has_bar, has_square = rng.random((2, n)) < 0.5
    pictures = rng.integers(0, 60, (n, 8, 8), dtype=np.uint8)
    pictures[has_square, 1:4, 1:4] += 120
    pictures[has_bar, 6] += 120
    labels = [("bar",) * int(bar) + ("square",) * int(square) for bar, square in zip(has_bar, has_square, strict=True)]
    return pictures, labels


def write_shapes(folder: Path, n: int = 80, seed: int = 0) -> Path:
    """A folder of PNGs with a table of 0 and 1: `labels.csv` with a column a class."""
    folder.mkdir(parents=True)
    rows: list[list[object]] = []
    for place, (picture, shown) in enumerate(zip(*shapes(n, seed), strict=True)):
        Image.fromarray(picture).save(folder / f"{place:03}.png")
        rows.append([f"{place:03}.png", *(int(name in shown) for name in CLASSES)])
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["path", *CLASSES], *rows])
    return folder / "labels.csv"
