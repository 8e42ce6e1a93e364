"""Edits: each does what it says, says what it did, and means the same when it is read back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from winnow.data.draft import Draft
from winnow.data.edits import (
    EDITS,
    AddLabels,
    Edit,
    MergeClasses,
    MoveToSplit,
    Relabel,
    Remove,
    RemoveLabels,
    RenameClass,
    SetGroup,
    apply_all,
    edited,
    from_json,
    to_json,
)
from winnow.data.manifest import Box, Example, Manifest
from winnow.errors import NotFoundError, UserError

A = Example("ca", "pa", ("cat",), None, "train", "winnow", "cat/a.jpg", 4, 3, "JPEG", 10, False)
B = replace(A, content="cb", pixels="pb", labels=("dog",), source="dog/b.jpg", bytes=20)
C = replace(A, content="cc", pixels="pc", labels=None, source="c.jpg", bytes=30)
PETS = Manifest.of([A, B, C], {"source": "pets"})


def rows_after(*edits: Edit, of: Manifest = PETS) -> list[Example]:
    return edited(of, edits)[0].examples()


def said_by(*edits: Edit, of: Manifest = PETS) -> str:
    return edited(of, edits)[1]


def test_relabelling_changes_the_label_and_nothing_else():
    assert rows_after(Relabel({"c.jpg": "cat"})) == [A, B, replace(C, labels=("cat",))]


def test_a_picture_is_found_by_the_content_of_its_file_too():
    assert rows_after(Relabel({"cb": "cat"}))[1].labels == ("cat",)


def test_a_picture_that_lies_there_twice_is_named_by_each_source_or_by_its_content():
    twice = Manifest.of([A, replace(A, source="again/a.jpg"), B])
    assert [e.label for e in rows_after(Relabel({"again/a.jpg": "lynx"}), of=twice)] == ["cat", "lynx", "dog"]
    assert [e.label for e in rows_after(Relabel({"ca": "lynx"}), of=twice)] == ["lynx", "lynx", "dog"]


@pytest.mark.parametrize(
    ("label", "becomes"),
    [
        ("dog ", ("dog",)),
        (["a", "b", "a"], ("a", "b")),
        ([], ()),
        (None, None),
        ("e\u0301", ("é",)),
        ("d\u202eog", ("dog",)),
    ],
)
def test_labels_are_kept_as_imports_keep_them(label: Any, becomes: tuple[str, ...] | None):
    assert rows_after(Relabel({"cat/a.jpg": label}))[0].labels == becomes


def test_labels_are_added_beside_those_that_are_there():
    assert [e.labels for e in rows_after(AddLabels(["cat/a.jpg", "c.jpg"], ["wild", "cat"]))] == [
        ("cat", "wild"),
        ("dog",),
        ("wild", "cat"),
    ]


def test_a_picture_with_one_class_is_unlabelled_when_it_is_taken_off():
    assert rows_after(RemoveLabels("cat/a.jpg", "cat"))[0].labels is None


def test_a_picture_with_several_classes_shows_none_of_them_when_the_last_is_taken_off():
    several = Manifest.of([replace(A, labels=("cat", "wild")), B])
    assert rows_after(RemoveLabels("cat/a.jpg", ["cat", "wild"]), of=several)[0].labels == ()


def test_removed_pictures_are_gone_and_the_others_keep_their_order():
    assert rows_after(Remove(["dog/b.jpg"])) == [A, C]


def test_merging_takes_the_labels_of_boxes_along_and_names_no_class_twice():
    box = Box("Cat", 0, 0, 2, 2)
    mixed = Manifest.of([replace(A, labels=("Cat", "cat"), boxes=(box, replace(box, label="dog"))), B])
    merged = rows_after(MergeClasses(["Cat"], "cat"), of=mixed)[0]
    assert merged.labels == ("cat",)
    assert [box.label for box in merged.boxes] == ["cat", "dog"]


def test_renaming_changes_every_picture_of_the_class():
    assert [e.labels for e in rows_after(RenameClass("cat", "Katze"))] == [("Katze",), ("dog",), None]


def test_where_no_label_is_left_no_class_can_be_renamed():
    with pytest.raises(NotFoundError, match=r"no class 'cat'\. No picture has a label now"):
        rows_after(Relabel({"cat/a.jpg": None, "dog/b.jpg": None}), RenameClass("cat", "Katze"))


def test_moving_takes_exact_copies_along_and_says_so():
    copied = Manifest.of([A, replace(A, content="other", source="copy.png"), B])
    assert [(e.split, e.split_by) for e in rows_after(MoveToSplit("copy.png", "test"), of=copied)] == [
        ("test", "user"),
        ("test", "user"),
        ("train", "winnow"),
    ]
    assert said_by(MoveToSplit("copy.png", "val"), of=copied) == (
        "moved 'copy.png' to validation, with 1 copy of the same pixels"
    )


def test_moving_a_part_of_a_group_says_what_it_does_to_figures():
    grouped = Manifest.of([replace(A, group="burst"), replace(B, group="burst"), C])
    assert "1 group now in two splits" in said_by(MoveToSplit("cat/a.jpg", "test"), of=grouped)
    assert "group" not in said_by(MoveToSplit(["cat/a.jpg", "dog/b.jpg"], "test"), of=grouped)


def test_groups_are_set_and_taken_back():
    grouped, _ = edited(PETS, [SetGroup(["cat/a.jpg", "c.jpg"], "burst")])
    assert grouped.column("group") == ["burst", None, "burst"]
    assert rows_after(SetGroup("c.jpg", None), of=grouped)[2].group is None


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (Relabel({"c.jpg": "cat"}), "relabelled 'c.jpg' as 'cat'"),
        (Relabel({"c.jpg": "cat", "dog/b.jpg": "cat"}), "relabelled 2 pictures as 'cat'"),
        (Relabel({"c.jpg": "cat", "dog/b.jpg": "lynx"}), "relabelled 2 pictures"),
        (Relabel({"cat/a.jpg": None}), "took the label off 'cat/a.jpg'"),
        (Relabel({"c.jpg": ()}), "relabelled 'c.jpg' as none of the classes; pictures may have several classes"),
        (AddLabels("c.jpg", "cat"), "added 'cat' to 'c.jpg'"),
        (RemoveLabels("cat/a.jpg", "cat"), "took 'cat' off 'cat/a.jpg'"),
        (Remove(["c.jpg", "cat/a.jpg"]), "removed 2 pictures"),
        (MergeClasses(["dog"], "cat"), "merged 'dog' into 'cat': 1 picture"),
        (RenameClass("dog", "Hund"), "renamed 'dog' to 'Hund': 1 picture"),
        (SetGroup("c.jpg", "burst"), "put 'c.jpg' into the group 'burst'"),
    ],
)
def test_every_edit_says_what_it_did(edit: Edit, sentence: str):
    assert said_by(edit).startswith(sentence)


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: Relabel({"cat/b.jpg": "dog"}), NotFoundError, r"No picture 'cat/b\.jpg'.*Did you mean dog/b\.jpg\?"),
        (lambda: Relabel({"c.jpg": " "}), UserError, "give a class name"),
        (lambda: Relabel({}), UserError, "at least one picture"),
        (lambda: Remove(["cat/a.jpg", "dog/b.jpg", "c.jpg"]), UserError, "Nothing would be left"),
        (lambda: MergeClasses(["Cat"], "dog"), NotFoundError, r"no class 'Cat'\. Did you mean cat\?"),
        (lambda: MergeClasses(["cat"], "cat"), UserError, "into itself"),
        (lambda: RenameClass("cat", "dog"), UserError, "winnow merge"),
        (lambda: MoveToSplit("c.jpg", "tset"), UserError, r"no split 'tset'\. Did you mean test\?"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_to_do(make: Any, error: type[Exception], sentence: str):
    with pytest.raises(error, match=sentence):
        edited(PETS, [make()])


def test_several_edits_are_applied_all_or_none():
    draft = Draft(PETS)
    with pytest.raises(NotFoundError):
        apply_all([Remove("c.jpg"), AddLabels("cat/a.jpg", "wild"), SetGroup("nobody", "x")], draft)
    assert draft.manifest({}).digest() == PETS.digest()
    assert (len(draft), draft.classes, draft.bytes, draft.task) == (3, ["cat", "dog"], 60, "classify")


def test_whether_pictures_may_have_several_classes_is_not_for_the_last_edit_to_say():
    one_of_each, _ = edited(PETS, [AddLabels("cat/a.jpg", "wild"), RemoveLabels("cat/a.jpg", "wild")])
    assert one_of_each.task == "multilabel"


def test_the_table_of_what_was_edited_is_as_if_it_had_been_made_so():
    manifest, _ = edited(PETS, [Relabel({"c.jpg": "dog"}), Remove("cat/a.jpg"), SetGroup("dog/b.jpg", "g")])
    made = Manifest.of([replace(B, group="g"), replace(C, labels=("dog",))])
    assert manifest.digest() == made.digest()
    assert manifest.table.schema == made.table.schema


ONE_OF_EACH: dict[str, Edit] = {
    "relabel": Relabel({"cat/a.jpg": None, "c.jpg": ["x", "y"], "dog/b.jpg": "ä"}),
    "add-labels": AddLabels("c.jpg", ["x", "y"]),
    "remove-labels": RemoveLabels(["cat/a.jpg"], "cat"),
    "remove": Remove("c.jpg"),
    "merge": MergeClasses(["dog"], "cat"),
    "rename": RenameClass("dog", "Hund"),
    "move": MoveToSplit("c.jpg", "valid"),
    "group": SetGroup(["c.jpg"], "burst"),
}


def test_every_kind_is_tested_here():
    assert ONE_OF_EACH.keys() == EDITS.keys()


@pytest.mark.parametrize("edit", ONE_OF_EACH.values(), ids=ONE_OF_EACH)
def test_an_edit_read_back_from_its_text_is_the_same_edit(edit: Edit):
    assert from_json(to_json([edit])) == (edit,)
    assert edited(PETS, from_json(to_json([edit])))[0].digest() == edited(PETS, [edit])[0].digest()


def test_edits_of_a_newer_winnow_are_refused_rather_than_skipped():
    with pytest.raises(UserError, match=r"'hue' was made by a newer Winnow.*upgrade"):
        from_json('[{"kind":"hue"}]')


# A slow oracle: the same edits on a plain list of examples

SOURCES = [f"{n}.png" for n in range(6)]
pictures = some.lists(some.sampled_from(SOURCES), min_size=1, max_size=3, unique=True)
names = some.sampled_from(["cat", "dog", "owl"])
any_edit = some.one_of(
    some.builds(Relabel, some.dictionaries(some.sampled_from(SOURCES), some.one_of(names, some.none()), min_size=1)),
    some.builds(AddLabels, pictures, some.lists(names, min_size=1, max_size=2)),
    some.builds(Remove, pictures),
    some.builds(MergeClasses, some.just(["cat"]), some.just("dog")),
    some.builds(MoveToSplit, pictures, some.sampled_from(["train", "test"])),
)


def slowly(rows: list[Example], edit: Edit) -> list[Example]:
    known = {row.source for row in rows}
    if any(picture not in known for picture in edit.pictures):
        raise NotFoundError("")
    match edit:
        case Relabel():
            to = {k: v if v is None else tuple(v) for k, v in edit.labels.items()}
            return [replace(row, labels=to.get(row.source, row.labels)) for row in rows]
        case AddLabels():
            new = {s: tuple(edit.labels) for s in edit.pictures}
            more = [tuple(dict.fromkeys((*(row.labels or ()), *new.get(row.source, ())))) for row in rows]
            return [
                replace(row, labels=labels) if row.source in new else row
                for row, labels in zip(rows, more, strict=True)
            ]
        case Remove():
            left = [row for row in rows if row.source not in edit.pictures]
            if not left:
                raise UserError("")
            return left
        case MergeClasses():
            if not any("cat" in (row.labels or ()) for row in rows):
                raise NotFoundError("")
            merged = [
                None if row.labels is None else tuple(dict.fromkeys("dog" if n == "cat" else n for n in row.labels))
                for row in rows
            ]
            return [replace(row, labels=labels) for row, labels in zip(rows, merged, strict=True)]
        case MoveToSplit():
            return [
                replace(row, split=edit.split, split_by="user") if row.source in edit.pictures else row for row in rows
            ]
        case _:
            raise AssertionError(edit)


@settings(max_examples=60, deadline=None)
@given(some.lists(any_edit, max_size=8))
def test_a_draft_does_what_a_plain_list_would(edits: list[Edit]):
    rows = [replace(A, content=f"c{s}", pixels=f"p{s}", source=s, bytes=n) for n, s in enumerate(SOURCES)]
    draft = Draft(Manifest.of(rows))
    for edit in edits:
        try:
            rows = slowly(rows, edit)
        except UserError as error:
            with pytest.raises(type(error)):
                apply_all([edit], draft)
        else:
            apply_all([edit], draft)
    manifest = draft.manifest({})
    assert manifest.examples() == rows
    assert (len(draft), draft.classes) == (len(rows), list(manifest.classes))
    assert draft.bytes == sum(row.bytes for row in rows)
