"""Small classification problems: pictures of three colours, imported the way a user's are."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from graph.tiny import tiny_backbone
from winnow.data.blobs import BlobStore
from winnow.data.importing import import_examples
from winnow.data.manifest import Example
from winnow.data.reading import Keep
from winnow.graph.features import FeatureStore, PictureReader
from winnow.metrics.scores import METRICS
from winnow.tasks.classify.problem import ClassifyProblem

COLOURS = {"blue": (90, 100, 150), "green": (90, 140, 100), "red": (150, 100, 90)}
SIDE_PX = 16


def picture_file(colour: tuple[int, int, int], seed: int, side_px: int = SIDE_PX) -> bytes:
    """A PNG of noise around a colour; two colours overlap, so that no method is always right."""
    rng = np.random.default_rng(seed)
    pixels = np.asarray(colour) + rng.normal(0, 25, (1, 1, 3)) + rng.normal(0, 30, (side_px, side_px, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def photo_folder(root: Path, n_each: int = 9) -> Path:
    """Class folders of pictures: `n_each` of every colour and one more for each colour before it."""
    seed = 0
    for extra, (name, colour) in enumerate(COLOURS.items()):
        (root / name).mkdir(parents=True)
        for i in range(n_each + extra):
            seed += 1
            (root / name / f"{i}.png").write_bytes(picture_file(colour, seed))
    return root


class Shop:
    """A dataset that was imported into copies, with a cache and a small backbone: all a problem needs."""

    def __init__(self, folder: Path, n_each: int = 9) -> None:
        self.blobs = BlobStore(folder / "blobs")
        self.examples = import_examples(photo_folder(folder / "photos", n_each), Keep(self.blobs)).manifest.examples()
        self.cache = folder / "cache"
        self.backbone = tiny_backbone(folder / "backbone")

    def problem(self, metric: str = "accuracy", **changes: Any) -> ClassifyProblem:
        """The problem of the imported examples; each call starts afresh, from the same cache."""
        store = FeatureStore(PictureReader(self.blobs.read, self.cache))
        given = {"examples": self.examples, "backbone": self.backbone, **changes}
        return ClassifyProblem(store=store, metric=METRICS[metric], **given)


def made_up_examples(
    labels: Sequence[str],
    *,
    groups: Sequence[str | None] | None = None,
    pixels: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
) -> list[Example]:
    """Examples without pictures, for what needs only labels."""
    blank = Example("", "", None, None, "train", "user", "", 16, 16, "PNG", 100, False)
    return [
        replace(
            blank,
            content=f"c{i}",
            pixels=pixels[i] if pixels else f"p{i}",
            labels=(label,),
            group=groups[i] if groups else None,
            split=splits[i] if splits else "train",
        )
        for i, label in enumerate(labels)
    ]


def made_up_problem(examples: Sequence[Example], metric: str = "accuracy", seed: int = 0) -> ClassifyProblem:
    """A problem over examples that have no pictures."""

    def no_picture(content: str) -> bytes:
        raise AssertionError(f"nobody should read {content}")

    return ClassifyProblem(examples, FeatureStore(PictureReader(no_picture, Path("nowhere"))), METRICS[metric], seed)
