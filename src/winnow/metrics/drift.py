"""Have the pictures changed? What came lately against what a model learned from: how much, and whether it is luck.

Two questions are asked of each measure, and both must be answered with yes before anybody is warned:

- *How much?* The population stability index between the shares of its bins then and now: sum of
  (now - then) x ln(now / then), less what chance alone adds to it. By custom below 0.1 is nothing, above 0.25 is much.
- *Is it luck?* An e-value: the bet that the pictures are of another kind, against the bet that they are drawn from
  where the model's own pictures were. On a window of pictures drawn from there it reaches 1 / level at most once in
  1 / level windows, *however often it is looked at meanwhile* and however few pictures the model has seen.

Why not a chi-squared test: a server is looked at thousands of times a day, and looked at so often every such test
says yes in the end. The e-value may be looked at after every picture. It also counts that the model's own pictures are
a sample: between two neighbours of n sorted numbers the next one falls with probability 1 / (n + 1) (Wilks), so a
bin that holds g such gaps is hit with probability g / (n + 1), and after it was hit s times in t with
(g + s) / (n + 1 + t). These are the odds of Pólya's urn, exact for any continuous measure of any distribution.

Source: Siddiqi, Credit Risk Scorecards, 2006 (the index and its marks); Yurdakul, Statistical properties of the
population stability index, 2018 (its bias); Ramdas et al., Game-theoretic statistics and safe anytime-valid inference,
2023 (e-values and Ville's inequality); Wilks, Mathematical Statistics, 1962, section 8.7 (gaps); Rabanser et al.,
Failing Loudly, 2019 (that a model's own answers are among the best measures).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SOME, MUCH = 0.1, 0.25
"""From which population stability index on a change is worth a word, and is large."""
LEVEL = 0.01
"""At most so many windows of pictures like the model's own warn of anything."""
_BINS = 10
_LEAST_IN_BIN = 10
_MOST_CLASS_BINS = 20
_UNSEEN = 0.05
# How close to the model's own pictures the other kind is thought to be: as weights of those, in pictures. A mean of
# several bets is a bet, and costs little against the best of them.
_BETS = (4.0, 32.0, 256.0)


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is counted, and the words for it.

    Attributes:
        name: such as "brightness".
        less: what the pictures are, or the answers, if there is less of it than there was.
        more: what they are if there is more of it.
        unit: of log2 measures, that of the number itself.
    """

    name: str
    less: str
    more: str
    unit: str = ""

    def told(self, value: float) -> str:
        """The value for people."""
        if not self.unit:
            return f"{value:.2f}"
        number = 2**value
        return f"{number:.0f} {self.unit}" if number >= 10 else f"{number:.2f} {self.unit}"


MEASURES = (
    Measure("brightness", "darker", "brighter"),
    Measure("contrast", "flatter", "richer in contrast"),
    Measure("colourfulness", "less colourful", "more colourful"),
    Measure("warmth", "bluer", "more yellow"),
    Measure("sharpness", "more blurred", "sharper or noisier"),
    Measure("size", "smaller", "larger", "px"),
    Measure("shape", "narrower", "wider", "to 1"),
)
"""What `winnow.data.picture_summary.summary_of` measures, in its order."""
CONFIDENCE = Measure("confidence", "less sure", "surer")
"""The probability of a picture's likeliest class."""
CLASSES = "classes"
"""Which class is the likeliest."""


@dataclass(frozen=True, slots=True)
class Bins:
    """How one number was spread over the pictures that a model comes from.

    Attributes:
        edges: (K - 1,) rising; bin k holds numbers from edge k - 1 on and below edge k.
        weights: (K,) above 0: how many gaps between neighbours each bin holds; they sum to the pictures + 1.
        mean: of the numbers.
        spread: their standard deviation.
    """

    edges: tuple[float, ...]
    weights: tuple[float, ...]
    mean: float
    spread: float

    @classmethod
    def of(cls, values: npt.NDArray[np.floating[Any]]) -> Bins:
        """Bins of equal shares where the numbers allow it, and one for what lies beyond them on each side.

        Args:
            values: (N,) finite, at least one.
        """
        rising = np.sort(values.astype(np.float32))
        n = len(rising)
        k = min(_BINS, max(1, n // _LEAST_IN_BIN))
        # Edges are numbers that occurred: between two of them lies a known number of gaps.
        inner = np.unique(rising[np.arange(k) * n // k])
        beyond = np.nextafter(rising[-1], np.float32(np.inf))
        starts = np.searchsorted(rising, inner)
        gaps = np.diff([*starts.tolist(), n - 1])
        if gaps[-1] == 0:  # nothing but the largest number itself lies in the last bin
            inner, gaps = inner[:-1], gaps[:-1]
        exact = rising.astype(np.float64)
        return cls(
            (*map(float, inner), float(beyond)), (1.0, *map(float, gaps), 1.0), float(exact.mean()), float(exact.std())
        )

    def place(self, value: float) -> int:
        """The bin of a number."""
        return bisect_right(self.edges, value)


@dataclass(frozen=True, slots=True)
class ClassBins:
    """How often each class was the likeliest; rare ones share a bin with their neighbours.

    Attributes:
        places: (C,) the bin of each class.
        weights: (K,) above 0.
    """

    places: tuple[int, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, answered: npt.NDArray[np.integer[Any]], n_classes: int) -> ClassBins:
        """Bins for the shares of likeliest classes.

        Args:
            answered: (N,) class ids in 0..n_classes - 1.
            n_classes: C.
        """
        # Joined by their order, never by their counts: the commonest of many alike are so by luck, and would be missed.
        least = max(_LEAST_IN_BIN, len(answered) / _MOST_CLASS_BINS)
        places: list[int] = []
        filled: list[int] = [0]
        for count in np.bincount(answered, minlength=n_classes).tolist():
            if filled[-1] >= least:
                filled.append(0)
            places.append(len(filled) - 1)
            filled[-1] += count
        if filled[-1] < least and len(filled) > 1:
            last = filled.pop()
            filled[-1] += last
        # Half a picture for each, as Krichevsky and Trofimov guess shares: here there are no gaps to count.
        return cls(tuple(min(place, len(filled) - 1) for place in places), tuple(count + 0.5 for count in filled))


@dataclass(frozen=True, slots=True)
class Reference:
    """What the pictures and the answers were like when the model was made.

    Attributes:
        numbers: by name, each of `MEASURES`, and `CONFIDENCE` of the pictures that it was judged on.
        classes: its likeliest classes on the pictures that it was judged on.
    """

    numbers: dict[str, Bins]
    classes: ClassBins

    @classmethod
    def of(cls, summaries: npt.NDArray[np.float32], judged: npt.NDArray[np.float32]) -> Reference:
        """The reference of a model.

        Args:
            summaries: (N, M) what `summary_of` measured of pictures that it learned from, N at least 1.
            judged: (J, C) its probabilities for the pictures that it was judged on.
        """
        numbers = {measure.name: Bins.of(summaries[:, place]) for place, measure in enumerate(MEASURES)}
        numbers[CONFIDENCE.name] = Bins.of(judged.max(axis=1))
        return cls(numbers, ClassBins.of(judged.argmax(axis=1), judged.shape[1]))

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "numbers": {
                name: {"edges": bins.edges, "weights": bins.weights, "mean": bins.mean, "spread": bins.spread}
                for name, bins in self.numbers.items()
            },
            CLASSES: {"places": self.classes.places, "weights": self.classes.weights},
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Reference:
        """Back from `to_json`.

        Raises:
            ValueError, KeyError, TypeError: these are no such values.
        """
        numbers = {name: _bins_from(values["numbers"][name]) for name in (*(m.name for m in MEASURES), CONFIDENCE.name)}
        places = tuple(int(place) for place in values[CLASSES]["places"])
        weights = _weights_from(values[CLASSES]["weights"])
        if not all(0 <= place < len(weights) for place in places):
            raise ValueError("a class has no bin")
        return cls(numbers, ClassBins(places, weights))


def _bins_from(values: dict[str, Any]) -> Bins:
    edges, weights = tuple(map(float, values["edges"])), _weights_from(values["weights"])
    if len(edges) != len(weights) - 1 or list(edges) != sorted(edges):
        raise ValueError("edges and weights do not fit")
    return Bins(edges, weights, float(values["mean"]), float(values["spread"]))


def _weights_from(values: Sequence[float]) -> tuple[float, ...]:
    weights = tuple(map(float, values))
    if not weights or not all(0 < weight < math.inf for weight in weights):
        raise ValueError("weights must be above 0")
    return weights


def stability_index(weights: Sequence[float], counts: Sequence[int]) -> float:
    """The population stability index between then and now, less what is expected of two samples of one kind.

    Args:
        weights: (K,) above 0, of the bins then.
        counts: (K,) of the bins now.

    Returns:
        At least 0; `SOME` and `MUCH` are its marks.
    """
    then, now = sum(weights), sum(counts)
    if not now:
        return 0.0
    # Empty bins have no logarithm: a few pictures of before are counted in, as shares of theirs.
    few = len(weights) / 2
    index = 0.0
    for weight, count in zip(weights, counts, strict=True):
        before = weight / then
        after = (count + few * before) / (now + few)
        index += (after - before) * math.log(after / before)
    return max(0.0, index - (len(weights) - 1) * (1 / then + 1 / now))


def log_evidence(weights: Sequence[float], counts: Sequence[int]) -> float:
    """The natural logarithm of the e-value against "these are pictures of the same kind".

    Args:
        weights: (K,) above 0, of the bins then.
        counts: (K,) of the bins now.
    """
    then = sum(weights)
    # What was never seen may be as likely as one gap is, or impossible (no picture is narrower than its camera makes
    # it): neither is news, so the kinder of the two is what the bets must beat.
    impossible = [weight if weight > 1 else _UNSEEN * weight for weight in weights]
    urn = max(_log_urn(weights, counts), _log_urn(impossible, counts))
    bets = [_log_urn([bet * weight / then for weight in weights], counts) - urn for bet in _BETS]
    best = max(bets)
    return best + math.log(sum(math.exp(one - best) for one in bets) / len(bets))


def _log_urn(weights: Sequence[float], counts: Sequence[int]) -> float:
    """The logarithm of the probability of a sequence with these counts in Pólya's urn (Dirichlet-multinomial)."""
    log = math.lgamma(sum(weights)) - math.lgamma(sum(weights) + sum(counts))
    for weight, count in zip(weights, counts, strict=True):
        if count:
            log += math.lgamma(weight + count) - math.lgamma(weight)
    return log


def is_drift(index: float, evidence: float, n_questions: int) -> bool:
    """Whether a change is worth a warning: large enough and no luck, with `n_questions` measures asked at once."""
    return index >= SOME and evidence >= math.log(n_questions / LEVEL)
