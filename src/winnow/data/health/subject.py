"""What is checked: the examples of one version, and the numbers that were computed of them beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from winnow.data.health.look import Looks
from winnow.data.manifest import Example
from winnow.data.sources.source import Refused


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures that look nearly the same, by their places among the examples.

    Attributes:
        similarity: in [0, 1]; 1 is the same.
        by: whether perceptual hashes or a network's features say so.
        is_mirrored: whether one is like the other's mirror image.
    """

    first: int
    second: int
    similarity: float
    by: Literal["hash", "features"] = "hash"
    is_mirrored: bool = False


@dataclass(frozen=True)
class Predictions:
    """What a model said of pictures that it had not learned from (out-of-fold).

    Attributes:
        places: (M,) places among the examples.
        probs: (M, C) probabilities; each row sums to 1 where a picture has one class, each lies in [0, 1] where it may
            have several.
        classes: C names.
        features: what the model looked at, in words.
    """

    places: NDArray[np.int64]
    probs: NDArray[np.float64]
    classes: tuple[str, ...]
    features: str


@dataclass(frozen=True)
class Shortcut:
    """How well one thing that should not matter tells a class from the others.

    Attributes:
        nuisance: what it is, as a subject: "brightness", "the file type".
        label: the class; of two classes the first.
        balanced_accuracy: mean of the shares that are right of this class and of the others, out of fold: (value, low,
            high), corrected for all that was looked at. 0.5 is guessing.
        strong_from: where `low` must lie to be worth telling.
        places: examples of the class, the most telling first.
        probs: out-of-fold probability of the class for each of them.
    """

    nuisance: str
    label: str
    balanced_accuracy: tuple[float, float, float]
    strong_from: float
    places: tuple[int, ...] = ()
    probs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Subject:
    """The examples of a version and what is known of them.

    Attributes:
        examples: N, of all splits.
        looks: (N, ...) how they look.
        refused: what the import left out.
        pairs: near-duplicates with different pixels.
        predictions: out-of-fold; None where no model could say anything worth hearing.
        shortcuts: every nuisance and class that was looked at.
    """

    examples: Sequence[Example]
    looks: Looks
    refused: Sequence[Refused] = ()
    pairs: Sequence[Pair] = ()
    predictions: Predictions | None = None
    shortcuts: Sequence[Shortcut] = ()

    @cached_property
    def counts(self) -> Counter[str]:
        """Labelled pictures by class."""
        return Counter(label for example in self.examples for label in example.labels or ())

    @cached_property
    def by_pixels(self) -> list[list[int]]:
        """Places of examples with the same pixels, where there are two or more; in order."""
        return groups_of((place, example.pixels) for place, example in enumerate(self.examples))


def groups_of(keyed: Iterable[tuple[int, object]]) -> list[list[int]]:
    """Places that share a key, where two or more do; by first appearance."""
    groups: dict[object, list[int]] = {}
    for place, key in keyed:
        groups.setdefault(key, []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def chains(pairs: Iterable[Pair]) -> list[list[int]]:
    """Groups of places that hang together by pairs, friends of friends included; each sorted."""
    parent: dict[int, int] = {}

    def root(place: int) -> int:
        while (above := parent.setdefault(place, place)) != place:
            parent[place] = place = parent[above]  # halve the way for whoever comes next
        return place

    for pair in pairs:
        one, other = root(pair.first), root(pair.second)
        parent[other] = one
    groups: dict[int, list[int]] = {}
    for place in list(parent):
        groups.setdefault(root(place), []).append(place)
    return [sorted(group) for group in groups.values()]
