"""Classification bound to the examples of one dataset version: what a rung works on and is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from winnow.data.inputs import InputSpec
from winnow.data.manifest import Example
from winnow.data.splits import clusters as find_clusters
from winnow.data.splits import folds as make_folds
from winnow.data.splits import holdout as make_holdout
from winnow.errors import BadDataError
from winnow.events import Tell, tell_nobody
from winnow.graph.backbone import Backbone
from winnow.graph.features import FeatureGraph, FeatureStore, Rows
from winnow.graph.formats import FormatChoice
from winnow.graph.join import cut
from winnow.graph.runtime import NumberFormat, open_small_graph, run_in_chunks
from winnow.metrics.resamples import Resamples, make_resamples
from winnow.metrics.scores import Metric, interval, replicates
from winnow.tasks.features.handmade import handmade_features
from winnow.tasks.features.hog import hog_features
from winnow.tasks.features.pixels import pixel_features
from winnow.tasks.rung import Candidate, Judged

Labels = npt.NDArray[np.int64]

FOLDS = 5
MOST_OUT_OF_FOLD = 6000
"""Up to here every example is judged out of fold; beyond, a validation split of thousands is sure enough and five
times cheaper."""
VALIDATION_SHARE = 0.2
MOST_VALIDATION = 10_000
_MOST_OWN_PX = 32
_PHOTO_PX = 16
"""Photographs as raw pixels: colours and layout are all that methods on pixels can use, and 16 px hold those."""
_LEAST_HOG_PX = 16
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Part:
    """One round of judging: learn from `train`, answer for `judged` (positions among the examples)."""

    train: npt.NDArray[np.int64]
    judged: npt.NDArray[np.int64]


@dataclass
class ClassifyProblem:
    """Labelled training examples, how they judge, and the features that rungs may look at.

    Args:
        examples: all that may be learned from or judged on: training and validation examples, no test example.
        store: computes and keeps features.
        metric: what the climb optimises.
        seed: decides folds, resamples and every rung's randomness.
        backbone: where the features rungs get theirs; None: they are skipped.

    Raises:
        BadDataError: fewer than two classes have two pictures: nothing could be judged.
    """

    examples: Sequence[Example]
    store: FeatureStore
    metric: Metric
    seed: int = 0
    backbone: Backbone | None = None
    parts: list[Part] = field(init=False)
    judged_by: str = field(init=False)
    _rows: dict[str, Rows] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        counts = np.bincount(self.labels)
        if (counts >= 2).sum() < 2:
            raise BadDataError(
                "A model can be judged only if at least two classes have two pictures or more to learn from; "
                f"here {int((counts >= 2).sum())} of {len(counts)} has. Add pictures, then train again."
            )
        clusters = find_clusters([e.pixels for e in self.examples], [e.group for e in self.examples])
        self.parts, self.judged_by = _plan_judging(self.examples, self.labels, clusters, self.seed)
        self.judged = np.sort(np.concatenate([part.judged for part in self.parts]))
        self.resamples: Resamples = make_resamples(clusters[self.judged], draws=DRAWS, seed=self.seed)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names in alphabetical order; a class id is a place in here."""
        return tuple(sorted({str(example.label) for example in self.examples}))

    @cached_property
    def labels(self) -> Labels:
        """(N,) class ids."""
        ids = {name: place for place, name in enumerate(self.classes)}
        return np.array([ids[str(example.label)] for example in self.examples], dtype=np.int64)

    @cached_property
    def contents(self) -> list[str]:
        """(N,) content hashes."""
        return [example.content for example in self.examples]

    @property
    def n_judged(self) -> int:
        """Examples that every candidate is judged on."""
        return len(self.judged)

    @property
    def n_independent(self) -> int:
        """Clusters among the judged examples."""
        return self.resamples.n_clusters

    @property
    def baseline(self) -> str:
        """Always the commonest class."""
        return "commonest-class"

    @property
    def is_balanced(self) -> bool:
        """Whether rungs should weigh classes equally, because the optimised metric does."""
        return self.metric.name in ("balanced_accuracy", "macro_f1")

    @property
    def is_out_of_fold(self) -> bool:
        """Whether every example is judged by a model that did not learn from it (else: a validation split)."""
        return len(self.parts) > 1

    def judge(self, predictions: npt.NDArray[np.float32]) -> Judged | None:
        """The optimised metric of probabilities (n_judged, C); None where it is undefined for these labels."""
        labels = self.labels[self.judged]
        score = interval(self.metric, predictions, labels, self.resamples)
        if score is None:
            return None
        sign = 1.0 if self.metric.higher_is_better else -1.0
        return Judged(score, sign * score.value, sign * replicates(self.metric, predictions, labels, self.resamples))

    @cached_property
    def _own_px(self) -> int | None:
        """The pictures' own side, if all are squares of one small size."""
        sizes = {(example.width, example.height) for example in self.examples}
        width, height = next(iter(sizes))
        return width if len(sizes) == 1 and width == height and width <= _MOST_OWN_PX else None

    @cached_property
    def _is_grey(self) -> bool:
        return all(example.is_grey for example in self.examples)

    @cached_property
    def _hog_px(self) -> tuple[int, int] | None:
        """The side of the picture and of a cell for HOG; None where the pictures are too small for it."""
        side = float(np.median([max(example.width, example.height) for example in self.examples]))
        if side < _LEAST_HOG_PX:
            return None
        return (32, 4) if side <= 48 else (64, 8)

    @cached_property
    def pixels(self) -> FeatureGraph:
        """Raw pixels: at the pictures' own size if they are all of one small size, else at 16 px."""
        return pixel_features(self._own_px or _PHOTO_PX, is_grey=self._is_grey)

    @cached_property
    def hog(self) -> FeatureGraph | None:
        """Histograms of oriented gradients; None where the pictures are too small to have any."""
        return None if self._hog_px is None else hog_features(*self._hog_px)

    @cached_property
    def handmade(self) -> FeatureGraph:
        """Pixels and, where there are any, histograms of oriented gradients in coarse cells."""
        if self._hog_px is None:
            return self.pixels
        pixels_px = self._own_px or _PHOTO_PX
        side_px, cell_px = self._hog_px
        return handmade_features(side_px, 2 * cell_px, pixels_px, is_grey=self._is_grey)

    @cached_property
    def backbone_features(self) -> FeatureGraph | None:
        """The backbone's features; None where no backbone is at hand."""
        if self.backbone is None:
            return None
        backbone = self.backbone
        name = f"{backbone.name} ({backbone.input_spec.side_px} px)"  # never the name of hand-made features
        return FeatureGraph(name, backbone.graph(), backbone.input_spec, backbone.dim, is_backbone=True)

    @cached_property
    def backbone_format(self) -> FormatChoice | None:
        """The number format the backbone runs in here."""
        features = self.backbone_features
        return None if features is None else self.store.format_of(features, self.contents)

    def format_of(self, features: FeatureGraph) -> FormatChoice:
        """The number format these features are computed in."""
        if features.is_backbone and self.backbone_format is not None:
            return self.backbone_format
        return self.store.format_of(features, self.contents)

    def features_missing(self, features: FeatureGraph) -> int:
        """How many examples have no such features yet, in memory or in the cache."""
        if features.name in self._rows:
            return 0
        return self.store.missing(features, self.contents, self.format_of(features))

    @cached_property
    def halves(self) -> npt.NDArray[np.int64]:
        """(n_judged,) two halves of the judged examples, by class and whole clusters: each calibrates the other."""
        return make_folds(self.labels[self.judged], self.resamples.clusters, 2, self.seed)

    def rows(self, features: FeatureGraph, tell: Tell = tell_nobody) -> Rows:
        """The features (N, D) of all examples; what `tell` raises ends the work, and what was computed is kept."""
        if features.name not in self._rows:
            self._rows[features.name] = self.store.rows(features, self.contents, self.format_of(features), tell)
        return self._rows[features.name]

    def graph_of(self, features: FeatureGraph) -> bytes:
        """The features graph as it runs here: an int8 backbone is another graph than the fp32 one it was made from."""
        return self.store.graph_of(features, self.format_of(features))

    def _features_of(self, candidate: Candidate) -> FeatureGraph:
        known = (self.pixels, self.hog, self.handmade, self.backbone_features)
        return next(f for f in known if f is not None and f.name == candidate.settings["features"])

    def input_spec_of(self, candidate: Candidate) -> InputSpec:
        """What the candidate's graph wants to see."""
        return self._features_of(candidate).input_spec

    def number_format_of(self, candidate: Candidate) -> NumberFormat:
        """What the candidate's features are computed in."""
        return self.format_of(self._features_of(candidate)).number_format

    def probabilities(
        self, candidate: Candidate, contents: Sequence[str], tell: Tell = tell_nobody
    ) -> npt.NDArray[np.float32]:
        """Probabilities (N, C) of any pictures by content hash: the candidate's graph, its features from the cache."""
        features = self._features_of(candidate)
        _, head = cut(candidate.graph)
        rows = self.store.rows(features, contents, self.format_of(features), tell)
        return run_in_chunks(open_small_graph(head), rows)


def _plan_judging(
    examples: Sequence[Example], labels: Labels, clusters: npt.NDArray[np.int64], seed: int
) -> tuple[list[Part], str]:
    """How candidates are judged: the user's validation split, else out of fold, else a split of our own."""
    everyone = np.arange(len(labels))
    given = np.array([example.split == "validation" for example in examples])
    if given.any() and not given.all():
        if len(np.unique(clusters[given])) < 2:
            raise BadDataError(
                "Your validation split holds a single picture, or a single group: nothing can be judged by it. Put "
                "more pictures into it, or import without one; then methods are judged by cross-validation."
            )
        return [Part(everyone[~given], everyone[given])], "your validation split"
    counts = np.bincount(labels)
    if len(labels) > MOST_OUT_OF_FOLD:
        share = min(VALIDATION_SHARE, MOST_VALIDATION / len(labels))
        held_out = make_holdout(labels, clusters, share, seed)
        return [Part(everyone[~held_out], everyone[held_out])], "a validation split"
    # A class's only picture is never judged: nobody could have learned its class.
    is_judged = counts[labels] >= 2
    places = everyone[is_judged]
    n_clusters = len(np.unique(clusters[places]))
    if n_clusters < 2:
        raise BadDataError(
            "All pictures are copies of one picture or belong to one group, so none could judge what is learned "
            "from the others. Add pictures that are independent of these."
        )
    # Few patients or videos, however many pictures of each, make few folds.
    k = int(np.clip(counts[counts >= 2].min(), 2, min(FOLDS, n_clusters)))
    fold_of = make_folds(labels[places], clusters[places], k, seed)
    parts: list[Part] = []
    for fold in range(k):
        judged = places[fold_of == fold]
        if len(judged):
            # Nor is a class's only picture learned from while another of its group is judged.
            is_theirs = np.isin(clusters, clusters[judged])
            parts.append(Part(everyone[~is_theirs], judged))
    return parts, f"{k}-fold out-of-fold predictions"
