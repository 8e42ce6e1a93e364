"""What every task on pictures shares: the features that rungs may look at, and how a candidate runs on any picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx

from winnow.data.cache import MappedRows
from winnow.data.inputs import InputSpec
from winnow.data.manifest import Example
from winnow.data.near_duplicates import near_duplicate_pairs
from winnow.data.splits import clusters as find_clusters
from winnow.events import Tell, tell_nobody
from winnow.graph.backbone import Backbone
from winnow.graph.features import FeatureGraph, FeatureStore, Rows
from winnow.graph.formats import FormatChoice
from winnow.graph.join import cut, notes_of
from winnow.graph.runtime import NumberFormat, open_small_graph, run_in_chunks
from winnow.metrics.metric import Metric
from winnow.metrics.resamples import Resamples
from winnow.tasks.features.handmade import handmade_features
from winnow.tasks.features.hog import hog_features
from winnow.tasks.features.pixels import pixel_features
from winnow.tasks.graph_notes import INPUT
from winnow.tasks.judging import Judging, Part
from winnow.tasks.rung import Candidate

_MOST_OWN_PX = 32
_PHOTO_PX = 16
"""Photographs as raw pixels: colours and layout are all that methods on pixels can use, and 16 px hold those."""
_LEAST_HOG_PX = 16


@dataclass
class PictureProblem:
    """Labelled pictures, the features at hand, and who judges whom; a task adds what its labels mean.

    Args:
        examples: all that may be learned from or judged on: training and validation examples, no test example.
        store: computes and keeps features.
        metric: what the climb optimises.
        seed: decides folds, resamples and every rung's randomness.
        backbone: where the features rungs get theirs; None: they are skipped.
    """

    examples: Sequence[Example]
    store: FeatureStore
    metric: Metric[Any]
    seed: int = 0
    backbone: Backbone | None = None
    judging: Judging = field(init=False)
    """Set by the task, which knows its labels."""
    _rows: dict[str, Rows] = field(init=False, default_factory=dict)
    _brought: dict[bytes, FeatureGraph] = field(init=False, default_factory=dict)
    """Features that a candidate brings with it, by the candidate's graph."""

    @cached_property
    def contents(self) -> list[str]:
        """(N,) content hashes."""
        return [example.content for example in self.examples]

    @cached_property
    def clusters(self) -> npt.NDArray[np.int64]:
        """(N,) which examples show one picture, or nearly, or belong to one group."""
        pixels, groups = [e.pixels for e in self.examples], [e.group for e in self.examples]
        equal = find_clusters(pixels, groups)
        alike = find_clusters(pixels, groups, near_duplicate_pairs([e.phash for e in self.examples]).pairs)
        # Where most pictures look like another (drawings, stripes, one scene), to look alike is no sign of a copy.
        return alike if 2 * len(np.unique(alike)) >= len(np.unique(equal)) else equal

    @cached_property
    def weights(self) -> npt.NDArray[np.float64] | None:
        """(N,) how much each example counts in learning, and in nothing else; None where all count the same."""
        weights = np.array([example.weight for example in self.examples])
        return None if (weights == 1).all() else weights

    @property
    def parts(self) -> list[Part]:
        """The rounds of judging."""
        return self.judging.parts

    @property
    def judged(self) -> npt.NDArray[np.int64]:
        """(n_judged,) positions of the examples that every candidate is judged on, in order."""
        return self.judging.judged

    @property
    def judged_by(self) -> str:
        """How, in words."""
        return self.judging.by

    @property
    def resamples(self) -> Resamples:
        """Bootstrap draws of the judged examples."""
        return self.judging.resamples

    @property
    def halves(self) -> npt.NDArray[np.int64]:
        """(n_judged,) two halves of the judged examples: each calibrates the other."""
        return self.judging.halves

    @property
    def n_judged(self) -> int:
        """Examples that every candidate is judged on."""
        return len(self.judged)

    @property
    def n_independent(self) -> int:
        """Clusters among the judged examples."""
        return self.resamples.n_clusters

    @property
    def is_out_of_fold(self) -> bool:
        """Whether every example is judged by a model that did not learn from it (else: a validation split)."""
        return self.judging.is_out_of_fold

    @cached_property
    def _own_px(self) -> int | None:
        """The pictures' own side, if all are squares of one small size."""
        sizes = {(example.width, example.height) for example in self.examples}
        width, height = next(iter(sizes))
        return width if len(sizes) == 1 and width == height and width <= _MOST_OWN_PX else None

    @cached_property
    def is_grey(self) -> bool:
        """Whether no picture has colours."""
        return all(example.is_grey for example in self.examples)

    @cached_property
    def median_px(self) -> float:
        """The median of the pictures' longer sides."""
        return float(np.median([max(example.width, example.height) for example in self.examples]))

    @cached_property
    def _hog_px(self) -> tuple[int, int] | None:
        """The side of the picture and of a cell for HOG; None where the pictures are too small for it."""
        if self.median_px < _LEAST_HOG_PX:
            return None
        return (32, 4) if self.median_px <= 48 else (64, 8)

    @cached_property
    def pixels(self) -> FeatureGraph:
        """Raw pixels: at the pictures' own size if they are all of one small size, else at 16 px."""
        return pixel_features(self._own_px or _PHOTO_PX, is_grey=self.is_grey)

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
        return handmade_features(side_px, 2 * cell_px, pixels_px, is_grey=self.is_grey)

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

    def rows(self, features: FeatureGraph, tell: Tell = tell_nobody) -> Rows:
        """The features (N, D) of all examples; what `tell` raises ends the work, and what was computed is kept."""
        if features.name not in self._rows:
            self._rows[features.name] = self.store.rows(features, self.contents, self.format_of(features), tell)
        return self._rows[features.name]

    def graph_of(self, features: FeatureGraph) -> bytes:
        """The features graph as it runs here: an int8 backbone is another graph than the fp32 one it was made from."""
        return self.store.graph_of(features, self.format_of(features))

    def mapped(self, spec: InputSpec, tell: Tell = tell_nobody) -> MappedRows:
        """All examples' pictures (side, side, 3) in one memory-mapped file: what a network learns from."""
        return self.store.reader.mapped(self.contents, spec, tell)

    def _features_of(self, candidate: Candidate) -> FeatureGraph:
        known = (self.pixels, self.hog, self.handmade, self.backbone_features)
        named = str(candidate.settings["features"])
        shared = next((f for f in known if f is not None and f.name == named), None)
        return shared or self._brought_by(candidate, named)

    def brings_features(self, candidate: Candidate) -> bool:
        """Whether a candidate has features of its own: those of a network that learned here."""
        return self._features_of(candidate) is self._brought.get(candidate.graph)

    def _brought_by(self, candidate: Candidate, name: str) -> FeatureGraph:
        """The features of a network that learned here: no other rung has them, so the candidate's graph holds them."""
        if candidate.graph not in self._brought:
            features, _ = cut(candidate.graph)
            spec = InputSpec.from_key(notes_of(candidate.graph)[INPUT])
            dim = onnx.load_from_string(features).graph.output[0].type.tensor_type.shape.dim[1].dim_value
            self._brought[candidate.graph] = FeatureGraph(name, features, spec, dim, is_backbone=True)
        return self._brought[candidate.graph]

    def _format_of(self, candidate: Candidate) -> FormatChoice:
        features = self._features_of(candidate)
        if features is not self._brought.get(candidate.graph):
            return self.format_of(features)
        # Its graph is as it runs: where int8 was chosen, quantised already.
        number_format = cast("NumberFormat", candidate.settings["number_format"])
        return FormatChoice(number_format, {}, {}, "chosen when the network had learned")

    def input_spec_of(self, candidate: Candidate) -> InputSpec:
        """What the candidate's graph wants to see."""
        return self._features_of(candidate).input_spec

    def number_format_of(self, candidate: Candidate) -> NumberFormat:
        """What the candidate's features are computed in."""
        return self._format_of(candidate).number_format

    def probabilities(
        self, candidate: Candidate, contents: Sequence[str], tell: Tell = tell_nobody
    ) -> npt.NDArray[np.float32]:
        """Probabilities (N, C) of any pictures by content hash: the candidate's graph, its features from the cache."""
        features = self._features_of(candidate)
        _, head = cut(candidate.graph)
        rows = self.store.rows(features, contents, self._format_of(candidate), tell)
        return run_in_chunks(open_small_graph(head), rows)
