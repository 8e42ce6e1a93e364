"""Small pictures made for tests: what they show is known to the last bit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def noise(seed: int, height: int = 12, width: int = 16, channels: int = 3) -> np.ndarray:
    """(H, W, C) uint8 noise; (H, W) for one channel."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return values[..., 0] if channels == 1 else values


def file_of(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def class_folders(root: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """`root`/<name>/0.png, 1.png ...: `counts` pictures for each name (which may hold slashes), all different."""
    for name, count in counts.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            seed += 1
            (folder / f"{i}.png").write_bytes(file_of(noise(seed)))
    return root
