"""What leads from one version to another."""

from __future__ import annotations

from dataclasses import replace

from winnow.data.differences import Change, Differences, differences
from winnow.data.manifest import Box, Example, Manifest

A = Example("ca", "pa", ("cat",), None, "train", "winnow", "a.jpg", 4, 3, "JPEG", 10, False)
B = replace(A, content="cb", pixels="pb", source="b.jpg")
C = replace(A, content="cc", pixels="pc", source="c.jpg")


def between(before: list[Example], after: list[Example]) -> Differences:
    return differences(Manifest.of(before), Manifest.of(after))


def test_the_same_pictures_in_another_order_do_not_differ():
    assert not between([A, B], [B, A])
    assert between([A], [A]).counts["relabelled"] == 0


def test_pictures_come_and_go():
    found = between([A, B], [B, C])
    assert (found.added, found.removed) == (("c.jpg",), ("a.jpg",))
    assert sum(found.counts.values()) == 2


def test_each_change_says_what_was_and_what_is():
    after = [replace(A, labels=None), replace(B, split="test", split_by="user"), replace(C, group="burst")]
    found = between([A, B, C], after)
    assert found.relabelled == (Change("a.jpg", ("cat",), None),)
    assert found.moved == (Change("b.jpg", "train", "test"),)
    assert found.regrouped == (Change("c.jpg", None, "burst"),)
    assert (found.added, found.removed, found.replaced, found.otherwise) == ((), (), (), ())


def test_another_file_under_a_known_name_is_a_replacement_and_not_told_twice():
    found = between([A], [replace(A, content="new", pixels="new", bytes=99)])
    assert found.replaced == (Change("a.jpg", "ca", "new"),)
    assert found.otherwise == ()


def test_what_has_no_word_of_its_own_is_told_all_the_same():
    assert between([A, B], [replace(A, boxes=(Box("cat", 0, 0, 1, 1),)), B]).otherwise == ("a.jpg",)


def test_what_is_computed_from_the_pixels_is_no_difference():
    assert not between([A], [replace(A, phash=b"12345678", warnings=("W_ALPHA",))])


def test_a_name_that_occurs_twice_is_compared_one_by_one():
    assert not between([A, A], [A, A])
    assert between([A, A], [A]).removed == ("a.jpg",)
