"""Wrong labels are found, on MNIST's known ones and planted by hand; a weak model judges nobody."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from winnow.data.edits import Relabel, Remove
from winnow.data.health.label_errors import agreement, find_label_errors, label_issues, multilabel_issues
from winnow.data.health.subject import Predictions

from .made import example, only, sources, subject

CLASSES = ("cat", "dog", "newt")


def judged(labels: list[str], probs: np.ndarray, splits: list[str] | None = None):
    names = splits or ["train"] * len(labels)
    examples = [example(f"{i}", label, split=split) for i, (label, split) in enumerate(zip(labels, names, strict=True))]
    places = np.arange(len(labels))
    return subject(examples, predictions=Predictions(places, probs, CLASSES, "features of a test"))


def sure(labels: list[str], confidence: float = 0.97) -> np.ndarray:
    probs = np.full((len(labels), 3), (1 - confidence) / 2)
    probs[np.arange(len(labels)), [CLASSES.index(label) for label in labels]] = confidence
    return probs


@pytest.fixture
def pets():
    """60 pictures, of which a sure model contradicts numbers 5 (a dog called cat) and 50 (a cat called newt)."""
    truth = [CLASSES[i % 3] for i in range(60)]
    labels = list(truth)
    labels[7], labels[53] = "cat", "newt"
    assert (truth[7], truth[53]) == ("dog", "newt")
    truth[53] = "cat"
    return labels, sure(truth)


def test_labels_that_a_sure_model_contradicts_are_found(pets):
    finding = only(find_label_errors(judged(*pets)))
    assert set(sources(finding)) == {"7", "53"}
    assert finding.examples[0].said in ("dog (97 %)?", "cat (97 %)?")
    assert finding.examples[0].evidence == pytest.approx(0.015)
    relabel, drop = finding.fixes
    assert relabel.edits == (Relabel({"7": "dog", "53": "cat"}),)
    assert drop.edits == (Remove(["7", "53"]),)
    assert relabel.is_judgement


def test_a_test_split_is_not_cleaned_by_a_models_opinion(pets):
    splits = ["train"] * 60
    splits[7] = "test"
    finding = only(find_label_errors(judged(*pets, splits)))
    assert "1 of them is in the test split" in finding.sentence
    assert finding.fixes[0].edits == (Relabel({"53": "cat"}),)


def test_where_the_model_is_not_sure_nothing_is_changed_for_anybody(pets):
    labels, probs = pets
    unsure = 0.8 * probs + 0.2 / 3
    finding = only(find_label_errors(judged(labels, unsure)))
    assert finding.count == 2
    assert finding.fixes == ()


def test_a_model_that_agrees_no_more_than_chance_judges_nobody(pets):
    labels, _ = pets
    rng = np.random.default_rng(0)
    probs = rng.dirichlet([1, 1, 1], len(labels))
    assert not list(find_label_errors(judged(labels, probs)))
    assert not list(find_label_errors(subject([example("a")])))


def test_agreement_is_cohens_kappa():
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(1)
    labels = [CLASSES[i] for i in rng.integers(0, 3, 80)]
    probs = 0.6 * sure(labels) + 0.4 * rng.dirichlet([0.3] * 3, 80)
    given = judged(labels, probs)
    assert given.predictions is not None
    expected = cohen_kappa_score([CLASSES.index(label) for label in labels], probs.argmax(axis=1))
    assert agreement(given, given.predictions) == pytest.approx(expected)


def test_mnists_known_errors_are_flagged_or_ranked_first(test_data: Path):
    folder = test_data / "trustref"
    labels = np.load(folder / "mnist_test_set_original_labels.npy")
    probs = np.load(folder / "mnist_test_set_pyx.npy")
    votes = json.loads((folder / "mnist_mturk.json").read_text())
    # Errors: fewer than three of five people confirmed the label.
    is_error = np.zeros(len(labels), dtype=bool)
    is_error[[one["id"] for one in votes if one["mturk"]["given"] < 3]] = True
    issues = label_issues(labels, probs)
    ranked = np.argsort(issues.self_confidence, kind="stable")
    assert is_error[ranked[:244]].sum() == is_error.sum() == 15
    assert average_precision_score(is_error, -issues.self_confidence) > 0.236
    # Whoever has any doubt at all is among them, too.
    doubted = [one["id"] for one in votes if one["mturk"]["given"] < 5]
    assert set(doubted) <= set(ranked[:244].tolist())


def test_with_several_labels_each_is_judged_for_itself():
    rng = np.random.default_rng(0)
    truth = rng.random((120, 3)) < 0.4
    probs = np.where(truth, 0.97, 0.03)
    given = truth.copy()
    given[5, 0], given[60, 2] = ~given[5, 0], ~given[60, 2]
    issues = multilabel_issues([np.flatnonzero(row).tolist() for row in given], probs)
    assert set(np.flatnonzero(issues.is_flagged).tolist()) == {5, 60}
    examples = [example(str(i), labels=tuple(CLASSES[c] for c in np.flatnonzero(row))) for i, row in enumerate(given)]
    found = subject(examples, predictions=Predictions(np.arange(120), probs, CLASSES, "features"))
    finding = only(find_label_errors(found))
    assert set(sources(finding)) == {"5", "60"}
    mended = finding.fixes[0].edits[0].labels
    assert set(mended["5"] or ()) == {CLASSES[c] for c in np.flatnonzero(truth[5])}


def test_of_several_labels_a_fix_changes_those_alone_that_the_model_is_sure_of():
    rng = np.random.default_rng(0)
    truth = rng.random((120, 2)) < 0.4
    probs = np.where(truth, 0.97, 0.03)
    given = truth.copy()
    truth[5] = given[5] = [True, False]
    given[5, 0] = False
    probs[5] = [0.99, 0.6]  # sure of the cat, not of the dog
    # A class of one picture cannot be judged by a model that has not seen it.
    rare = [("newt",) if i == 5 else () for i in range(120)]
    examples = [
        example(str(i), labels=(*(CLASSES[c] for c in np.flatnonzero(row)), *rare[i])) for i, row in enumerate(given)
    ]
    predictions = Predictions(np.arange(120), probs, CLASSES[:2], "features")
    finding = only(find_label_errors(subject(examples, predictions=predictions)))
    assert finding.fixes[0].edits == (Relabel({"5": ("cat", "newt")}),)
