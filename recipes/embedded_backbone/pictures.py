"""The pictures that the backbone is distilled on, as numbered views: the same number always gives the same pixels.

Learned from: tiny-imagenet (its training pictures), caltech101-mini and cats-dogs (their training splits). Held out
as wholes, so that transfer to sets that were not trained on can be measured: clouds, CIFAR-10, MNIST. No test split
is touched. Labels are not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from winnow.data.decode import decode

Pixels = npt.NDArray[np.uint8]

SIDE_PX = 128
SEED = 0
N_TINY, N_HELD = 50_000, 1_000
"""Pictures of tiny-imagenet, and how many of them (the last) are kept to watch the loss on."""
N_ENLARGED, N_MOSAICS, N_CROPS_EACH = 72_000, 12_000, 12
"""Views of single small pictures, of four small ones side by side, and of each photograph."""


class Views:
    """Numbered views (128, 128, 3) of all the pictures.

    Small pictures are blurred when enlarged; mosaics of four show the network sharp edges at their own size, and the
    few photographs are shown more often. A teacher that sees the very same view is right about any of them
    (Beyer et al., Knowledge distillation: A good teacher is patient and consistent, CVPR 2022).
    """

    def __init__(self, data: Path) -> None:
        sprites = sorted((data / "tiny-imagenet").glob("train_*.webp"))
        self._tiny = np.concatenate([_tiles(sprite) for sprite in sprites])
        folders = [data / "caltech101-mini" / "train", data / "cats-dogs" / "train"]
        paths = [path for folder in folders for path in sorted(folder.rglob("*.jpg"))]
        self._photographs: Sequence[Pixels] = [decode(path.read_bytes()).pixels for path in paths]
        self._n_learn = len(self._tiny) - N_HELD

    def __len__(self) -> int:
        """Views to learn from."""
        return N_ENLARGED + N_MOSAICS + N_CROPS_EACH * len(self._photographs)

    def __getitem__(self, number: int) -> Pixels:
        """A view (128, 128, 3)."""
        rng = np.random.default_rng([SEED, number])
        if number < N_ENLARGED:
            return _vary(self._tiny[number % self._n_learn], rng, least_area=0.4)
        if number < N_ENLARGED + N_MOSAICS:
            tiles = [self._tiny[place] for place in rng.integers(0, self._n_learn, 4)]
            rows = [np.concatenate(tiles[:2], axis=1), np.concatenate(tiles[2:], axis=1)]
            return _vary(np.concatenate(rows), rng, least_area=0.6)
        photograph = (number - N_ENLARGED - N_MOSAICS) // N_CROPS_EACH
        return _vary(self._photographs[photograph], rng, least_area=0.3)

    def held(self, number: int) -> Pixels:
        """One of the `N_HELD` pictures that are not learned from, as it is."""
        return _fit(self._tiny[self._n_learn + number], (0, 0, 64, 64))


def _tiles(sprite: Path) -> Pixels:
    """The 500 pictures (500, 64, 64, 3) of one sprite of 20 x 25 tiles."""
    with Image.open(sprite) as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels.reshape(20, 64, 25, 64, 3).swapaxes(1, 2).reshape(500, 64, 64, 3)


def _fit(pixels: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR, box=box))


def _vary(pixels: Pixels, rng: np.random.Generator, *, least_area: float) -> Pixels:
    """A random crop of at least that share of the picture, perhaps mirrored, a little brighter or greyer."""
    height, width = pixels.shape[:2]
    area, stretch = rng.uniform(least_area, 1), np.exp(rng.uniform(-0.25, 0.25))
    across, down = min(1.0, np.sqrt(area * stretch)), min(1.0, np.sqrt(area / stretch))
    left, top = rng.uniform(0, 1 - across) * width, rng.uniform(0, 1 - down) * height
    view = _fit(pixels, (left, top, left + across * width, top + down * height))
    if rng.random() < 0.5:
        view = view[:, ::-1]
    colour = rng.random()
    if colour < 0.06:  # users have grey pictures, too
        view = np.repeat(view.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    elif colour < 0.5:
        gains = rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3)
        view = np.clip(view * gains + rng.uniform(-20, 20), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(view)
