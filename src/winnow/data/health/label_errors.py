"""Labels that are probably wrong: a model that had not seen the picture is sure of something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.data.edits import Edit, Relabel, Remove
from winnow.data.health.finding import Finding, Fix, counted, most_telling, percent, shown
from winnow.data.health.subject import Predictions, Subject

LEAST_AGREEMENT = 0.7
"""A model that agrees less with the labels than this (Cohen's kappa: 0 is chance) is no judge of them. Measured with
3 % of the labels planted wrong: at 0.83 and 0.9 (EdgeTPU features; caltech101-mini, cats-dogs) 41 and 87 % of what is
flagged was planted; at 0.5 and below (hand-made features, or clouds) 5 to 7 %."""
SURE = 0.9
"""How sure the model must be of another class for a fix to act on it; in the same measurement 84 and 96 % of these
were planted."""


@dataclass(frozen=True)
class LabelIssues:
    """What confident learning says of labels.

    Attributes:
        is_flagged: (M,) probably wrong.
        self_confidence: (M,) how probable the given label is; the smallest are the most suspicious.
    """

    is_flagged: NDArray[np.bool_]
    self_confidence: NDArray[np.float64]


def label_issues(labels: Sequence[int] | NDArray[np.integer], probs: NDArray[np.floating]) -> LabelIssues:
    """Which labels are probably wrong, where a picture has one class.

    Ranked by self-confidence: with 3 % of the labels planted wrong its average precision was 0.23, 0.94 and 0.96
    (clouds, cats-dogs, caltech101-mini; EdgeTPU features), that of the normalised margin 0.10, 0.94 and 0.80.

    Args:
        labels: (M,) class ids 0..C-1.
        probs: (M, C) out-of-fold probabilities.

    Source: Northcutt, Jiang and Chuang, Confident Learning, JAIR 2021 (prune by noise rate), as cleanlab has it.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    ids = np.asarray(labels, dtype=np.int64)
    rows = _distributions(probs)
    flagged = find_label_issues(ids, rows, filter_by="prune_by_noise_rate", n_jobs=1)
    scores = get_label_quality_scores(ids, rows, method="self_confidence")
    return LabelIssues(np.asarray(flagged, dtype=np.bool_), np.asarray(scores, dtype=np.float64))


def multilabel_issues(labels: Sequence[Sequence[int]], probs: NDArray[np.floating]) -> LabelIssues:
    """The same where a picture may have several classes: each class is a yes-or-no label of its own.

    Args:
        labels: M lists of class ids.
        probs: (M, C) out-of-fold probabilities, each in [0, 1].

    Source: Thyagarajan et al., Identifying Incorrect Annotations in Multi-Label Classification Data, 2023.
    """
    from cleanlab.multilabel_classification.filter import find_label_issues
    from cleanlab.multilabel_classification.rank import get_label_quality_scores

    ids = [list(map(int, some)) for some in labels]
    rows = np.asarray(probs, dtype=np.float64)
    flagged, scores = find_label_issues(ids, rows, n_jobs=1), get_label_quality_scores(ids, rows)
    return LabelIssues(np.asarray(flagged, dtype=np.bool_), np.asarray(scores, dtype=np.float64))


def agreement(subject: Subject, predictions: Predictions) -> float:
    """How far the model agrees with the labels beyond chance: 1 always, 0 as often as by chance.

    Where a picture may have several classes: over all its yes-or-no labels.

    Source: Cohen, A Coefficient of Agreement for Nominal Scales, 1960.
    """
    truth = _memberships(subject, predictions)
    if _is_single(subject, predictions):
        said, given = predictions.probs.argmax(axis=1), truth.argmax(axis=1)
        n_classes = truth.shape[1]
    else:
        said, given, n_classes = (predictions.probs >= 0.5).ravel().astype(int), truth.ravel().astype(int), 2
    observed = float((said == given).mean())
    shares = [np.bincount(ids, minlength=n_classes) / len(ids) for ids in (said, given)]
    chance = float(shares[0] @ shares[1])
    return (observed - chance) / (1 - chance) if chance < 1 else 0.0


def find_label_errors(subject: Subject) -> Iterator[Finding]:
    """Labels that the predictions contradict; nothing where the predictions are too weak to say."""
    predictions = subject.predictions
    if predictions is None or agreement(subject, predictions) < LEAST_AGREEMENT:
        return
    truth = _memberships(subject, predictions)
    is_single = _is_single(subject, predictions)
    if is_single:
        issues = label_issues(truth.argmax(axis=1), predictions.probs)
    else:
        issues = multilabel_issues([np.flatnonzero(row).tolist() for row in truth], predictions.probs)
    flagged: list[int] = np.flatnonzero(issues.is_flagged).tolist()
    if not flagged:
        return
    other = _suggested(predictions, truth, is_single=is_single)
    sure = [row for row in flagged if _is_sure(predictions.probs[row], truth[row], is_single=is_single)]
    examples = subject.examples
    in_test = sum(examples[int(predictions.places[row])].split == "test" for row in flagged)
    yield Finding(
        kind="label-errors",
        code="W_LABEL_ERROR",
        severity="worth a look",
        sentence=f"{counted(len(flagged), 'label is', 'labels are')} probably wrong (likely label errors): a model "
        "that had not seen the picture, but is mostly right, says something else; of "
        f"{len(sure)} it is more than {percent(SURE)} sure."
        + (f" {in_test} of them {'is' if in_test == 1 else 'are'} in the test split." if in_test else ""),
        count=len(flagged),
        examples=most_telling(
            (
                shown(
                    examples[int(predictions.places[row])],
                    issues.self_confidence[row],
                    _said(other[row], row, predictions),
                )
                for row in flagged
            ),
            least=True,
        ),
        evidence="how probable the given label is, 0 to 1",
        fixes=_fixes(
            subject,
            predictions,
            {row: other[row] if is_single else _corrected(subject, predictions, truth, row) for row in sure},
        ),
        advice="Look at each. The fix leaves the test split alone: a test cleaned by a model's opinion flatters it."
        if in_test
        else "Look at each before you change it.",
    )


def _memberships(subject: Subject, predictions: Predictions) -> NDArray[np.bool_]:
    """(M, C) which class each predicted example is labelled with."""
    ids = {name: place for place, name in enumerate(predictions.classes)}
    truth = np.zeros(predictions.probs.shape, dtype=np.bool_)
    for row, place in enumerate(predictions.places.tolist()):
        truth[row, [ids[label] for label in subject.examples[place].labels or () if label in ids]] = True
    return truth


def _is_single(subject: Subject, predictions: Predictions) -> bool:
    return all(len(subject.examples[place].labels or ()) == 1 for place in predictions.places.tolist())


def _suggested(predictions: Predictions, truth: NDArray[np.bool_], *, is_single: bool) -> list[tuple[str, ...]]:
    """What the model would say of each picture."""
    if is_single:
        best = np.where(truth, -1.0, predictions.probs).argmax(axis=1).tolist()
        return [(predictions.classes[one],) for one in best]
    return [tuple(predictions.classes[one] for one in np.flatnonzero(row >= 0.5).tolist()) for row in predictions.probs]


def _corrected(subject: Subject, predictions: Predictions, truth: NDArray[np.bool_], row: int) -> tuple[str, ...]:
    """The labels of a picture that may have several, changed where the model is sure; what it cannot judge stays."""
    given = subject.examples[int(predictions.places[row])].labels or ()
    unjudged = [label for label in given if label not in predictions.classes]
    is_changed = np.where(truth[row], 1 - predictions.probs[row], predictions.probs[row]) >= SURE
    return (*(predictions.classes[one] for one in np.flatnonzero(truth[row] ^ is_changed).tolist()), *unjudged)


def _is_sure(probs: NDArray[np.float64], truth: NDArray[np.bool_], *, is_single: bool) -> bool:
    if is_single:
        return bool(np.where(truth, 0.0, probs).max() >= SURE)
    wrong = np.where(truth, 1 - probs, probs)  # how sure the model is that each yes or no is wrong
    return bool(wrong.max() >= SURE)


def _said(other: tuple[str, ...], row: int, predictions: Predictions) -> str:
    if not other:
        return "no class seems to apply"
    probs = predictions.probs[row]
    ids = {name: place for place, name in enumerate(predictions.classes)}
    return " and ".join(f"{name} ({percent(float(probs[ids[name]]))})" for name in other) + "?"


def _fixes(subject: Subject, predictions: Predictions, corrected: Mapping[int, tuple[str, ...]]) -> tuple[Fix, ...]:
    found = [(subject.examples[int(predictions.places[row])], labels) for row, labels in corrected.items()]
    mended = {example.source: labels for example, labels in found if example.split != "test"}
    if not mended:
        return ()
    relabel: tuple[Edit, ...] = (Relabel(mended),)
    drop: tuple[Edit, ...] = (Remove(tuple(mended)),)
    return Fix("relabel", relabel, is_judgement=True), Fix("drop", drop, is_judgement=True)


def _distributions(probs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rows that sum to 1 in float64, as cleanlab checks they do."""
    rows = np.asarray(probs, dtype=np.float64)
    return rows / rows.sum(axis=1, keepdims=True)
