"""Editing a dataset from Python: every change is a new version that can be told, compared and undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.api.dataset import Dataset
from winnow.api.loading import load
from winnow.api.versions import labels_as_exported, labels_from_csv, named_pictures, one_label_each
from winnow.data.differences import Change
from winnow.data.edits import AddLabels, Relabel
from winnow.errors import BadDataError, ConflictError, NotFoundError
from winnow.workspace.workspace import Workspace

from .squares import write_squares


@pytest.fixture
def squares(photos: Path, tmp_path: Path) -> Dataset:
    """30 pictures of each of the classes "plain" and "square"."""
    return load(photos, workspace=Workspace.open(tmp_path / "workspace"))


def labels(dataset: Dataset) -> dict[str, tuple[str, ...] | None]:
    return {example.source: example.labels for example in dataset.examples()}


def test_labels_are_texts_lists_or_nothing(squares: Dataset):
    after = squares.relabel({"plain/000.png": "odd", "plain/002.png": ["odd", "plain"], "plain/004.png": None})
    assert after.version == 2
    assert [labels(after)[f"plain/00{n}.png"] for n in (0, 2, 4)] == [("odd",), ("odd", "plain"), None]
    assert after.manifest.task == "multilabel"


def test_each_change_makes_a_version_and_leaves_this_one(squares: Dataset):
    changed = squares.merge_classes(["square"], into="plain")
    assert (changed.version, changed.classes) == (2, ("plain",))
    changed = changed.rename_class("plain", "all")
    assert (changed.version, changed.classes) == (3, ("all",))
    changed = changed.remove(["plain/000.png"])
    assert (changed.version, len(changed)) == (4, 59)
    changed = changed.move(["plain/002.png"], "validation")
    assert len(changed.examples("validation")) == 1
    assert (squares.version, len(squares), squares.classes) == (1, 60, ("plain", "square"))


def test_an_edit_applies_to_the_newest_version_whichever_is_held(squares: Dataset):
    squares.relabel({"plain/000.png": "a"})
    both = squares.relabel({"plain/002.png": "b"})
    assert (labels(both)["plain/000.png"], labels(both)["plain/002.png"]) == (("a",), ("b",))


def test_several_edits_are_one_version(squares: Dataset):
    after = squares.edit([Relabel({"plain/000.png": "a"}), AddLabels("plain/000.png", "b")], who="ada")
    assert (after.version, after.log()[0].kind, after.log()[0].who) == (2, "edits", "ada")


def test_who_wants_to_know_hears_of_a_conflict(squares: Dataset):
    squares.relabel({"plain/000.png": "a"})
    with pytest.raises(ConflictError, match="after version 1"):
        squares.edit([Relabel({"plain/000.png": "b"})], expected_version=squares.version)


def test_the_log_tells_what_happened_the_newest_first(squares: Dataset):
    squares.relabel({"plain/000.png": "a"}).restore(1)
    assert [(event.number, event.what) for event in squares.log()] == [
        (3, "restored version 1"),
        (2, "relabelled 'plain/000.png' as 'a'"),
        (1, "imported 60 pictures"),
    ]
    assert all(event.who and event.created for event in squares.log())


def test_differences_lead_from_this_version_to_the_other(squares: Dataset):
    after = squares.relabel({"plain/000.png": "a"}).remove(["plain/002.png"])
    found = squares.diff(after)
    assert found.relabelled == (Change("plain/000.png", ("plain",), ("a",)),)
    assert found.removed == ("plain/002.png",)
    assert after.diff(1).added == ("plain/002.png",)
    assert not after.restore(1).diff(squares)


def test_what_was_restored_equals_what_was(squares: Dataset):
    restored = squares.relabel({"plain/000.png": "a"}).restore(1)
    assert restored.version == 3
    assert restored.manifest.digest() == squares.manifest.digest()


def test_more_pictures_join_and_keep_what_was_decided(squares: Dataset, tmp_path: Path):
    squares.relabel({"plain/000.png": "mine"})
    more = write_squares(tmp_path / "more", n=64)  # the same 60, and 4 more
    grown = squares.add(more)
    assert (grown.version, len(grown)) == (3, 64)
    assert labels(grown)["plain/000.png"] == ("mine",)
    splits = {example.source: example.split for example in grown.examples()}
    assert all(splits[example.source] == example.split for example in squares.examples())
    assert squares.log()[0].what == "added 4 pictures"
    assert squares.add(more).version == 3


def test_more_pictures_undo_no_merge_and_bring_nothing_back_that_was_dropped(squares: Dataset, tmp_path: Path):
    squares.merge_classes(["square"], into="plain").remove("plain/000.png")
    grown = squares.add(write_squares(tmp_path / "more", n=60))
    assert set(grown.classes) == {"plain"}
    assert "plain/000.png" not in labels(grown)


def test_importing_the_same_folder_again_undoes_no_label(squares: Dataset, photos: Path):
    squares.relabel({"plain/000.png": "mine"})
    again = load(photos, workspace=squares.workspace)
    assert (again.version, labels(again)["plain/000.png"]) == (2, ("mine",))


def test_a_file_at_hand_names_its_picture(squares: Dataset, photos: Path):
    named = named_pictures(squares.workspace, "photos", [str(photos / "plain" / "000.png"), "plain/002.png"])
    assert named == [squares.examples()[0].content, "plain/002.png"]


def test_a_table_gives_a_label_a_row(tmp_path: Path):
    table = tmp_path / "labels.csv"
    table.write_text("\ufeffFile,Class\na.png,cat\nb.png,cat\nb.png,dog\nc.png,\n", encoding="utf-8")
    found = labels_from_csv(table)
    assert found == {"a.png": ("cat",), "b.png": ("cat", "dog"), "c.png": None}
    one_label_each(found, "multilabel")
    with pytest.raises(BadDataError, match=r"'b\.png' is given 2 labels \(cat and dog\)"):
        one_label_each(found, "classify")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "no rows"), ("a,b\n1,2\n", "no column 'source' .it has a, b"), ("source,x\na,b\n", "no column 'label'")],
)
def test_a_table_without_the_columns_says_which_it_needs(tmp_path: Path, text: str, sentence: str):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadDataError, match=sentence):
        labels_from_csv(tmp_path / "t.csv")


def test_a_table_that_is_not_there_or_no_text_is_told(tmp_path: Path):
    with pytest.raises(NotFoundError, match="check the path"):
        labels_from_csv(tmp_path / "none.csv")
    (tmp_path / "t.csv").write_bytes(b"source,label\n\xff\xfe,\x00\n")
    with pytest.raises(BadDataError, match="CSV in UTF-8"):
        labels_from_csv(tmp_path / "t.csv")


def test_a_table_that_was_exported_relabels(squares: Dataset, tmp_path: Path):
    squares.export(tmp_path / "out", to="csv")
    exported = labels_from_csv(tmp_path / "out" / "labels.csv")
    assert labels_as_exported(squares.workspace, "photos", exported) == labels(squares)
    several = squares.relabel({"plain/000.png": ["a", "b"], "plain/002.png": ["a"], "plain/004.png": []})
    several.export(tmp_path / "several", to="csv")
    exported = labels_from_csv(tmp_path / "several" / "labels.csv")
    assert labels_as_exported(squares.workspace, "photos", exported) == labels(several)


def test_names_that_a_spreadsheet_would_run_are_read_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("source,label\n'=1.png,'@home\n-1.png,-1\n")
    assert labels_from_csv(tmp_path / "t.csv") == {"=1.png": ("@home",), "-1.png": ("-1",)}


def test_a_row_that_was_cut_short_takes_no_label_off(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("source,label\na.png,cat\nb.png\n")
    with pytest.raises(BadDataError, match=r"Row 2 .* has no cell for its label"):
        labels_from_csv(tmp_path / "t.csv")
