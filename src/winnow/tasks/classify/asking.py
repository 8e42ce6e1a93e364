"""Which pictures to ask a person about next, and what to suggest for each: a linear head on features, soon refitted.

Uncertain: Scheffer, Decomain and Wrobel, Active Hidden Markov Models, 2001 (margin); Settles, Active Learning
Literature Survey, 2009. Typical, where few labels are there: Hacohen, Dekel and Weinshall, Active Learning on a Budget,
ICML 2022. Different from each other: Sener and Savarese, A Core-Set Approach, ICLR 2018 (k-centre greedy).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression

from winnow.tasks.heads.head import Rows

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_INVERSE_PENALTY = 12.5
"""On rows of length 1. Digits, embedded backbone, accuracy on the rest: 0.45 with one label a class, 0.58 with 2, 0.68
with 5, 0.87 with 20; standardised by the labelled rows alone it was 0.39, 0.54, 0.65 and 0.85."""
_MOST_LEARNED = 4000
"""Of more labelled pictures, a balanced draw is learned from: for suggestions the next thousand buys nothing."""
_COMPARED, _NEAREST = 512, 10
_POOL = 5
"""So many times the pictures asked for are the most uncertain ones, from which those are chosen that differ."""
_MOST_CANDIDATES = 4000


@dataclass(frozen=True)
class Guesses:
    """What a model that learned from the labels so far says of every picture.

    Attributes:
        classes: (C,) names.
        probs: (N, C) each row sums to 1; or each in [0, 1], where a picture may have several classes.
        n_learned: labelled pictures that it learned from.
        has_several: may a picture have several classes?
    """

    classes: tuple[str, ...]
    probs: Floats
    n_learned: int
    has_several: bool

    def suggested(self, row: int) -> tuple[tuple[str, ...], float]:
        """The classes suggested for a row, and how probable (the least probable of several) they are."""
        probs = self.probs[row]
        best = int(probs.argmax())
        several = np.flatnonzero(probs >= 0.5) if self.has_several else np.array([best])
        chosen = several if len(several) else np.array([best])
        return tuple(self.classes[place] for place in chosen.tolist()), float(probs[chosen].min())


def learn(
    units: Rows, labels: Sequence[Sequence[str] | None], *, has_several: bool = False, seed: int = 0
) -> Guesses | None:
    """Guesses from the labels so far; None while fewer than two classes have a picture.

    Args:
        units: (N, D) of `unit_rows`, of all pictures: few labelled ones would say little of how features are spread.
        labels: N; None: unlabelled.
        has_several: may a picture have several classes?
        seed: of the draw, where there are more labelled pictures than are learned from.
    """
    labelled = np.array([place for place, several in enumerate(labels) if several is not None], dtype=np.int64)
    names = sorted({name for place in labelled.tolist() for name in labels[place] or ()})
    if len(names) < 2:
        return None
    ids = {name: place for place, name in enumerate(names)}
    member = np.zeros((len(labelled), len(names)), dtype=np.bool_)
    for row, place in enumerate(labelled.tolist()):
        member[row, [ids[name] for name in labels[place] or ()]] = True
    drawn = _drawn(member, seed)
    learned, member = labelled[drawn], member[drawn]
    if not has_several:
        return Guesses(tuple(names), _probs(units, learned, member.argmax(axis=1)), len(learned), False)
    probs = np.stack([_probs(units, learned, one.astype(np.int64))[:, -1] for one in member.T], axis=1)
    return Guesses(tuple(names), probs, len(learned), True)


def _drawn(member: npt.NDArray[np.bool_], seed: int) -> Places:
    """Which rows are learned from: all, or as many of each class as there is room for."""
    if len(member) <= _MOST_LEARNED:
        return np.arange(len(member))
    rng = np.random.default_rng(seed)
    each = max(1, _MOST_LEARNED // member.shape[1])
    of_classes = [np.flatnonzero(one) for one in member.T]
    drawn = [rng.permutation(places)[:each] for places in of_classes if len(places)]
    return np.unique(np.concatenate(drawn))


def _probs(units: Rows, learned: Places, ids: Places) -> Floats:
    """(N, C) of a logistic regression that learned from some rows; a class that they all have is certain."""
    if len(np.unique(ids)) == 1:
        return np.ones((len(units), 1))
    model = SklearnLogisticRegression(C=_INVERSE_PENALTY, max_iter=150, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(units[learned], ids)
    return np.asarray(model.predict_proba(units), dtype=np.float64)


def uncertainty(guesses: Guesses) -> Floats:
    """(N,) in [0, 1]; 1: the two best classes are as probable as each other, or one of several is a coin's toss."""
    if guesses.has_several:
        return (1 - np.abs(2 * guesses.probs - 1)).max(axis=1)
    best = np.partition(guesses.probs, -2, axis=1)[:, -2:]
    return 1 - (best[:, 1] - best[:, 0])


def unit_rows(rows: Rows) -> Rows:
    """Rows of length 1 around their mean: all features after a ReLU have much in common; the rest tells them apart."""
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), np.float32(1e-9))


def typicality(units: Rows, classes: Sequence[str | None], seed: int = 0) -> Floats:
    """(N,) how much like others each picture is: the cosine to the mean of its class; without a class, the mean cosine
    to the ten nearest of 512 random others.

    Args:
        units: (N, D) of `unit_rows`.
        classes: N names, given or guessed; None: no class.
        seed: of the random others.
    """
    others = np.random.default_rng(seed).permutation(len(units))[:_COMPARED]
    scores = np.empty(len(units))
    for start in range(0, len(units), 4096):
        likeness = units[start : start + 4096] @ units[others].T
        likeness[likeness > 1 - 1e-5] = -1  # itself, and copies of it
        nearest = np.sort(np.partition(likeness, -min(_NEAREST, len(others)), axis=1)[:, -_NEAREST:], axis=1)
        scores[start : start + 4096] = nearest.mean(axis=1)
    for name in {one for one in classes if one is not None}:
        places = np.flatnonzero([one == name for one in classes])
        mean = units[places].mean(axis=0)
        scores[places] = units[places] @ (mean / max(float(np.linalg.norm(mean)), 1e-9))
    return scores


def spread(units: Rows, candidates: Places, most: int, covered: Places, first: int | None = None) -> Places:
    """Candidates that lie far from what is covered and from each other, the farthest first (k-centre greedy).

    Args:
        units: (N, D) of `unit_rows`.
        candidates: (K,) rows to choose from.
        most: how many to choose.
        covered: (L,) rows that are known already.
        first: the candidate to begin with where nothing is covered; None: the first.
    """
    if not len(candidates):
        return candidates
    rows = units[candidates]
    nearest = np.full(len(candidates), -2.0, dtype=np.float32)
    for start in range(0, len(covered), 512):
        nearest = np.maximum(nearest, (rows @ units[covered[start : start + 512]].T).max(axis=1))
    chosen: list[int] = []
    is_open = np.ones(len(candidates), dtype=np.bool_)
    for _ in range(min(most, len(candidates))):
        if not chosen and not len(covered):
            place = 0 if first is None else int(np.flatnonzero(candidates == first)[0])
        else:
            place = int(np.where(is_open, nearest, np.inf).argmin())
        chosen.append(place)
        is_open[place] = False
        nearest = np.maximum(nearest, rows @ rows[place])
    return candidates[chosen]


def most_useful(
    units: Rows, labels: Sequence[Sequence[str] | None], guesses: Guesses | None, most: int = 60, seed: int = 0
) -> Places:
    """The unlabelled pictures whose labels would teach most, the most useful first.

    With a model: of the most uncertain ones, those that differ from each other. Without: typical pictures, far from
    each other and from what is labelled.

    Args:
        units: (N, D) of `unit_rows`.
        labels: N; None: unlabelled.
        guesses: of the same pictures, or None.
        most: how many.
        seed: of the candidates drawn where there are very many.
    """
    is_labelled = np.array([several is not None for several in labels], dtype=np.bool_)
    candidates, covered = np.flatnonzero(~is_labelled), np.flatnonzero(is_labelled)
    if not len(candidates):
        return candidates
    if guesses is not None:
        doubt = uncertainty(guesses)[candidates]
        pool = candidates[np.argsort(-doubt, kind="stable")[: _POOL * most]]
        return spread(units, pool, most, np.empty(0, dtype=np.int64))
    rng = np.random.default_rng(seed)
    pool = np.sort(rng.permutation(candidates)[:_MOST_CANDIDATES])
    score = typicality(units[pool], [None] * len(pool), seed)
    # The less typical half holds what is odd: it teaches little while little is known.
    typical = pool[np.argsort(-score, kind="stable")[: max(most, (len(pool) + 1) // 2)]]
    return spread(units, typical, most, rng.permutation(covered)[:_MOST_CANDIDATES])
