"""What every head promises, whatever it learns; a new rung's head is tested the day it is added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from winnow.graph.runtime import open_small_graph
from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.classify.rungs import all_rungs
from winnow.tasks.heads.head import ABSENT_LOGIT, Head, Lesson, head_graph, learn_all_classes, logits_graph
from winnow.tasks.heads.logistic_regression import LogisticRegression
from winnow.tasks.heads.prior import Prior
from winnow.tasks.heads.random_forest import RandomForest
from winnow.tasks.heads.subsample import stratified_subsample

from .lessons import DIM, graph_of, lesson, unseen

HEADS = {
    f"{type(rung.head).__name__}{sorted(vars(rung.head).items())}": rung.head
    for rung in all_rungs()
    if isinstance(rung, HeadRung)
}
every_head = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.tasks.heads.random_forest.TREES", 10)


def check(head: Head, given: Lesson) -> list[np.ndarray]:
    """Probabilities (N, C) of every entry of the grid, after what holds for all of them was checked."""
    grid = head.grid(given.rows.shape[1])
    writes = learn_all_classes(head, given, grid)
    assert len(writes) == len(grid) > 0
    rows = np.concatenate([unseen(), given.rows])
    gave: list[np.ndarray] = []
    for write in writes:
        logits = open_small_graph(logits_graph(write, DIM, given.n_classes)).run(rows)
        assert logits.shape == (len(rows), given.n_classes)
        assert np.isfinite(logits).all()
        graph = head_graph(write, 1.7, DIM, given.n_classes)
        onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
        probs = open_small_graph(graph).run(rows)
        assert probs.min() >= 0
        assert probs.sum(axis=1) == pytest.approx(1, abs=1e-5)
        gave.append(probs)
    return gave


@every_head
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("is_balanced", [False, True])
def test_a_head_learns_any_number_of_classes(head: Head, n_classes: int, is_balanced: bool):
    check(head, lesson(n_classes, is_balanced=is_balanced))


@every_head
@pytest.mark.parametrize("n_classes", [2, 5])
def test_one_example_a_class_is_enough(head: Head, n_classes: int):
    check(head, lesson(n_classes, 1))


@every_head
def test_features_that_never_change_do_no_harm(head: Head):
    given = lesson(3)
    rows = given.rows.copy()
    rows[:, ::2] = [0.0, 7.0, -1.0]
    check(head, replace(given, rows=rows))


@every_head
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_pictures_that_are_all_alike_are_answered_with_something(head: Head, value: float):
    given = lesson(3)
    check(head, replace(given, rows=np.full_like(given.rows, value)))


@every_head
def test_a_class_whose_examples_are_all_alike_is_learned(head: Head):
    given = lesson(3)
    rows = given.rows.copy()
    rows[given.labels == 1] = rows[np.flatnonzero(given.labels == 1)[0]]
    check(head, replace(given, rows=rows))


@every_head
def test_a_class_that_was_never_shown_is_held_possible_but_never_likely(head: Head):
    given = lesson(3)
    # Class ids 0, 2, 4 of five are present.
    sparse = replace(given, labels=given.labels * 2, n_classes=5)
    for probs, known in zip(check(head, sparse), check(head, given), strict=True):
        assert probs[:, [1, 3]].max() < 1e-6
        assert probs[:, [0, 2, 4]] == pytest.approx(known, abs=1e-5)


@every_head
def test_a_lesson_of_one_class_is_answered_with_that_class(head: Head):
    given = lesson(3)
    for probs in check(head, replace(given, labels=np.full_like(given.labels, 1))):
        assert probs[:, 1].min() > 1 - 1e-6
        assert 0 < probs[:, 0].max() <= np.exp(ABSENT_LOGIT / 1.7) * 1.01


@every_head
def test_the_same_lesson_gives_the_same_bytes(head: Head):
    for entry in (0, -1):
        assert graph_of(head, lesson(3), entry) == graph_of(head, lesson(3), entry)


@every_head
def test_estimates_are_positive_and_grow_with_the_work(head: Head):
    grid = len(head.grid(100))
    small, large = head.estimate_s(100, 100, 2, grid), head.estimate_s(10_000, 100, 2, grid)
    assert 0 < small <= large < 3600


@every_head
def test_a_lower_temperature_is_surer(head: Head):
    given = lesson(2)
    calm = open_small_graph(graph_of(head, given, temperature=3.0)).run(unseen())
    sure = open_small_graph(graph_of(head, given, temperature=0.5)).run(unseen())
    assert (sure.max(axis=1) >= calm.max(axis=1) - 1e-6).all()
    assert np.array_equal(sure.argmax(axis=1), calm.argmax(axis=1))


@every_head
def test_weights_are_heeded_or_ignored_as_the_head_says(head: Head):
    given = lesson(3)
    plain = graph_of(head, given)
    assert graph_of(head, replace(given, weights=np.ones(len(given.labels)))) == plain or head.heeds_weights
    weighted = graph_of(head, replace(given, weights=np.linspace(0.5, 2, len(given.labels))))
    assert (weighted != plain) == head.heeds_weights


@pytest.mark.parametrize("head", [Prior(), LogisticRegression(), RandomForest()], ids=lambda head: type(head).__name__)
def test_weight_makes_a_class_likelier(head: Head):
    given = lesson(3, 30)
    lessons = given, replace(given, weights=np.where(given.labels == 1, 5.0, 1.0))
    plain, weighted = (open_small_graph(graph_of(head, one)).run(unseen())[:, 1].mean() for one in lessons)
    assert weighted > plain


def test_balancing_helps_the_rare_class():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [180, 20])
    rows = (rng.normal(size=(200, DIM)) + 0.7 * labels[:, None]).astype(np.float32)
    for head in HEADS.values():
        plain, balanced = (
            open_small_graph(graph_of(head, Lesson(rows, labels, 2, 0, is_balanced), entry=-1)).run(rows)[:, 1].mean()
            for is_balanced in (False, True)
        )
        if not isinstance(head, RandomForest):  # it knows its own examples by heart, balanced or not
            assert balanced >= plain


def test_a_subsample_has_the_class_shares_of_all_and_every_class():
    labels = np.repeat(np.arange(4), [1, 9, 300, 690])
    kept = stratified_subsample(labels, 100, seed=0)
    assert len(kept) == len(set(kept.tolist())) == 100
    assert (np.diff(kept) > 0).all()
    counts = np.bincount(labels[kept], minlength=4)
    assert counts.tolist() == pytest.approx([1, 1, 30, 68], abs=1)
    assert np.array_equal(kept, stratified_subsample(labels, 100, seed=0))
    assert not np.array_equal(kept, stratified_subsample(labels, 100, seed=1))


def test_a_subsample_never_loses_a_class_however_small_it_is():
    labels = np.arange(50) % 10
    assert set(labels[stratified_subsample(labels, 10, seed=1)]) == set(range(10))
    assert set(labels[stratified_subsample(labels, 3, seed=1)]) == set(range(10))
    assert np.array_equal(stratified_subsample(labels, 50, seed=1), np.arange(50))


def test_heads_that_subsample_learn_of_every_class(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.tasks.heads.support_vectors.MOST_EXAMPLES", 12)
    monkeypatch.setattr("winnow.tasks.heads.nearest_neighbour._MAX_BYTES", 4 * DIM * 12)
    given = lesson(5, 30)
    keep = np.flatnonzero((given.labels != 2) | (np.cumsum(given.labels == 2) == 1))
    rare = replace(given, rows=given.rows[keep], labels=given.labels[keep])
    for head in HEADS.values():
        check(head, rare)
