"""Splits at import: the user's own are kept, the test is drawn whole cluster by whole cluster, leaks are told."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from winnow.data.manifest import Example, examples_of, table_of
from winnow.data.phash import phash
from winnow.data.splitting import SplitPlan, assign_splits, split_table

from .pictures import noise

AS_USUAL = SplitPlan()


def example(i: int, label: str | None = "cat", split: str = "", **changes: object) -> Example:
    blank = Example(
        content=f"{i:064x}",
        pixels=f"{i:064x}",
        labels=None if label is None else (label,),
        group=None,
        split=split,
        split_by="user" if split else "winnow",
        source=f"{i}.jpg",
        width=8,
        height=8,
        format="JPEG",
        bytes=100,
        is_grey=False,
    )
    return replace(blank, **changes)


def of_two_classes(n: int) -> list[Example]:
    return [example(i, ("cat", "dog")[i % 2]) for i in range(n)]


def split(examples: list[Example], plan: SplitPlan = AS_USUAL) -> tuple[list[Example], dict[str, str]]:
    table, notes = split_table(table_of(examples), plan)
    return examples_of(table), {note.code: note.text for note in notes}


def photograph(seed: int) -> Image.Image:
    """Soft random blobs: as full of low frequencies as a photograph."""
    return Image.fromarray(noise(seed, 9, 9)).resize((96, 96), Image.Resampling.BICUBIC)


def recoded(image: Image.Image) -> bytes:
    """The hash of a darker JPEG of a crop."""
    buffer = io.BytesIO()
    ImageEnhance.Brightness(image.crop((3, 2, 95, 93))).enhance(0.8).save(buffer, "JPEG", quality=50)
    return phash(np.asarray(Image.open(buffer)))


def test_a_fifth_of_every_class_is_put_aside_and_the_rest_trains():
    rows, notes = split(of_two_classes(100))
    assert Counter((row.label, row.split) for row in rows) == {
        ("cat", "test"): 10,
        ("cat", "train"): 40,
        ("dog", "test"): 10,
        ("dog", "train"): 40,
    }
    assert {row.split_by for row in rows} == {"winnow"}
    assert notes == {"": "20 of 100 pictures were put aside as the test split; no method sees them."}


def test_a_table_and_a_list_of_examples_are_split_alike():
    rows = [*of_two_classes(60), example(60, None), example(61, "dog", "train", pixels="a" * 64)]
    listed, notes = assign_splits(rows, test_share=0.3, seed=5)
    table, table_notes = split_table(table_of(rows), SplitPlan(0.3, 5))
    assert examples_of(table) == listed
    assert table_notes == notes


def test_near_duplicates_are_never_cut_by_a_drawn_split():
    pictures = [photograph(i) for i in range(60)]
    originals = [example(i, "cat", phash=phash(np.asarray(one))) for i, one in enumerate(pictures)]
    copies = [example(100 + i, "cat", phash=recoded(one)) for i, one in enumerate(pictures)]
    rows, notes = split(originals + copies)
    split_of = {row.source: row.split for row in rows}
    assert all(split_of[f"{i}.jpg"] == split_of[f"{100 + i}.jpg"] for i in range(60))
    assert Counter(split_of.values()) == {"train": 96, "test": 24}
    assert notes["W_NEAR_DUP"].startswith("120 pictures look nearly the same as another (such as 0.jpg and 100.jpg)")


def test_near_duplicates_across_the_users_splits_are_told_and_kept():
    one, other = photograph(1), photograph(2)
    rows, notes = split(
        [
            example(1, split="train", phash=phash(np.asarray(one))),
            example(2, split="train", phash=phash(np.asarray(other))),
            example(3, split="test", phash=recoded(one)),
        ]
    )
    assert len(rows) == 3
    assert "1.jpg and 3.jpg" in notes["W_LEAK_NEAR"]
    assert "winnow fix NAME --move leaks" in notes["W_LEAK_NEAR"]


def test_exact_copies_of_what_judges_are_left_out_of_what_teaches():
    copy = "c" * 64
    rows, notes = split(
        [
            example(1, split="train", pixels=copy),
            example(2, split="validation", pixels=copy),
            example(3, split="test", pixels=copy),
            example(4, split="train"),
        ]
    )
    assert [row.source for row in rows] == ["3.jpg", "4.jpg"]
    assert notes["W_LEAK_DROPPED"].startswith("2 of your pictures also lie in your test split (the first: 1.jpg)")


def test_a_group_in_two_of_the_users_splits_is_told():
    _, notes = split([example(1, split="train", group="p7"), example(2, split="validation", group="p7")])
    assert notes["W_LEAK_GROUP"].startswith("1 groups (such as p7)")


def test_a_picture_under_two_labels_is_told_and_one_under_the_same_is_a_copy():
    same = "d" * 64
    _, notes = split([example(1, "cat", pixels=same), example(2, "dog", pixels=same), example(3, "cat", pixels=same)])
    assert "the first: 1.jpg, cat and dog" in notes["W_LABEL_CONFLICT"]
    assert notes["W_DUP"].startswith("2 pictures are exact copies")


def test_the_order_of_several_labels_is_no_conflict():
    same = "d" * 64
    rows = [example(1, pixels=same, labels=("cat", "dog")), example(2, pixels=same, labels=("dog", "cat"))]
    assert "W_LABEL_CONFLICT" not in split(rows)[1]
    assert "cat + dog and no class" in split([rows[0], replace(rows[1], labels=())])[1]["W_LABEL_CONFLICT"]


def test_pictures_with_several_labels_share_them_out():
    rng = np.random.default_rng(0)
    names = ["sea", "sky", "tree", "boat"]
    has = rng.random((400, 4)) < (0.5, 0.6, 0.2, 0.05)
    rows, _ = split([example(i, labels=tuple(np.array(names)[row])) for i, row in enumerate(has)])
    is_test = np.array([row.split == "test" for row in rows])
    assert np.abs(has[is_test].sum(0) - 0.2 * has.sum(0)).max() <= 1


def test_unlabelled_pictures_train_and_are_never_drawn():
    rows, notes = split([*of_two_classes(60), *(example(i, None) for i in range(60, 90))])
    assert all(row.split == "train" for row in rows if row.labels is None)
    assert notes["W_UNLABELLED"].startswith("30 pictures have no label")


@pytest.mark.parametrize("few", [of_two_classes(49), [*of_two_classes(60), example(99, "owl")]])
def test_too_few_for_a_test_all_train(few):
    rows, notes = split(few)
    assert {row.split for row in rows} == {"train"}
    assert "No test split was put aside" in notes["W_NO_TEST_SPLIT"]


def test_the_users_test_split_is_left_as_it_is():
    rows, _ = split([example(i, ("cat", "dog")[i % 2], "test" if i < 3 else "") for i in range(80)])
    assert [row.source for row in rows if row.split == "test"] == ["0.jpg", "1.jpg", "2.jpg"]
    assert [row.split_by for row in rows[:4]] == ["user", "user", "user", "winnow"]


def test_the_newest_pictures_are_the_test_if_split_by_time():
    rows = [replace(row, taken=f"2024-01-01T{i // 60:02}:{i % 60:02}:00") for i, row in enumerate(of_two_classes(100))]
    split_rows, notes = split(rows, SplitPlan(0.25, by="time"))
    assert [row.source for row in split_rows if row.split == "test"] == [f"{i}.jpg" for i in range(75, 100)]
    assert notes[""].startswith("25 of 100 newest pictures")


def test_by_time_a_group_stays_with_its_oldest_member_and_the_undated_train():
    rows = [replace(row, taken=f"2024-03-{1 + i // 4:02}") for i, row in enumerate(of_two_classes(100))]
    rows[0] = replace(rows[0], group="burst")
    rows[99] = replace(rows[99], group="burst")
    rows[98] = replace(rows[98], taken="long ago")
    split_rows, notes = split(rows, SplitPlan(0.2, by="time"))
    assert {split_rows[i].split for i in (0, 98, 99)} == {"train"}
    assert notes["W_TIME"].startswith("1 new pictures belong together with older ones")


def test_times_are_compared_in_one_zone():
    rows = [replace(row, taken="2024-01-01T12:00:00+00:00") for row in of_two_classes(60)]
    # 13:30 in Berlin is 12:30 in London: newer than noon there, though its clock shows more than 12:45 does.
    rows[:12] = [replace(row, taken="2024-01-01T13:30:00+01:00") for row in rows[:12]]
    rows[12:24] = [replace(row, taken="2024-01-01T12:45:00Z") for row in rows[12:24]]
    split_rows, _ = split(rows, SplitPlan(0.2, by="time"))
    assert [row.source for row in split_rows if row.split == "test"] == [f"{i}.jpg" for i in range(12, 24)]


def test_nothing_to_split_gives_nothing():
    rows, _ = split([], SplitPlan(0))
    assert rows == []
