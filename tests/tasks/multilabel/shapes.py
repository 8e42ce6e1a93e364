"""Small multi-label problems: pictures on which a red square, a blue disc and a green cross each are or are not."""

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
from winnow.data.splitting import SplitPlan
from winnow.graph.features import FeatureStore, PictureReader
from winnow.metrics.multilabel_scores import MULTILABEL_METRICS
from winnow.tasks.multilabel.problem import MultilabelProblem

SHAPES = {"blue disc": (40, 60, 200), "green cross": (50, 180, 60), "red square": (200, 50, 40)}
SIDE_PX = 16


def picture(shapes: Sequence[str], seed: int) -> bytes:
    """A PNG of grey noise with these shapes, each in a corner of its own but not quite where it was last."""
    rng = np.random.default_rng(seed)
    pixels = 110 + rng.normal(0, 12, (SIDE_PX, SIDE_PX, 3))
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    for place, (name, colour) in enumerate(SHAPES.items()):
        if name not in shapes:
            continue
        row, column = np.array([4 + 8 * (place // 2), 4 + 8 * (place % 2)]) + rng.integers(-1, 2, 2)
        dy, dx = np.abs(y - row), np.abs(x - column)
        inside = {
            "blue disc": dy**2 + dx**2 <= 9,
            "green cross": (np.minimum(dy, dx) <= 1) & (np.maximum(dy, dx) <= 3),
            "red square": np.maximum(dy, dx) <= 2,
        }[name]
        pixels[inside] = np.asarray(colour) + rng.normal(0, 25, (int(inside.sum()), 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def shown_on(n: int, seed: int = 0) -> list[tuple[str, ...]]:
    """For n pictures which shapes are on them; one in eight shows none."""
    is_on = np.random.default_rng(seed).random((n, len(SHAPES))) < 0.5
    return [tuple(name for name, there in zip(SHAPES, row, strict=True) if there) for row in is_on]


class Shop:
    """An imported dataset of shapes, with a cache and a small backbone: all a problem needs."""

    def __init__(self, folder: Path, n: int = 40) -> None:
        self.blobs = BlobStore(folder / "blobs")
        labels = shown_on(n)
        files = [picture(shapes, seed) for seed, shapes in enumerate(labels)]
        pair = (files, ["some", "other"] * (n // 2))
        imported = import_examples(pair, Keep(self.blobs), plan=SplitPlan(test_share=0)).manifest.examples()
        self.examples = [replace(e, labels=labels[int(e.source[2:-1])]) for e in imported]
        self.cache = folder / "cache"
        self.backbone = tiny_backbone(folder / "backbone")

    def problem(self, metric: str = "macro_average_precision", **changes: Any) -> MultilabelProblem:
        """The problem of the imported examples; each call starts afresh, from the same cache."""
        store = FeatureStore(PictureReader(self.blobs.read, self.cache))
        given = {"examples": self.examples, "backbone": self.backbone, **changes}
        return MultilabelProblem(store=store, metric=MULTILABEL_METRICS[metric], **given)


def made_up_examples(labels: Sequence[Sequence[str]], **columns: Sequence[Any]) -> list[Example]:
    """Examples without pictures, for what needs only labels; `columns` are other fields of `Example`, one each."""
    blank = Example("", "", None, None, "train", "user", "", 16, 16, "PNG", 100, False)
    return [
        replace(
            blank,
            **{"content": f"c{i}", "pixels": f"p{i}", "labels": tuple(names)}
            | {name: column[i] for name, column in columns.items()},
        )
        for i, names in enumerate(labels)
    ]


def made_up_problem(
    examples: Sequence[Example], metric: str = "macro_average_precision", seed: int = 0
) -> MultilabelProblem:
    """A problem over examples that have no pictures."""

    def no_picture(content: str) -> bytes:
        raise AssertionError(f"nobody should read {content}")

    store = FeatureStore(PictureReader(no_picture, Path("nowhere")))
    return MultilabelProblem(examples, store, MULTILABEL_METRICS[metric], seed)
