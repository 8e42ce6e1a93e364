"""Have the pictures changed since the model was made? One running count a version, in little memory, for ever."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from winnow.api.drift_reference import DRIFT, read_reference
from winnow.errors import NotFoundError, UserError
from winnow.metrics.drift import (
    CLASSES,
    CONFIDENCE,
    MEASURES,
    MUCH,
    Bins,
    Measure,
    Reference,
    is_drift,
    log_evidence,
    stability_index,
)
from winnow.serve.questions import Answer
from winnow.serve.served import Served

BLOCK = 512
"""Pictures a block. What is judged are the last two blocks together and the last one alone, so that a change is seen
as soon after a million pictures as after none."""
_QUESTIONS = len(MEASURES) + 2
_MOST_LOG = 700.0  # beyond it, exp is no float any more
_CLEAR_SHIFT = 0.1
_ADVICE = "Look at some; if such pictures are here to stay, label some of them and train again."


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure, then and now.

    Attributes:
        name: of the measure: one of `MEASURES`, `CONFIDENCE` or `CLASSES`.
        pictures: how many the figures of now are from.
        index: the population stability index.
        evidence: the e-value, against luck.
        is_drift: whether both say that something changed.
        then: the mean, of the model's own pictures; None of classes.
        now: the mean lately.
        sentence: for people; "" where there is nothing to say.
    """

    name: str
    pictures: int
    index: float
    evidence: float
    is_drift: bool
    then: float | None
    now: float | None
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "name": self.name,
            "pictures": self.pictures,
            "stability_index": self.index,
            "evidence": self.evidence,
            "is_drift": self.is_drift,
            "then": self.then,
            "now": self.now,
        }


class _Block:
    """How many of some pictures fell into each bin."""

    def __init__(self, reference: Reference) -> None:
        self.n = 0
        self.counts = {name: [0] * len(bins.weights) for name, bins in reference.numbers.items()}
        self.sums = dict.fromkeys(reference.numbers, 0.0)
        self.classes = [0] * len(reference.classes.weights)

    def count(self, reference: Reference, numbers: dict[str, float], likeliest: int) -> None:
        self.n += 1
        for name, value in numbers.items():
            self.counts[name][reference.numbers[name].place(value)] += 1
            self.sums[name] += value
        self.classes[reference.classes.places[likeliest]] += 1

    def joined(self, other: _Block, reference: Reference) -> _Block:
        both = _Block(reference)
        both.n = self.n + other.n
        for name in reference.numbers:
            both.counts[name] = [a + b for a, b in zip(self.counts[name], other.counts[name], strict=True)]
            both.sums[name] = self.sums[name] + other.sums[name]
        both.classes = [a + b for a, b in zip(self.classes, other.classes, strict=True)]
        return both


class Drift:
    """What came lately, against what a version of a model was made from.

    Its methods are called by one thread, the server's.

    Args:
        served: the version; a model of pictures with a `drift.json` can be compared, any other says why not.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._seen = 0
        self._reference: Reference | None = None
        self._why_not = ""
        if served.kind != "pictures":
            self._why_not = "Of a graph that was made elsewhere nothing is known of what it learned from."
            return
        try:
            reference = read_reference(served.path)
        # Clients read these sentences: where the model lies is nothing that they need to know.
        except NotFoundError:
            self._why_not = (
                "It does not say what its pictures were like, as models of older versions do not: train again."
            )
            return
        except UserError:
            self._why_not = (
                f"Its {DRIFT} is damaged, or of a newer Winnow: copy the model again, whole, or update Winnow."
            )
            return
        if len(reference.classes.places) != len(served.classes):
            self._why_not = f"Its {DRIFT} is of pictures of other classes: copy the model again, whole."
            return
        self._reference = reference
        self._before, self._block = _Block(reference), _Block(reference)

    def saw(self, answer: Answer) -> None:
        """Count an answer. A picture that was answered before is no news, and is not counted again."""
        if self._reference is None or answer.is_cached or len(answer.summary) != len(MEASURES):
            return
        probs = answer.outputs["probabilities"]
        likeliest = int(np.argmax(probs))
        values = answer.summary.tolist()
        numbers = {measure.name: value for measure, value in zip(MEASURES, values, strict=True)}
        numbers[CONFIDENCE.name] = float(probs[likeliest])
        if self._block.n == BLOCK:
            self._before, self._block = self._block, _Block(self._reference)
        self._block.count(self._reference, numbers, likeliest)
        self._seen += 1

    def comparisons(self) -> list[Comparison]:
        """Each measure, then and now; none where there is nothing to compare, or nothing was seen."""
        reference = self._reference
        if reference is None or not self._seen:
            return []
        longer = self._before.joined(self._block, reference)
        found: list[Comparison] = []
        for name in (*reference.numbers, CLASSES):
            both = [_compare(self._served, reference, name, block) for block in (longer, self._block) if block.n]
            # A change of just now shows in the last block first; else more pictures say more.
            found.append(next((one for one in both if one.is_drift), both[0]))
        return found

    def warnings(self) -> list[str]:
        """What changed, a sentence each, the largest change first; none where nothing did."""
        return _sentences(self.comparisons())

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON: what was seen, each measure, and the warnings."""
        comparisons = self.comparisons()
        return {
            "model": self._served.name,
            "version": self._served.version,
            "pictures": self._seen,
            "is_compared": self._reference is not None,
            "why_not": self._why_not or None,
            "measures": [one.as_dict() for one in comparisons],
            "warnings": _sentences(comparisons),
        }


def _sentences(comparisons: list[Comparison]) -> list[str]:
    changed = [one for one in comparisons if one.is_drift]
    return [one.sentence for one in sorted(changed, key=lambda one: -one.index)]


def _compare(served: Served, reference: Reference, name: str, block: _Block) -> Comparison:
    weights = reference.classes.weights if name == CLASSES else reference.numbers[name].weights
    counts = block.classes if name == CLASSES else block.counts[name]
    index, evidence = stability_index(weights, counts), log_evidence(weights, counts)
    has_changed = is_drift(index, evidence, _QUESTIONS)
    then = now = None
    if name == CLASSES:
        sentence = _of_classes(served, reference, block, index)
    else:
        bins = reference.numbers[name]
        then, now = bins.mean, block.sums[name] / block.n
        sentence = _of_numbers(_MEASURE_OF[name], bins, now, block.n, index)
    e_value = math.exp(min(evidence, _MOST_LOG))
    return Comparison(name, block.n, index, e_value, has_changed, then, now, sentence if has_changed else "")


_MEASURE_OF: dict[str, Measure] = {measure.name: measure for measure in (*MEASURES, CONFIDENCE)}


def _of_numbers(measure: Measure, bins: Bins, now: float, n: int, index: float) -> str:
    is_of_answers = measure is CONFIDENCE
    others = "on the pictures that the model was judged on" if is_of_answers else "those that the model learned from"
    who = "answers" if is_of_answers else "pictures"
    if abs(now - bins.mean) < _CLEAR_SHIFT * bins.spread:
        told = f"The {measure.name} of the {who} varies otherwise than {'' if is_of_answers else 'in '}{others}"
    else:
        told = f"The {who} are {measure.more if now > bins.mean else measure.less} than {others}"
    figures = f"{measure.name} {measure.told(now)} on average over the last {n}, {measure.told(bins.mean)} then"
    return f"{told}: {figures} ({_size_of(index)}). {_ADVICE}"


def _of_classes(served: Served, reference: Reference, block: _Block, index: float) -> str:
    bins, total = reference.classes, sum(reference.classes.weights)
    shares = [(count / block.n, weight / total) for count, weight in zip(block.classes, bins.weights, strict=True)]
    most = sorted(range(len(shares)), key=lambda place: -abs(shares[place][0] - shares[place][1]))[:2]
    told = ", ".join(f"{_named(served, bins.places, place)} {_share(*shares[place])}" for place in most)
    return (
        f"Other classes are answered than on the pictures that the model was judged on: {told}, "
        f"over the last {block.n} pictures ({_size_of(index)}). {_ADVICE}"
    )


def _named(served: Served, places: tuple[int, ...], place: int) -> str:
    names = [name for name, one in zip(served.classes, places, strict=True) if one == place]
    return f"'{names[0]}'" if len(names) == 1 else f"'{names[0]}' to '{names[-1]}'"


def _share(now: float, then: float) -> str:
    return f"{100 * now:.0f} % instead of {100 * then:.0f} %"


def _size_of(index: float) -> str:
    return f"population stability index {index:.2f}: {'a large change' if index >= MUCH else 'some change'}"
