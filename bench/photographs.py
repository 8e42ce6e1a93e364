"""Photographs of about 105 KiB: pictures of `cats-dogs`, tiled two by two, as JPEG of full quality (100)."""

from __future__ import annotations

import random
from pathlib import Path

from harness import need_data
from PIL import Image

TILE_PX = 152


def make_photographs(folder: Path, n: int) -> list[Path]:
    """So many, the same each time."""
    sources = sorted((need_data() / "cats-dogs" / "train").rglob("*.jpg"))
    rng = random.Random(0)
    made: list[Path] = []
    for number in range(n):
        tiles = [Image.open(rng.choice(sources)).convert("RGB").resize((TILE_PX, TILE_PX)) for _ in range(4)]
        photograph = Image.new("RGB", (2 * TILE_PX, 2 * TILE_PX))
        for place, tile in enumerate(tiles):
            photograph.paste(tile, (TILE_PX * (place % 2), TILE_PX * (place // 2)))
        path = folder / f"{number:04d}.jpg"
        photograph.save(path, quality=100, subsampling=0)
        made.append(path)
    return made
