"""More pictures for a dataset: none twice, none in two splits, and what was decided stays decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from winnow.data.joining import join_examples, rejoined
from winnow.data.manifest import Example, Manifest
from winnow.data.phash import phash

OLD = [
    Example(
        f"c{n}",
        f"p{n}",
        ("ab"[n % 2],),
        None,
        "test" if n % 5 == 0 else "train",
        "winnow",
        f"{n}.png",
        4,
        4,
        "PNG",
        9,
        False,
    )
    for n in range(100)
]


def fresh(n: int, label: str | None = "a") -> Example:
    labels = None if label is None else (label,)
    return replace(OLD[0], content=f"new{n}", pixels=f"new{n}", labels=labels, source=f"new/{n}.png", split="")


def test_old_pictures_keep_their_splits_and_places():
    joined, _ = join_examples(OLD, [fresh(n) for n in range(20)])
    assert joined[:100] == OLD


def test_of_the_new_ones_every_fifth_of_a_class_goes_to_the_test():
    joined, notes = join_examples(OLD, [fresh(n, "ab"[n % 2]) for n in range(40)])
    assert Counter((e.label, e.split) for e in joined[100:]) == {
        ("a", "train"): 16,
        ("a", "test"): 4,
        ("b", "train"): 16,
        ("b", "test"): 4,
    }
    assert notes[0].text == "8 of 40 new pictures were put aside for the test split."


def test_copies_and_group_members_follow_those_that_are_there():
    old = [replace(OLD[0], group="burst"), *OLD[1:]]
    copy_of_test, copy_of_train = (replace(fresh(n), pixels=f"p{n}") for n in (5, 1))
    member = replace(fresh(3), group="burst")
    joined, _ = join_examples(old, [copy_of_test, copy_of_train, member])
    assert [e.split for e in joined[100:]] == ["test", "train", "test"]


def test_what_looks_nearly_the_same_follows_too():
    rng = np.random.default_rng(0)
    scenes = [np.kron(rng.integers(0, 256, (9, 9, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(101)]
    old = [replace(example, phash=phash(scene)) for example, scene in zip(OLD, scenes[:100], strict=True)]
    darker = replace(fresh(1), phash=phash((scenes[0] * 0.9).astype(np.uint8)))
    other = replace(fresh(2), phash=phash(scenes[100]))
    joined, _ = join_examples(old, [darker, other], test_share=0)
    assert [e.split for e in joined[100:]] == ["test", "train"]


def test_pictures_of_several_classes_are_shared_out_by_class():
    new = [replace(fresh(n), labels=[("a",), ("a", "b"), ()][n % 3]) for n in range(60)]
    joined, _ = join_examples(OLD, new)
    tested = [e.labels for e in joined[100:] if e.split == "test"]
    assert 10 <= len(tested) <= 14
    assert sum("a" in (labels or ()) for labels in tested) == 8
    assert sum("b" in (labels or ()) for labels in tested) == 4


def test_what_the_user_put_into_training_is_left_out_if_it_judges_already():
    joined, notes = join_examples(OLD, [replace(fresh(5), pixels="p5", split="train", split_by="user")])
    assert len(joined) == 100
    assert "also lie in your test split" in notes[0].text


def test_all_learn_where_the_test_split_is_the_users_own():
    own = [replace(e, split_by="user") for e in OLD]
    joined, _ = join_examples(own, [fresh(n) for n in range(20)])
    assert {e.split for e in joined[100:]} == {"train"}


def test_a_dataset_too_small_for_a_test_split_gets_one_from_enough_new_pictures():
    small = [replace(e, split="train") for e in OLD[:10]]
    few, _ = join_examples(small, [fresh(n, "ab"[n % 2]) for n in range(20)])
    assert {e.split for e in few} == {"train"}
    many, _ = join_examples(small, [fresh(n, "ab"[n % 2]) for n in range(60)])
    assert Counter(e.split for e in many) == {"train": 58, "test": 12}
    assert {e.split for e in many[:10]} == {"train"}


def test_the_same_file_under_the_same_name_is_told_anew_but_keeps_its_split():
    again = replace(OLD[5], labels=("c",), split="", group="g")
    joined, _ = join_examples(OLD, [again])
    assert joined[5] == replace(OLD[5], labels=("c",), group="g")
    assert len(joined) == 100


def test_what_the_new_one_does_not_say_stays():
    old = [replace(OLD[0], group="g"), *OLD[1:]]
    joined, _ = join_examples(old, [replace(old[0], labels=None, group=None, split="")])
    assert joined == old


@pytest.mark.parametrize("named", ["5.png", "c5"])
def test_a_label_that_somebody_has_set_stays(named: str):
    joined, _ = join_examples(OLD, [replace(OLD[5], labels=("c",), split="")], decided={named})
    assert joined == OLD


def test_what_was_dropped_stays_out_unless_it_is_back_or_another_file_has_the_name():
    gone, other = OLD[5], replace(fresh(1), source="5.png")
    kept, notes = join_examples([*OLD[:5], *OLD[6:]], [gone, other], dropped={("5.png", "c5")})
    assert [e.content for e in kept[99:]] == ["new1"]
    assert "1 picture that was dropped here before stays out" in notes[0].text
    assert join_examples(OLD, [gone], dropped={("5.png", "c5")}) == (OLD, [])


def test_another_file_under_a_known_name_is_another_picture_once():
    other = replace(fresh(1), source="5.png")
    once, _ = join_examples(OLD, [other])
    assert [e.source for e in once[100:]] == ["5 (2).png"]
    assert once[5] == OLD[5]
    twice, _ = join_examples(once, [other])
    assert twice == once


def test_the_same_seed_draws_the_same():
    new = [fresh(n, "ab"[n % 2]) for n in range(40)]
    assert join_examples(OLD, new, seed=3) == join_examples(OLD, new, seed=3)
    assert join_examples(OLD, new, seed=3) != join_examples(OLD, new, seed=4)


def test_what_was_done_while_pictures_were_read_stays_done():
    base = Manifest.of(OLD)
    joined = Manifest.of([*OLD, replace(fresh(0), split="train"), replace(fresh(1), split="test")])
    newest = Manifest.of([replace(OLD[0], labels=("c",)), *OLD[2:]])  # one relabelled, one removed
    both = rejoined(base, joined, newest).examples()
    assert both[:99] == newest.examples()
    assert [e.source for e in both[99:]] == ["new/0.png", "new/1.png"]


def test_a_label_set_while_pictures_were_read_holds_against_what_they_say():
    base = Manifest.of(OLD)
    joined = Manifest.of([replace(OLD[0], labels=("b",)), replace(OLD[1], labels=("b",)), *OLD[2:]])
    newest = Manifest.of([replace(OLD[0], labels=("c",)), OLD[1], *OLD[3:]])  # one relabelled, another removed
    both = {example.source: example.labels for example in rejoined(base, joined, newest).examples()}
    assert both[OLD[0].source] == ("c",)
    assert both[OLD[1].source] == ("b",)
    assert OLD[2].source not in both
