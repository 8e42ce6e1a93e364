"""Heads that learn each class against the rest: what all promise, and that their graphs answer as scikit-learn does."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
from scipy.special import expit
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.metrics.pairwise import euclidean_distances, linear_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import StandardScaler, normalize

from winnow.graph.runtime import open_graph, open_small_graph
from winnow.tasks.heads import logistic_regression, random_forest, support_vectors
from winnow.tasks.heads.head import EachLesson, Head, each_head_graph, learn_each_class, logits_graph
from winnow.tasks.heads.lda import ShrunkLda
from winnow.tasks.heads.logistic_regression import LogisticRegression
from winnow.tasks.heads.nearest_mean import NearestMean
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour
from winnow.tasks.heads.prior import Prior
from winnow.tasks.heads.random_forest import RandomForest
from winnow.tasks.heads.subsample import rarest_class, subsample_each
from winnow.tasks.heads.support_vectors import SLOPE, SupportVectorMachine
from winnow.tasks.multilabel.head_rung import EachHeadRung
from winnow.tasks.multilabel.rungs import all_rungs

from .lessons import DIM, each_graph_of, each_lesson, unseen

HEADS = {
    f"{type(rung.head).__name__}{sorted(vars(rung.head).items())}": rung.head
    for rung in all_rungs()
    if isinstance(rung, EachHeadRung)
}
every_head = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
CLASSES = pytest.mark.parametrize("n_classes", [1, 2, 5])


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.tasks.heads.random_forest.TREES", 10)


def check(head: Head, given: EachLesson) -> list[np.ndarray]:
    """Probabilities (N, C) of every entry of the grid, after what holds for all of them was checked."""
    grid = head.grid(given.rows.shape[1])
    writes = learn_each_class(head, given, grid)
    assert len(writes) == len(grid) > 0
    rows = np.concatenate([unseen(), given.rows])
    gave: list[np.ndarray] = []
    for write in writes:
        logits = open_small_graph(logits_graph(write, DIM, given.n_classes)).run(rows)
        assert logits.shape == (len(rows), given.n_classes)
        assert np.isfinite(logits).all()
        slopes, offsets = np.linspace(0.5, 2, given.n_classes), np.linspace(-1, 1, given.n_classes)
        graph = each_head_graph(write, slopes, offsets, 2.0, DIM)
        onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
        probs = open_small_graph(graph).run(rows)
        assert probs == pytest.approx(expit(np.clip(slopes * logits + offsets, -2, 2)), abs=1e-5)
        gave.append(expit(logits))
    return gave


def assert_graph_gives(graph: bytes, rows: np.ndarray, expected: np.ndarray) -> None:
    """On ONNX Runtime and on OpenVINO (for trees ONNX Runtime twice)."""
    for opened in (open_small_graph(graph), open_graph(graph)):
        assert np.abs(opened.run(rows) - expected).max() < 2e-5, opened.engine


def recorded(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[Any]:
    """The scikit-learn models that a head makes, in order."""
    make, made = getattr(module, name), []

    def record(*args: Any, **options: Any) -> Any:
        made.append(make(*args, **options))
        return made[-1]

    monkeypatch.setattr(module, name, record)
    return made


def standardised(rows: np.ndarray, on: np.ndarray, *, each: bool = True) -> np.ndarray:
    scaler = StandardScaler(with_std=each).fit(on.astype(np.float64))
    scaled = scaler.transform(rows.astype(np.float64))
    return scaled if each else scaled / np.sqrt(on.astype(np.float64).var(axis=0).mean())


# What every head promises


@every_head
@CLASSES
def test_a_head_learns_any_number_of_classes(head: Head, n_classes: int):
    check(head, each_lesson(n_classes))


@every_head
def test_classes_that_all_or_none_show_get_the_rule_of_succession_and_leave_the_others_alone(head: Head):
    given = each_lesson(3, 50)
    zeros, ones = np.zeros((50, 1), np.uint8), np.ones((50, 1), np.uint8)
    wider = replace(given, labels=np.concatenate([zeros, given.labels[:, :2], ones, given.labels[:, 2:]], axis=1))
    for probs, known in zip(check(head, wider), check(head, given), strict=True):
        assert probs[:, 0] == pytest.approx(1 / 52, rel=1e-5)
        assert probs[:, 3] == pytest.approx(51 / 52, rel=1e-5)
        assert probs[:, [1, 2, 4]] == pytest.approx(known, abs=1e-5)


@every_head
def test_a_lesson_in_which_no_class_varies_is_answered(head: Head):
    given = each_lesson(2, 8)
    for probs in check(head, replace(given, labels=np.tile(np.array([[0, 1]], np.uint8), (8, 1)))):
        assert probs == pytest.approx(np.tile([0.1, 0.9], (len(probs), 1)), rel=1e-5)


@every_head
def test_one_example_that_shows_a_class_is_enough(head: Head):
    given = each_lesson(2, 30)
    labels = given.labels.copy()
    labels[:, 1] = 0
    labels[7, 1] = 1
    check(head, replace(given, labels=labels))


@every_head
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_pictures_that_are_all_alike_are_answered_with_something(head: Head, value: float):
    given = each_lesson(3)
    check(head, replace(given, rows=np.full_like(given.rows, value)))


@every_head
def test_features_that_never_change_do_no_harm(head: Head):
    given = each_lesson(3)
    rows = given.rows.copy()
    rows[:, ::2] = [0.0, 7.0, -1.0]
    check(head, replace(given, rows=rows))


@every_head
def test_the_same_lesson_gives_the_same_bytes(head: Head):
    for entry in (0, -1):
        assert each_graph_of(head, each_lesson(3), entry) == each_graph_of(head, each_lesson(3), entry)


@every_head
def test_estimates_are_positive_and_grow_with_the_work(head: Head):
    grid = len(head.grid(100))
    small, large, many = (head.estimate_each_s(n, 100, c, grid) for n, c in ((100, 2), (10_000, 2), (10_000, 40)))
    assert 0 < small <= large <= many < 7200


@every_head
def test_weights_are_heeded_as_if_examples_were_there_several_times_or_ignored(head: Head):
    given = each_lesson(2, 40)
    weights = np.where(np.arange(40) % 3 == 0, 3.0, 1.0)
    plain = each_graph_of(head, given)
    weighted = each_graph_of(head, replace(given, weights=weights))
    assert (plain != weighted) == head.heeds_weights
    if head.heeds_weights and not isinstance(head, RandomForest | SupportVectorMachine | LogisticRegression):
        # These standardise nothing and draw nothing: three times the weight is three copies.
        copies = np.repeat(np.arange(40), weights.astype(int))
        repeated = each_graph_of(head, replace(given, rows=given.rows[copies], labels=given.labels[copies]))
        expected = open_small_graph(repeated).run(unseen())
        assert open_small_graph(weighted).run(unseen()) == pytest.approx(expected, abs=1e-6)


# What each of them is


@CLASSES
def test_the_prior_is_the_dummy_classifier(n_classes: int):
    given = each_lesson(n_classes)
    rates = DummyClassifier(strategy="prior").fit(given.rows, given.labels).predict_proba(unseen())
    expected = np.stack([one[:, 1] for one in (rates if isinstance(rates, list) else [rates])], axis=1)
    assert_graph_gives(each_graph_of(Prior(), given), unseen(), expected)


@CLASSES
@pytest.mark.parametrize("is_weighted", [False, True])
def test_logistic_regression(monkeypatch: pytest.MonkeyPatch, n_classes: int, is_weighted: bool):
    made = recorded(monkeypatch, logistic_regression, "SklearnLogisticRegression")
    weights = np.linspace(0.5, 2, 60) if is_weighted else None
    given = each_lesson(n_classes, weights=weights)
    graph = each_graph_of(LogisticRegression(), given, entry=-1)
    query = standardised(unseen(), given.rows)
    expected = np.stack([model.predict_proba(query)[:, 1] for model in made], axis=1)
    assert_graph_gives(graph, unseen(), expected)


class _Shrunk:
    """A covariance estimator for scikit-learn's LDA: shrunk as far as it is told, towards a variance it is told."""

    def __init__(self, shrinkage: float, variance: float) -> None:
        self.shrinkage, self.variance = shrinkage, variance

    def fit(self, rows: np.ndarray) -> _Shrunk:
        centred = rows - rows.mean(axis=0)
        own = centred.T @ centred / len(rows)
        self.covariance_ = (1 - self.shrinkage) * own + self.shrinkage * self.variance * np.eye(rows.shape[1])
        return self

    def get_params(self, deep: bool = True) -> dict[str, float]:
        return {"shrinkage": self.shrinkage, "variance": self.variance}


@CLASSES
@pytest.mark.parametrize("n", [60, 12])
def test_shrunk_lda(n_classes: int, n: int):
    given = each_lesson(n_classes, n)
    rows, query = (standardised(x, given.rows) for x in (given.rows, unseen()))
    _, shrinkage = ledoit_wolf(rows, assume_centered=True)
    variance = np.trace(rows.T @ rows) / len(rows) / DIM
    expected = [
        LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=_Shrunk(shrinkage, variance))
        .fit(rows, shown)
        .predict_proba(query)[:, 1]
        for shown in given.labels.T
    ]
    assert_graph_gives(each_graph_of(ShrunkLda(), given), unseen(), np.stack(expected, axis=1))


@CLASSES
def test_nearest_mean(n_classes: int):
    given = each_lesson(n_classes)
    expected = []
    for shown in given.labels.T:
        means = NearestCentroid().fit(normalize(given.rows.astype(np.float64)), shown).centroids_
        far, near = euclidean_distances(normalize(unseen().astype(np.float64)), means).T ** 2
        expected.append(expit(far - near))
    assert_graph_gives(each_graph_of(NearestMean(), given), unseen(), np.stack(expected, axis=1))


@CLASSES
@pytest.mark.parametrize("entry", range(4))
def test_nearest_neighbours_vote_for_every_class_and_are_smoothed_by_its_rate(n_classes: int, entry: int):
    given = each_lesson(n_classes)
    k = int(NearestNeighbour().grid(DIM)[entry]["neighbours"])
    labels = given.labels[:, 0] if n_classes == 1 else given.labels
    shares = KNeighborsClassifier(k).fit(given.rows, labels).predict_proba(unseen())
    share = np.stack([one[:, 1] for one in (shares if isinstance(shares, list) else [shares])], axis=1)
    expected = (k * share + given.labels.mean(axis=0)) / (k + 1)
    assert_graph_gives(each_graph_of(NearestNeighbour(), given, entry), unseen(), expected)


@CLASSES
@pytest.mark.parametrize("is_weighted", [False, True])
def test_random_forest(monkeypatch: pytest.MonkeyPatch, n_classes: int, is_weighted: bool):
    made = recorded(monkeypatch, random_forest, "RandomForestClassifier")
    given = each_lesson(n_classes, weights=np.linspace(0.5, 2, 60) if is_weighted else None)
    graph = each_graph_of(RandomForest(), given)
    rows = np.concatenate([given.rows, unseen()])
    shares = made[0].predict_proba(rows)
    share = np.stack([one[:, 1] for one in (shares if isinstance(shares, list) else [shares])], axis=1)
    trees = len(made[0].estimators_)
    rates = np.average(given.labels, axis=0, weights=given.weights)
    assert_graph_gives(graph, rows, (trees * share + rates) / (trees + 1))


@CLASSES
@pytest.mark.parametrize(("kernel", "each"), [("linear", True), ("rbf", True), ("rbf", False)])
def test_support_vector_machines_margins_are_logits(
    monkeypatch: pytest.MonkeyPatch, n_classes: int, kernel: Any, each: bool
):
    made = recorded(monkeypatch, support_vectors, "SVC")
    given = each_lesson(n_classes, weights=np.linspace(0.5, 2, 60))
    head = SupportVectorMachine(kernel, each=each)
    for entry, settings in enumerate(head.grid(DIM)):
        made.clear()
        graph = each_graph_of(head, given, entry)
        machines = made[entry * n_classes : (entry + 1) * n_classes]
        rows, query = (standardised(x, given.rows, each=each) for x in (given.rows, unseen()))
        products = linear_kernel(query, rows) if kernel == "linear" else rbf_kernel(query, rows, settings["gamma"])
        margins = np.stack([machine.decision_function(products) for machine in machines], axis=1)
        assert_graph_gives(graph, unseen(), expit(SLOPE * margins))


# Fewer examples


def test_a_subsample_keeps_every_class_shown_and_absent():
    rng = np.random.default_rng(0)
    labels = (rng.random((500, 6)) < [0.5, 0.3, 0.2, 0.1, 0.05, 0.0]).astype(np.uint8)
    labels[3, 5] = 1
    labels[:, 0] = 1
    labels[9, 0] = 0
    kept = subsample_each(labels, 40, seed=0)
    assert 40 <= len(kept) <= 46
    assert (np.diff(kept) > 0).all()
    assert labels[kept].any(axis=0).all()
    assert not labels[kept].all(axis=0).any()
    assert np.array_equal(kept, subsample_each(labels, 40, seed=0))
    assert np.array_equal(subsample_each(labels, 500, seed=0), np.arange(500))


def test_the_rarest_class_of_a_picture_is_found():
    labels = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 0, 1], [1, 1, 0]], dtype=np.uint8)
    assert rarest_class(labels).tolist() == [1, 0, 3, 2, 1]


def test_heads_that_subsample_learn_of_every_class(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.tasks.heads.support_vectors.MOST_EXAMPLES", 12)
    monkeypatch.setattr("winnow.tasks.heads.nearest_neighbour._MAX_BYTES", 4 * DIM * 12)
    given = each_lesson(4, 80)
    labels = given.labels.copy()
    labels[:, 2] = 0
    labels[40, 2] = 1
    for head in HEADS.values():
        check(head, replace(given, labels=labels, weights=np.linspace(0.5, 2, 80)))
