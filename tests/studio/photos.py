"""Small pictures for the studio's tests: noise of 8 x 8 pixels, the one class brighter than the other."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("dark", "bright")


def png(is_bright: bool = True, seed: int = 999) -> bytes:
    """The bytes of one picture."""
    pixels = np.random.default_rng(seed).integers(0, 60, (8, 8), dtype=np.uint8)
    pixels[:4] += 120 * is_bright
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "PNG")
    return stored.getvalue()


def write_photos(folder: Path, n: int = 12, classes: Sequence[str] = CLASSES) -> Path:
    """`n` pictures in class folders; those of every second class are brighter."""
    for place in range(n):
        home = folder / classes[place % len(classes)]
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{place:03}.png").write_bytes(png(place % len(classes) % 2 == 1, place))
    return folder


def write_sick_photos(folder: Path, n: int = 12) -> Path:
    """The same with a copy in its own class, one in the other class, and a file that is no picture."""
    write_photos(folder, n)
    first, second, *_ = sorted((folder / "dark").iterdir())
    shutil.copy(first, folder / "dark" / "copy.png")
    shutil.copy(second, folder / "bright" / "conflict.png")
    (folder / "dark" / "broken.png").write_bytes(b"no picture")
    return folder
