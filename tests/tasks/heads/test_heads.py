"""Every head's graph answers as scikit-learn does, on both engines."""

from __future__ import annotations

from itertools import combinations
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.special import log_expit, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression
from sklearn.metrics.pairwise import euclidean_distances, linear_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, normalize

from winnow.graph.runtime import open_graph, open_small_graph
from winnow.tasks.classify.calibration import careful_temperature
from winnow.tasks.heads import logistic_regression, random_forest, support_vectors
from winnow.tasks.heads.head import head_graph, logits_graph
from winnow.tasks.heads.lda import ShrunkLda, ledoit_wolf_shrinkage
from winnow.tasks.heads.logistic_regression import LogisticRegression
from winnow.tasks.heads.nearest_mean import NearestMean
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour
from winnow.tasks.heads.prior import Prior
from winnow.tasks.heads.random_forest import TREES, RandomForest, round_down
from winnow.tasks.heads.standardise import Standardiser
from winnow.tasks.heads.support_vectors import SLOPE, SupportVectorMachine

from .lessons import DIM, first_write, graph_of, lesson, unseen

CLASSES = pytest.mark.parametrize("n_classes", [2, 3, 5])
BALANCED = pytest.mark.parametrize("is_balanced", [False, True])


def assert_graph_gives(graph: bytes, rows: np.ndarray, expected: np.ndarray) -> None:
    """On ONNX Runtime and on OpenVINO (for trees ONNX Runtime twice)."""
    for opened in (open_small_graph(graph), open_graph(graph)):
        probs = opened.run(rows)
        assert np.abs(probs - expected).max() < 1e-5, opened.engine
        assert probs.sum(axis=1) == pytest.approx(1, abs=1e-5)


def recorded(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[Any]:
    """The scikit-learn models that a head makes, in order."""
    make, made = getattr(module, name), []

    def record(*args: Any, **options: Any) -> Any:
        made.append(make(*args, **options))
        return made[-1]

    monkeypatch.setattr(module, name, record)
    return made


def _standardised(rows: np.ndarray, on: np.ndarray, *, each: bool = True) -> np.ndarray:
    """As scikit-learn standardises; with one common scale, the root of the mean variance, if not `each`."""
    scaler = StandardScaler(with_std=each).fit(on.astype(np.float64))
    scaled = scaler.transform(rows.astype(np.float64))
    return scaled if each else scaled / np.sqrt(on.astype(np.float64).var(axis=0).mean())


@CLASSES
@BALANCED
@pytest.mark.parametrize("each", [True, False])
def test_logistic_regression(monkeypatch: pytest.MonkeyPatch, n_classes: int, is_balanced: bool, each: bool):
    made = recorded(monkeypatch, logistic_regression, "SklearnLogisticRegression")
    given = lesson(n_classes, is_balanced=is_balanced)
    graph = graph_of(LogisticRegression(each=each), given, entry=-1)
    assert made[0].class_weight == ("balanced" if is_balanced else None)
    assert_graph_gives(graph, unseen(), made[0].predict_proba(_standardised(unseen(), given.rows, each=each)))


def test_every_penalty_of_logistic_regression_ends_where_a_fresh_start_would():
    given = lesson(3, 40)
    head = LogisticRegression()
    rows, query = (_standardised(x, given.rows) for x in (given.rows, unseen()))
    for entry, settings in enumerate(head.grid(DIM)):
        fresh = SklearnLogisticRegression(C=settings["C"], tol=1e-8, max_iter=5000).fit(rows, given.labels)
        probs = open_small_graph(graph_of(head, given, entry)).run(unseen())
        assert probs == pytest.approx(fresh.predict_proba(query), abs=0.02)


@CLASSES
@BALANCED
def test_shrunk_lda(n_classes: int, is_balanced: bool):
    given = lesson(n_classes, is_balanced=is_balanced)
    priors = np.full(n_classes, 1 / n_classes) if is_balanced else None
    oracle = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
    oracle.fit(_standardised(given.rows, given.rows), given.labels)
    expected = oracle.predict_proba(_standardised(unseen(), given.rows))
    assert_graph_gives(graph_of(ShrunkLda(), given), unseen(), expected)


@pytest.mark.parametrize(("n", "d"), [(5, 40), (60, 8), (200, 30)])
def test_the_shrinkage_is_ledoit_and_wolfs(n: int, d: int):
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    rows -= rows.mean(axis=0)
    shrinkage, mean_variance = ledoit_wolf_shrinkage(rows)
    _, expected = ledoit_wolf(rows, assume_centered=True)
    assert shrinkage == pytest.approx(expected, rel=1e-9)
    assert mean_variance == pytest.approx((rows**2).mean())


def test_shrunk_lda_of_one_example_a_class_prefers_the_nearest():
    given = lesson(5, 1)
    distances = euclidean_distances(_standardised(unseen(), given.rows), _standardised(given.rows, given.rows))
    order = np.argsort(given.labels)
    assert_graph_gives(graph_of(ShrunkLda(), given), unseen(), softmax(-0.5 * distances[:, order] ** 2, axis=1))


@CLASSES
def test_nearest_class_mean(n_classes: int):
    given = lesson(n_classes)
    means = NearestCentroid().fit(normalize(given.rows.astype(np.float64)), given.labels).centroids_
    distances = euclidean_distances(normalize(unseen().astype(np.float64)), means)
    assert_graph_gives(graph_of(NearestMean(), given), unseen(), softmax(-(distances**2), axis=1))


@CLASSES
@pytest.mark.parametrize("entry", range(4))
def test_nearest_neighbours_vote_and_are_smoothed_by_the_prior(n_classes: int, entry: int):
    given = lesson(n_classes, 8)
    k = min(int(NearestNeighbour().grid(DIM)[entry]["neighbours"]), len(given.labels))
    share = KNeighborsClassifier(k).fit(given.rows, given.labels).predict_proba(unseen())
    prior = np.bincount(given.labels) / len(given.labels)
    assert_graph_gives(graph_of(NearestNeighbour(), given, entry), unseen(), (k * share + prior) / (k + 1))


def test_balanced_neighbours_count_a_rare_classs_vote_for_more():
    given = lesson(3, 8, is_balanced=True)
    share = KNeighborsClassifier(8).fit(given.rows, given.labels).predict_proba(unseen())
    prior = np.bincount(given.labels) / len(given.labels)
    votes = (8 * share + prior) / prior
    assert_graph_gives(graph_of(NearestNeighbour(), given, 1), unseen(), votes / votes.sum(axis=1, keepdims=True))


def test_neighbours_that_do_not_fit_into_the_graph_are_subsampled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.tasks.heads.nearest_neighbour._MAX_BYTES", 4 * DIM * 10)
    given = lesson(3, 30)
    smaller = graph_of(NearestNeighbour(), given)
    monkeypatch.undo()
    assert len(smaller) < len(graph_of(NearestNeighbour(), given)) / 2
    assert open_small_graph(smaller).run(unseen()).shape == (40, 3)


def _forest_shares(made: list[Any], rows: np.ndarray, prior: np.ndarray) -> np.ndarray:
    return (TREES * made[0].predict_proba(rows) + prior) / (TREES + 1)


@CLASSES
@BALANCED
def test_random_forest(monkeypatch: pytest.MonkeyPatch, n_classes: int, is_balanced: bool):
    made = recorded(monkeypatch, random_forest, "RandomForestClassifier")
    given = lesson(n_classes, is_balanced=is_balanced)
    graph = graph_of(RandomForest(), given)
    prior = np.bincount(given.labels) / len(given.labels)
    if is_balanced:
        prior = np.full(n_classes, 1 / n_classes)
    rows = np.concatenate([given.rows, unseen()])
    assert_graph_gives(graph, rows, _forest_shares(made, rows, prior))


def test_a_forest_whose_trees_all_agree_on_the_first_of_two_classes(monkeypatch: pytest.MonkeyPatch):
    # ONNX Runtime's classifier op takes such a row for a single score; the regressor op does not.
    made = recorded(monkeypatch, random_forest, "RandomForestClassifier")
    given = lesson(2, distance=30)
    graph = graph_of(RandomForest(), given)
    shares = made[0].predict_proba(given.rows)
    assert (shares[given.labels == 0] == [1, 0]).all(axis=1).any()
    prior = np.bincount(given.labels) / len(given.labels)
    assert_graph_gives(graph, given.rows, _forest_shares(made, given.rows, prior))


def test_features_that_lie_exactly_at_a_trees_threshold_go_the_same_way(monkeypatch: pytest.MonkeyPatch):
    made = recorded(monkeypatch, random_forest, "RandomForestClassifier")
    given = lesson(3)
    graph = graph_of(RandomForest(), given)
    rows = []
    for tree in (one.tree_ for one in made[0].estimators_[:20]):
        for node in np.flatnonzero(tree.children_left >= 0)[:4]:
            nearest = np.float32(tree.threshold[node])
            for value in (nearest, np.nextafter(nearest, np.float32(-9e9)), np.nextafter(nearest, np.float32(9e9))):
                row = given.rows[len(rows) % len(given.rows)].copy()
                row[tree.feature[node]] = value
                rows.append(row)
    prior = np.bincount(given.labels) / len(given.labels)
    assert_graph_gives(graph, np.stack(rows), _forest_shares(made, np.stack(rows), prior))


def test_rounding_down_gives_the_largest_float32_that_is_not_above():
    values = np.concatenate([np.random.default_rng(0).normal(size=1000), [0.0, 0.1, -0.1, 1 / 3, -1 / 3, 2.0, 1e-40]])
    down = round_down(values)
    assert (down <= values).all()
    assert (np.nextafter(down, np.float32(np.inf)).astype(np.float64) > values).all()


@CLASSES
@BALANCED
@pytest.mark.parametrize(("kernel", "each"), [("linear", True), ("rbf", True), ("rbf", False)])
def test_support_vector_machines_vote_softly(
    monkeypatch: pytest.MonkeyPatch, n_classes: int, is_balanced: bool, kernel: Any, each: bool
):
    made = recorded(monkeypatch, support_vectors, "SVC")
    given = lesson(n_classes, is_balanced=is_balanced)
    head = SupportVectorMachine(kernel, each=each)
    for entry, settings in enumerate(head.grid(DIM)):
        made.clear()
        graph = graph_of(head, given, entry)
        machine = made[entry]
        rows, query = (_standardised(x, given.rows, each=each) for x in (given.rows, unseen()))
        products = linear_kernel(query, rows) if kernel == "linear" else rbf_kernel(query, rows, settings["gamma"])
        margins = machine.set_params(decision_function_shape="ovo").decision_function(products)
        if n_classes == 2:  # scikit-learn: positive means class 1
            margins = -margins[:, None]
        logits = np.zeros((len(query), n_classes))
        for pair, (i, j) in enumerate(combinations(range(n_classes), 2)):
            logits[:, i] += log_expit(SLOPE * margins[:, pair])
            logits[:, j] += log_expit(-SLOPE * margins[:, pair])
        assert_graph_gives(graph, unseen(), softmax(logits, axis=1))


def test_soft_votes_choose_as_scikit_learns_machine_does(monkeypatch: pytest.MonkeyPatch):
    made = recorded(monkeypatch, support_vectors, "SVC")
    given = lesson(4, 30)
    probs = open_small_graph(graph_of(SupportVectorMachine("linear"), given, entry=1)).run(unseen(200))
    chosen = made[1].predict(
        linear_kernel(_standardised(unseen(200), given.rows), _standardised(given.rows, given.rows))
    )
    assert (probs.argmax(axis=1) == chosen).mean() > 0.95


@CLASSES
def test_the_prior_is_the_dummy_classifier(n_classes: int):
    given = lesson(n_classes)
    expected = DummyClassifier(strategy="prior").fit(given.rows, given.labels).predict_proba(unseen())
    assert_graph_gives(graph_of(Prior(), given), unseen(), expected)


@CLASSES
@pytest.mark.parametrize("name", ["lda", "logistic regression"])
def test_the_calibrated_graph_is_scikit_learns_temperature_scaling(
    monkeypatch: pytest.MonkeyPatch, n_classes: int, name: str
):
    given, held_out = lesson(n_classes, 30), lesson(n_classes, 60)
    made = recorded(monkeypatch, logistic_regression, "SklearnLogisticRegression")
    write = first_write(ShrunkLda() if name == "lda" else LogisticRegression(), given, entry=-1)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto") if name == "lda" else made[0]
    if name == "lda":
        model.fit(_standardised(given.rows, given.rows), given.labels)
    held_out_rows = (held_out.rows + 0.1).astype(np.float32)
    logits = open_small_graph(logits_graph(write, DIM, n_classes)).run(held_out_rows)
    temperature = careful_temperature(logits, held_out.labels)

    standardise = FunctionTransformer(lambda x: _standardised(x, given.rows))
    pipeline = make_pipeline(standardise.fit(given.rows), model)
    oracle = CalibratedClassifierCV(FrozenEstimator(pipeline), method="temperature")
    oracle.fit(held_out_rows, held_out.labels)
    graph = head_graph(write, temperature, DIM, n_classes)
    assert_graph_gives(graph, unseen(), oracle.predict_proba(unseen()))


def test_a_standardiser_is_scikit_learns_and_leaves_constant_features_at_0():
    rows = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32) * [1, 10, 0.1, 0] + [0, 5, 0, 3]
    rows = rows.astype(np.float32)
    assert Standardiser.of(rows).apply(rows) == pytest.approx(StandardScaler().fit_transform(rows), abs=1e-5)
    common = Standardiser.of(rows, each=False).apply(rows)
    assert common.astype(np.float64).var(axis=0).mean() == pytest.approx(1, rel=1e-5)
    ratio = common.std(axis=0)[:3] / rows.std(axis=0)[:3]
    assert ratio == pytest.approx(np.full(3, ratio[0]), rel=1e-4)
