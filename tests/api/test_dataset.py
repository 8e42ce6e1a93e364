"""Loading: what a dataset can be made of, what makes a new version, and what is said of bad input."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest

import winnow
from winnow.api.dataset import Dataset
from winnow.api.loading import load
from winnow.api.training import train
from winnow.errors import BadDataError, NotFoundError, UserError
from winnow.events import tell_nobody
from winnow.workspace.workspace import Workspace

from .squares import CLASSES, squares, write_squares


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def as_zip(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder))
    return target


def as_csv(folder: Path, target: Path) -> Path:
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label"])
        for picture in sorted(folder.rglob("*.png")):
            writer.writerow([picture.relative_to(target.parent).as_posix(), picture.parent.name])
    return target


def content_by_label(dataset: Dataset) -> set[tuple[str, str | None]]:
    return {(example.pixels, example.label) for example in dataset.examples()}


def test_a_folder_a_zip_a_table_and_arrays_give_the_same_examples(tmp_path: Path, workspace: Workspace) -> None:
    pictures, ids = squares()
    photos = write_squares(tmp_path / "photos")
    loaded = [
        load(photos, workspace=workspace),
        load(as_zip(photos, tmp_path / "zipped.zip"), workspace=workspace),
        load(as_csv(photos, tmp_path / "listed.csv"), workspace=workspace),
        load(pictures, np.array(CLASSES)[ids], workspace=workspace, name="numbers"),
    ]
    assert [dataset.name for dataset in loaded] == ["photos", "zipped", "listed", "numbers"]
    for dataset in loaded:
        assert dataset.classes == CLASSES
        assert len(dataset) == 60
        assert content_by_label(dataset) == content_by_label(loaded[0])


def test_every_fifth_picture_of_each_class_is_put_aside(photos: Path, workspace: Workspace) -> None:
    assert load(photos, workspace=workspace).counts() == {name: {"train": 24, "test": 6} for name in CLASSES}


def test_a_dataset_is_found_again_by_its_name(photos: Path, workspace: Workspace) -> None:
    load(photos, workspace=workspace, name="Photos")
    again = load("photos", workspace=workspace)
    assert (again.name, again.version, len(again)) == ("Photos", 1, 60)


def test_importing_the_same_files_again_changes_nothing(photos: Path, workspace: Workspace) -> None:
    first, second = load(photos, workspace=workspace), load(photos, workspace=workspace)
    assert (second.name, second.version) == (first.name, first.version)
    assert len(workspace.datasets()) == 1


def test_changed_files_make_a_version(tmp_path: Path, workspace: Workspace) -> None:
    folder = write_squares(tmp_path / "growing")
    before = load(folder, workspace=workspace)
    write_squares(folder / "plain" / "more", n=4, seed=9)
    after = load(folder, workspace=workspace)
    assert (after.name, after.version, len(after)) == ("growing", 2, 64)
    assert len(load("growing", workspace=workspace, version=1)) == len(before) == 60


def test_no_path_at_all_is_not_the_folder_one_stands_in(
    photos: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    with pytest.raises(NotFoundError, match="path is empty"):
        load("", workspace=workspace)
    assert len(load(".", workspace=workspace)) > 0


def test_a_name_that_cannot_be_is_refused_before_anything_is_read(photos: Path, workspace: Workspace) -> None:
    heard: list[object] = []
    with pytest.raises(UserError, match="E_NAME"):
        load(photos, name="../x", workspace=workspace, tell=heard.append)
    assert heard == []


def test_the_embedded_example_needs_no_file(workspace: Workspace) -> None:
    digits = load("digits", workspace=workspace)
    assert len(digits) == 1797
    assert digits.classes == tuple("0123456789")


def test_a_folder_goes_before_a_dataset_of_the_same_name(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    load(write_squares(tmp_path / "clouds"), workspace=workspace)
    write_squares(tmp_path / "clouds", n=64)
    assert len(load("clouds", workspace=workspace)) == 64


def test_relabelling_makes_a_version_and_leaves_the_old_one(photos: Path, workspace: Workspace) -> None:
    before = load(photos, workspace=workspace)
    after = before.relabel({"plain/000.png": "square"})
    assert after.version == 2
    assert {e.source: e.label for e in after.examples()}["plain/000.png"] == "square"
    assert {e.source: e.label for e in before.examples()}["plain/000.png"] == "plain"
    assert [e.split for e in after.examples()] == [e.split for e in before.examples()]
    assert workspace.find_version("photos", 2).parent == 1


def test_relabelling_by_content_works_too(photos: Path, workspace: Workspace) -> None:
    before = load(photos, workspace=workspace)
    after = before.relabel({before.examples()[0].content: "new"})
    assert after.classes == ("new", *CLASSES)


def test_relabelling_what_is_not_there_is_refused(photos: Path, workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match=r"No picture 'plain/999\.png'"):
        load(photos, workspace=workspace).relabel({"plain/999.png": "square"})


def test_an_empty_label_is_refused(photos: Path, workspace: Workspace) -> None:
    with pytest.raises(UserError, match="give a class name"):
        load(photos, workspace=workspace).relabel({"plain/000.png": " "})


def test_a_bad_file_is_refused_and_named(tmp_path: Path, workspace: Workspace) -> None:
    folder = write_squares(tmp_path / "mixed")
    (folder / "plain" / "broken.png").write_bytes(b"no picture")
    dataset = load(folder, workspace=workspace)
    assert len(dataset) == 60
    assert [line.source for line in dataset.refused] == ["plain/broken.png"]


def test_an_empty_folder_says_what_to_put_into_it(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadDataError, match="one folder for each class"):
        load(tmp_path / "empty", workspace=workspace)


def test_importing_changed_files_over_edits_says_so(tmp_path: Path, workspace: Workspace) -> None:
    photos = write_squares(tmp_path / "mine")
    dataset = load(photos, name="mine", workspace=workspace)
    edited = dataset.relabel({dataset.examples()[0].source: "square"})
    same = load(photos, name="mine", workspace=workspace)
    assert same.version == edited.version  # nothing new was found, so the edit stands
    (photos / "plain" / "000.png").unlink()
    again = load(photos, name="mine", workspace=workspace)
    assert again.version == 3
    note = next(note for note in again.notes if note.code == "W_EDITS_REPLACED")
    assert "winnow restore mine 2" in note.text


def test_one_class_is_told_and_not_trained_on(tmp_path: Path, workspace: Workspace) -> None:
    write_squares(tmp_path / "one")
    (tmp_path / "one" / "square").rename(tmp_path / "elsewhere")
    dataset = load(tmp_path / "one", workspace=workspace)
    assert "W_ONE_CLASS" in [note.code for note in dataset.notes]
    with pytest.raises(BadDataError, match="at least two classes"):
        train(dataset, tell=tell_nobody)


def test_a_missing_folder_names_the_nearest(photos: Path, workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean photos\?"):
        load(photos.parent / "photo", workspace=workspace)


def test_a_mistyped_dataset_names_the_nearest(photos: Path, workspace: Workspace) -> None:
    load(photos, workspace=workspace)
    with pytest.raises(NotFoundError, match="photos"):
        load("fotos", workspace=workspace)


def test_a_version_that_is_not_there_is_said(photos: Path, workspace: Workspace) -> None:
    load(photos, workspace=workspace)
    with pytest.raises(NotFoundError, match="7"):
        load("photos", workspace=workspace, version=7)


@pytest.mark.parametrize("share", [0, 1, -0.1, 20])
def test_a_test_share_is_a_share(photos: Path, workspace: Workspace, share: float) -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        load(photos, workspace=workspace, test_share=share)


def test_labels_of_another_length_are_refused(workspace: Workspace) -> None:
    pictures, ids = squares()
    with pytest.raises(BadDataError, match="60 pictures and 59 labels"):
        load(pictures, ids[:-1], workspace=workspace)


def test_it_is_the_same_function_at_the_door() -> None:
    assert winnow.load is load


def test_arrays_are_known_by_what_they_hold(workspace: Workspace) -> None:
    rng = np.random.default_rng(0)
    X, labels = rng.integers(0, 256, (8, 9, 9, 3), dtype=np.uint8), ["a", "b"] * 4
    first, same = (load(X, labels, workspace=workspace) for _ in range(2))
    other = load(255 - X, labels, workspace=workspace)
    assert (same.name, same.version) == (first.name, first.version)
    assert (other.name, other.version) != (first.name, first.version)
    assert other.version == 1
