"""Copies: within a class they are duplicates, under two labels conflicts, across splits leaks."""

from __future__ import annotations

from winnow.data.edits import MoveToSplit, Remove
from winnow.data.health.conflicts import find_conflicts, find_near_conflicts
from winnow.data.health.duplicates import find_duplicates, find_near_duplicates
from winnow.data.health.leaks import find_group_leaks, find_leaks
from winnow.data.health.subject import Pair, chains

from .made import example, only, sources, subject

SAME = {"pixels": "the same"}


def test_of_equal_pictures_all_but_the_first_are_dropped():
    given = subject([example("a", **SAME), example("b"), example("c", **SAME), example("d", **SAME)])
    finding = only(find_duplicates(given))
    assert finding.count == 2
    assert sources(finding) == ["c", "d"]
    assert finding.examples[0].evidence == 3
    assert finding.examples[0].beside == "content of a"
    assert finding.fixes[0].edits == (Remove(["c", "d"]),)
    assert finding.commands("my pets") == ("winnow fix 'my pets' --drop duplicates",)


def test_different_pictures_are_no_duplicates():
    given = subject([example("a"), example("b")])
    assert not list(find_duplicates(given))
    assert not list(find_near_duplicates(given))
    assert not list(find_conflicts(given))
    assert not list(find_leaks(given))


def test_of_near_duplicates_the_largest_is_kept():
    given = subject(
        [example("small", width=50), example("large", width=500), example("usual")],
        pairs=[Pair(0, 1, 0.97), Pair(1, 2, 0.99)],
    )
    finding = only(find_near_duplicates(given))
    assert finding.fixes[0].edits == (Remove(["small", "usual"]),)
    assert sources(finding) == ["usual", "large"]  # the most alike pair first


def test_few_near_duplicates_are_good_to_know_and_many_worth_a_look():
    few = subject([example(str(i)) for i in range(100)], pairs=[Pair(0, 1, 0.99)])
    many = subject([example(str(i)) for i in range(100)], pairs=[Pair(i, i + 1, 0.99) for i in range(0, 20, 2)])
    assert only(find_near_duplicates(few)).severity == "good to know"
    assert only(find_near_duplicates(many)).severity == "worth a look"


def test_one_picture_under_two_labels_is_a_conflict_and_neither_label_is_trusted():
    given = subject([example("a", "cat", **SAME), example("b", "dog", **SAME), example("c", "dog")])
    finding = only(find_conflicts(given))
    assert finding.severity == "serious"
    assert "'cat' and 'dog'" in finding.sentence
    assert finding.fixes[0].edits == (Remove(["a", "b"]),)
    assert not list(find_duplicates(given))


def test_an_unlabelled_copy_contradicts_nobody():
    given = subject([example("a", "cat", **SAME), example("b", None, **SAME)])
    assert not list(find_conflicts(given))


def test_labels_in_another_order_are_the_same_labels():
    given = subject([example("a", labels=("cat", "dog"), **SAME), example("b", labels=("dog", "cat"), **SAME)])
    assert not list(find_conflicts(given))


def test_near_duplicates_with_different_labels_are_worth_a_look():
    given = subject([example("a", "cat"), example("b", "dog")], pairs=[Pair(0, 1, 0.98)])
    finding = only(find_near_conflicts(given))
    assert finding.severity == "worth a look"
    assert finding.examples[0].said == "like a"
    assert not list(find_near_duplicates(given))


def test_a_test_picture_that_was_learned_from_is_a_leak():
    given = subject([example("a", **SAME), example("b", split="test", **SAME), example("c")])
    finding = only(find_leaks(given))
    assert finding.severity == "serious"
    assert "1 exact" in finding.sentence
    assert finding.examples[0].said == "in train; b is in test"
    move, drop = finding.fixes
    assert move.edits == (MoveToSplit(["b"], "train"),)
    assert drop.edits == (Remove(["a"]),)


def test_the_users_own_test_split_is_left_as_it_is_first():
    own = {"split": "test", "split_by": "user"}
    given = subject([example("a"), example("b", **own)], pairs=[Pair(0, 1, 0.99)])
    finding = only(find_leaks(given))
    assert "0 exact copies, 1 near" in finding.sentence
    assert [fix.action for fix in finding.fixes] == ["drop", "move"]


def test_a_leaking_group_goes_where_most_of_it_lies():
    tests = [example(f"t{i}", split="test", group="burst") for i in range(3)]
    given = subject([example("a", group="burst"), *tests, example("b", group="other")])
    finding = only(find_group_leaks(given))
    assert "'burst'" in finding.sentence
    assert finding.fixes[0].edits == (MoveToSplit(["a"], "test"),)


def test_friends_of_friends_hang_together():
    assert chains([Pair(0, 1, 1), Pair(3, 4, 1), Pair(1, 2, 1), Pair(2, 0, 1)]) == [[0, 1, 2], [3, 4]]
