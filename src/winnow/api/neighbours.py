"""Which training pictures a model finds most like a given one: what an answer may have been learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow.api.dataset import Dataset
from winnow.api.evaluation import dataset_of, home_of
from winnow.api.model import Model
from winnow.api.shelves import shelves
from winnow.data.manifest import Example
from winnow.errors import BadDataError, UserError
from winnow.events import Tell, tell_nobody
from winnow.graph.backbone import list_backbones
from winnow.graph.features import FeatureGraph, FeatureStore, PictureReader
from winnow.graph.formats import FormatChoice
from winnow.workspace.workspace import Workspace

Rows = npt.NDArray[np.float32]

MOST_PICTURES = 20_000
"""Among so many training pictures is looked, evenly taken where there are more: memory stays below some 100 MB."""
_CHECKED = 3
_SAME = 1e-2  # what two number formats of one network differ by, relative to the length of the row


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training picture that is near."""

    content: str
    """SHA-256 of its file, hex: where the workspace keeps it."""
    source: str
    labels: tuple[str, ...]
    similarity: float
    """The cosine between the two rows of features, in [-1, 1]; 1 is the same picture."""


class TrainingPictures:
    """The training pictures of a model by what the model sees of them.

    Attributes:
        n_looked_among: training pictures that are compared.
        n: all there are.
    """

    def __init__(self, examples: list[Example], rows: Rows, n: int) -> None:
        self._examples = examples
        # Features of pictures have much in common (all are positive after a ReLU): what tells them apart is the rest.
        self._mean = rows.mean(axis=0)
        self._rows = _unit(rows - self._mean)
        self.n_looked_among = len(examples)
        self.n = n

    @classmethod
    def of(
        cls, model: Model, *, workspace: str | Path | Workspace | None = None, tell: Tell = tell_nobody
    ) -> TrainingPictures:
        """Those of the dataset version that the model was trained on; features are computed once and kept.

        Args:
            model: the model.
            workspace: that holds the dataset; default: as `winnow.evaluate` finds it.
            tell: hears progress.

        Raises:
            UserError: its dataset or its report is gone, or no training picture is left; says which.
        """
        with home_of(model, workspace) as home:
            numbers = model.report.numbers
            data = dataset_of(numbers, home)
            if data is None or home is None:
                raise UserError(
                    f"The training pictures of {model.full_name} are not at hand: version {numbers.dataset.version} of "
                    f"the dataset '{numbers.dataset.name}' is not in "
                    f"{'any workspace here' if home is None else f'the workspace {home.folder}'}."
                )
            examples = _training_examples(data)
            kept = examples[:: -(-len(examples) // MOST_PICTURES)] if examples else []
            if not kept:
                raise BadDataError(f"The dataset '{data.name}' has no labelled training picture that could be near.")
            return cls(kept, _features(model, [example.content for example in kept], home, tell), len(examples))

    def nearest(self, features: Rows, k: int = 6) -> list[Neighbour]:
        """The `k` nearest, nearest first.

        Args:
            features: (D,) of a picture, a row of `Model.features`.
            k: how many; fewer where there are fewer.

        Source: cosine similarity of the features less the training pictures' mean.
        """
        similarities = self._rows @ _unit((features - self._mean)[None])[0]
        nearest = np.argsort(-similarities, kind="stable")[:k].tolist()
        return [
            Neighbour(one.content, one.source, one.labels or (), min(1.0, float(similarities[place])))
            for place, one in ((place, self._examples[place]) for place in nearest)
        ]


def nearest_training_pictures(
    model: Model, picture: Any, *, k: int = 6, workspace: str | Path | Workspace | None = None
) -> list[Neighbour]:
    """The training pictures that the model finds most like one picture, nearest first.

    To ask about many pictures keep `TrainingPictures.of(model)` and call its `nearest`.

    Args:
        model: the model.
        picture: one picture: a path, bytes, a PIL image or an array (H, W, 3).
        k: how many.
        workspace: as in `TrainingPictures.of`.

    Raises:
        UserError: the picture cannot be read, or the training pictures are not at hand.
    """
    rows = model.features(picture)
    if len(rows) != 1:
        raise UserError(f"{len(rows)} pictures were given: neighbours are looked for of one at a time.")
    return TrainingPictures.of(model, workspace=workspace).nearest(rows[0], k)


def _training_examples(data: Dataset) -> list[Example]:
    return [example for example in data.examples("train") if example.labels]


def _features(model: Model, contents: list[str], home: Workspace, tell: Tell) -> Rows:
    """(N, D) for training pictures: those that the climb has computed, if they are the same, else computed now."""
    store = FeatureStore(PictureReader(home.blobs.read, home.cache_folder))
    sample = contents[:_CHECKED]
    own = model.features([home.blobs.read(content) for content in sample])
    for features, choice in _computed_before(model, store, contents, own.shape[1], home):
        if _is_same(store.rows(features, sample, choice), own):
            return store.rows(features, contents, choice, tell)
    piece, spec, number_format = model.features_graph()
    features = FeatureGraph(f"the model {model.name}", piece, spec, own.shape[1], is_backbone=True)
    return store.rows(features, contents, FormatChoice(number_format, {}, {}, "as the model was judged"), tell)


def _computed_before(
    model: Model, store: FeatureStore, contents: list[str], dim: int, home: Workspace
) -> list[tuple[FeatureGraph, FormatChoice]]:
    """Backbones at hand with rows of that length for all these pictures in the cache."""
    _, spec, _ = model.features_graph()
    found: list[tuple[FeatureGraph, FormatChoice]] = []
    for backbone in list_backbones(shelves(home)):
        if (backbone.dim, backbone.input_spec) == (dim, spec):
            features = FeatureGraph(backbone.name, backbone.graph(), spec, dim, is_backbone=True)
            choice = store.format_of(features, contents)
            if not store.missing(features, contents, choice):
                found.append((features, choice))
    return found


def _is_same(rows: Rows, others: Rows) -> bool:
    return bool(np.linalg.norm(rows - others) <= _SAME * np.linalg.norm(others))


def _unit(rows: Rows) -> Rows:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
