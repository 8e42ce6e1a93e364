"""Classes that look alike: a model takes each for the other far more often than other classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from winnow.data.edits import MergeClasses
from winnow.data.health.finding import Finding, Fix, Shown, counted, listed, most_telling, percent, shown
from winnow.data.health.subject import Predictions, Subject

# Both ways at least this often, and this many times as often as classes are confused on average.
_LEAST_SHARE = 0.15
_TIMES = 3.0
# Fewer pictures of a class say little about what it is taken for.
_FEW = 10


def find_alike_classes(subject: Subject) -> Iterator[Finding]:
    """Pairs of classes that are confused both ways, where a picture has one class of three or more."""
    predictions = subject.predictions
    if predictions is None or len(predictions.classes) < 3:
        return
    labels = [subject.examples[place].label for place in predictions.places.tolist()]
    if None in labels:
        return
    ids = {name: place for place, name in enumerate(predictions.classes)}
    truth = np.array([ids[str(label)] for label in labels])
    shares = confusion_shares(truth, predictions.probs.argmax(axis=1), len(ids))
    counts = np.bincount(truth, minlength=len(ids))
    average = float(shares[~np.eye(len(ids), dtype=np.bool_)].mean())
    both = np.minimum(shares, shares.T)
    is_alike = (both >= max(_LEAST_SHARE, _TIMES * average)) & (np.minimum.outer(counts, counts) >= _FEW)
    pairs = sorted(((-both[i, j], i, j) for i, j in np.argwhere(np.triu(is_alike, 1)).tolist()))
    if not pairs:
        return
    names = [(predictions.classes[i], predictions.classes[j]) for _, i, j in pairs]
    first = pairs[0]
    there, back = percent(shares[first[1], first[2]]), percent(shares[first[2], first[1]])
    more = f"; so do {listed([f'{one} / {other}' for one, other in names[1:]])}" if len(pairs) > 1 else ""
    yield Finding(
        kind="alike-classes",
        code="W_CLASSES_ALIKE",
        severity="good to know",
        sentence=f"'{names[0][0]}' and '{names[0][1]}' look alike: {there} of the first are taken for the second and "
        f"{back} the other way round, against {percent(average)} for two classes on average{more}.",
        count=len(pairs),
        examples=most_telling(_confused(subject, predictions, truth, [(i, j) for _, i, j in pairs])),
        evidence="how sure the model was of the other class, 0 to 1",
        fixes=(Fix("merge", tuple(MergeClasses([other], one) for one, other in _separate(names)), is_judgement=True),),
        advice=f"Look whether the labels of {counted(len(pairs), 'pair', 'pairs')} are clear; merge classes whose "
        "difference does not matter to you.",
    )


def confusion_shares(truth: NDArray[np.integer], answers: NDArray[np.integer], n_classes: int) -> NDArray[np.float64]:
    """(C, C) which share of each class (row) is answered as which (column); zeros for a class without pictures."""
    table = np.zeros((n_classes, n_classes))
    np.add.at(table, (truth, answers), 1)
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1)


def _confused(
    subject: Subject, predictions: Predictions, truth: NDArray[np.integer], pairs: list[tuple[int, int]]
) -> Iterator[Shown]:
    answers = predictions.probs.argmax(axis=1)
    for one, other in pairs:
        for label, answer in ((one, other), (other, one)):
            for row in np.flatnonzero((truth == label) & (answers == answer)).tolist():
                example = subject.examples[int(predictions.places[row])]
                yield shown(example, predictions.probs[row, answer], f"taken for {predictions.classes[answer]}")


def _separate(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs that share no class with one before: a class is merged once."""
    seen: set[str] = set()
    kept: list[tuple[str, str]] = []
    for one, other in pairs:
        if one not in seen and other not in seen:
            kept.append((one, other))
            seen |= {one, other}
    return kept
