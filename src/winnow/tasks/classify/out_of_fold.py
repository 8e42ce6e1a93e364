"""What a linear model says of every example without having learned from it: for judging labels, not for a model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from winnow.data.splits import folds
from winnow.graph.runtime import open_small_graph, run_in_chunks
from winnow.machine import cores
from winnow.tasks.classify.calibration import cross_fitted
from winnow.tasks.heads.head import Head, Labels, Lesson, Rows, learn_all_classes, logits_graph
from winnow.tasks.heads.lda import ShrunkLda
from winnow.tasks.heads.logistic_regression import LogisticRegression

FOLDS = 5
_PATIENCE_S = 1.0
"""For one fold. Beyond it discriminant analysis takes the place of logistic regression where it is faster: with many
classes it ranked planted label errors as well (average precision 0.97 and 0.96 on caltech101-mini), with two worse
(0.91 and 0.94 on cats-dogs; EdgeTPU features)."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Probabilities from models that had not seen the example.

    Attributes:
        places: (M,) which examples were answered for: all whose class has an independent example for each fold.
        probs: (M, C) rows that sum to 1; or each in [0, 1] where an example may have several classes.
        classes: (C,) ids of the classes, ascending.
    """

    places: Labels
    probs: npt.NDArray[np.float64]
    classes: Labels


def out_of_fold(rows: Rows, labels: Labels, clusters: npt.NDArray[np.integer], seed: int) -> OutOfFold | None:
    """Calibrated probabilities where an example has one class; None where fewer than two classes can be judged.

    Args:
        rows: (N, D) features.
        labels: (N,) class ids; below 0: unlabelled.
        clusters: (N,) which examples belong together, and so lie in one fold.
        seed: of the folds.
    """
    places = _with_enough(np.flatnonzero(labels >= 0).astype(np.int64), labels, clusters)
    classes = np.unique(labels[places])
    if len(classes) < 2:
        return None
    y: Labels = np.searchsorted(classes, labels[places]).astype(np.int64)
    fold_of = folds(y, clusters[places], FOLDS, seed)
    x, n_classes = rows[places], len(classes)
    head = _head(len(x), x.shape[1], n_classes)
    grid = list(head.grid(x.shape[1]))[:1]  # the strongest penalty: it ranked planted errors best (bench/health.py)
    logits = np.empty((len(y), n_classes), dtype=np.float32)

    def one(fold: int) -> None:
        held_out = fold_of == fold
        lesson = Lesson(x[~held_out], y[~held_out], n_classes, seed)
        (write,) = learn_all_classes(head, lesson, grid)
        logits[held_out] = run_in_chunks(open_small_graph(logits_graph(write, x.shape[1], n_classes)), x[held_out])

    _in_parallel(one)
    return OutOfFold(places, cross_fitted([logits], y, fold_of).astype(np.float64), classes.astype(np.int64))


def out_of_fold_multilabel(
    rows: Rows, memberships: npt.NDArray[np.bool_], clusters: npt.NDArray[np.integer], seed: int
) -> OutOfFold | None:
    """The same where an example may have several classes: a logistic regression for each class against its absence.

    Args:
        rows: (N, D) features of labelled examples.
        memberships: (N, C) which classes each has.
        clusters: (N,) which examples belong together.
        seed: of the folds.
    """
    from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression

    independent = [min(len(np.unique(clusters[one])), len(np.unique(clusters[~one]))) for one in memberships.T]
    classes = np.flatnonzero(np.array(independent) >= FOLDS)
    if not len(classes):
        return None
    fold_of = folds(memberships, clusters, FOLDS, seed)
    probs = np.empty((len(rows), len(classes)))

    def one(fold: int) -> None:
        held_out = fold_of == fold
        mean, spread = rows[~held_out].mean(axis=0), rows[~held_out].std(axis=0)
        scaled = (rows - mean) / np.where(spread > 0, spread, 1)
        for column, label in enumerate(classes.tolist()):
            is_it = memberships[~held_out, label]
            if is_it.all() or not is_it.any():
                probs[held_out, column] = is_it[0]
                continue
            model = SklearnLogisticRegression(C=0.5 / rows.shape[1], max_iter=150)
            probs[held_out, column] = model.fit(scaled[~held_out], is_it).predict_proba(scaled[held_out])[:, 1]

    _in_parallel(one)
    return OutOfFold(np.arange(len(rows)), probs, classes.astype(np.int64))


def _head(n: int, n_features: int, n_classes: int) -> Head:
    regression, analysis = LogisticRegression(), ShrunkLda()
    dear = regression.estimate_s(n, n_features, n_classes, 1)
    is_too_dear = dear > _PATIENCE_S and analysis.estimate_s(n, n_features, n_classes, 1) < dear
    return analysis if is_too_dear else regression


def _with_enough(places: Labels, labels: Labels, clusters: npt.NDArray[np.integer]) -> Labels:
    """Examples of classes with an independent example for each fold."""
    of_class = np.unique(np.stack([labels[places], clusters[places]]), axis=1)[0]
    ids, n_clusters = np.unique(of_class, return_counts=True)
    return places[np.isin(labels[places], ids[n_clusters >= FOLDS])]


def _in_parallel(one: Callable[[int], None]) -> None:
    # One fold a core: linear algebra inside is single-threaded then, and the same bits every time.
    n_workers = min(cores(), FOLDS)
    with threadpool_limits(max(1, cores() // n_workers)), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with ThreadPoolExecutor(n_workers, thread_name_prefix="winnow-folds") as pool:
            list(pool.map(one, range(FOLDS)))
