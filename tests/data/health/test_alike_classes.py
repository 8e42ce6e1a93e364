"""Classes that are taken for each other both ways look alike."""

from __future__ import annotations

import numpy as np

from winnow.data.edits import MergeClasses
from winnow.data.health.alike_classes import confusion_shares, find_alike_classes
from winnow.data.health.subject import Predictions

from .made import example, only, subject

CLASSES = ("cat", "dog", "lynx", "newt")


def answered(confusions: dict[tuple[str, str], int], each: int = 40):
    """`each` pictures a class, all answered right but for these (truth, answer)."""
    labels, answers = [], []
    for name in CLASSES:
        wrong = [answer for (truth, answer), n in confusions.items() if truth == name for _ in range(n)]
        labels += [name] * each
        answers += wrong + [name] * (each - len(wrong))
    probs = np.full((len(labels), 4), 0.1)
    probs[np.arange(len(labels)), [CLASSES.index(name) for name in answers]] = 0.7
    examples = [example(f"{i}", label) for i, label in enumerate(labels)]
    return subject(examples, predictions=Predictions(np.arange(len(labels)), probs, CLASSES, "features"))


def test_a_pair_confused_both_ways_is_found_with_its_pictures():
    finding = only(find_alike_classes(answered({("cat", "lynx"): 12, ("lynx", "cat"): 8, ("dog", "newt"): 1})))
    assert "'cat' and 'lynx' look alike" in finding.sentence
    assert "30 %" in finding.sentence
    assert "20 %" in finding.sentence
    assert len(finding.examples) == 20
    assert finding.fixes[0].edits == (MergeClasses(["lynx"], "cat"),)


def test_a_class_swallowed_one_way_is_not_alike():
    assert not list(find_alike_classes(answered({("cat", "lynx"): 12})))


def test_where_everything_is_confused_no_pair_stands_out():
    everything = {(one, other): 10 for one in CLASSES for other in CLASSES if one != other}
    assert not list(find_alike_classes(answered(everything)))


def test_shares_are_rows_of_a_confusion_matrix():
    shares = confusion_shares(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), 3)
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3, 0], [0, 1, 0], [0, 0, 0]])
