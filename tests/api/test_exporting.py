"""From a dataset in the workspace to files, and back: the whole way, in every format."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

import winnow
from winnow.api.dataset import Dataset
from winnow.api.exporting import export
from winnow.api.loading import load
from winnow.data.targets import TARGETS
from winnow.errors import NotFoundError, UserError, WorkspaceError
from winnow.events import Event, Note, tell_nobody
from winnow.workspace.workspace import Workspace

FORMATS = [target.name for target in TARGETS]


@pytest.fixture
def squares(photos: Path, tmp_path: Path) -> Dataset:
    """30 pictures of each of the classes "plain" and "square", with a test split."""
    return load(photos, workspace=Workspace.open(tmp_path / "workspace"))


def _said(dataset: Dataset) -> set[tuple[str, tuple[str, ...] | None, str]]:
    return {(example.pixels, example.labels, example.split) for example in dataset.examples()}


@pytest.mark.parametrize("to", FORMATS)
def test_exported_and_imported_it_is_the_same_dataset(squares: Dataset, tmp_path: Path, to: str):
    changed = squares.relabel({"plain/000.png": None}).rename_class("plain", "n/a")
    exported = changed.export(tmp_path / "out", to)
    assert (exported.path, exported.format, exported.dataset) == (tmp_path / "out", to, squares.name)
    assert (exported.version, exported.pictures) == (changed.version, 60)
    assert exported.bytes == sum(example.bytes for example in changed.examples())
    back = load(tmp_path / "out", name="back", workspace=Workspace.open(tmp_path / "elsewhere"))
    assert _said(back) == _said(changed)
    assert (back.refused, back.classes, back.manifest.task) == ((), ("n/a", "square"), "classify")


@pytest.mark.parametrize("to", FORMATS[1:])
def test_a_dataset_of_several_labels_comes_back_as_one(squares: Dataset, tmp_path: Path, to: str):
    changed = squares.relabel({"plain/000.png": ["plain", "square"], "plain/002.png": ["square", "plain"]})
    changed.export(tmp_path / "out", to)
    back = load(tmp_path / "out", name="back", workspace=Workspace.open(tmp_path / "elsewhere"))
    assert back.manifest.task == "multilabel"
    assert {(e.pixels, frozenset(e.labels or ())) for e in back.examples()} == {
        (e.pixels, frozenset(e.labels or ())) for e in changed.examples()
    }


def test_a_name_a_version_and_a_split_can_be_said(squares: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    squares.remove([example.source for example in squares.examples("train")][:5])
    n = {split: len(squares.examples(split)) for split in ("train", "test")}
    whole = export(squares.name, to="csv", version=1, workspace=squares.workspace)
    assert (whole.path, whole.pictures) == (tmp_path / f"{squares.name}-csv", 60)
    part = export(squares.name, to="zip", split="train", workspace=squares.workspace)
    assert (part.path, part.pictures) == (tmp_path / f"{squares.name}-train.zip", n["train"] - 5)
    assert part.split == "train"


def test_what_is_not_there_is_told(squares: Dataset, tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"no format 'cocoa'. Did you mean coco\?"):
        squares.export(tmp_path / "out", "cocoa")
    with pytest.raises(NotFoundError, match="Datasets can be written as folders, csv, coco, parquet, zip"):
        squares.export(tmp_path / "out", "onnx")
    with pytest.raises(NotFoundError, match=r"no pictures in its validation split; it has train, test"):
        squares.export(tmp_path / "out", split="val")
    with pytest.raises(NotFoundError, match="There is no split 'holdout'"):
        squares.export(tmp_path / "out", split="holdout")
    with pytest.raises(NotFoundError, match="No dataset is called"):
        export("phoots", to="csv", workspace=squares.workspace)
    assert not (tmp_path / "out").exists()


def test_a_model_is_no_dataset(squares: Dataset, tmp_path: Path):
    winnow.train(squares, name="sky", rungs=["commonest-class"], tell=tell_nobody)
    with pytest.raises(
        UserError, match=f"'sky' is a model, and csv is a format for datasets: its dataset is '{squares.name}'"
    ):
        export("sky", to="csv", out=tmp_path / "out", workspace=squares.workspace)


def test_notes_are_heard_before_the_first_picture_is_written(squares: Dataset, tmp_path: Path):
    events: list[Event] = []
    exported = squares.export(tmp_path / "out", "coco", tell=events.append)
    assert isinstance(events[0], Note)
    assert exported.notes == (events[0],)


def test_pictures_kept_in_place_are_exported_and_checked(tmp_path: Path):
    for place, level in enumerate((10, 60, 110, 160, 210, 250)):
        folder = tmp_path / "photos" / ("dark", "bright")[place // 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 9), level).save(folder / f"{place}.png")
    workspace = Workspace.open(tmp_path / "workspace")
    dataset = load(tmp_path / "photos", workspace=workspace, in_place=True)
    dataset.export(tmp_path / "out")
    first = tmp_path / "out" / "train" / "dark" / "0.png"
    assert first.read_bytes() == (tmp_path / "photos" / "dark" / "0.png").read_bytes()
    (tmp_path / "photos" / "dark" / "0.png").write_bytes(b"changed")
    with pytest.raises(WorkspaceError, match="has changed since it was imported"):
        dataset.export(tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("to", FORMATS)
def test_real_photographs_come_back_to_the_last_bit(test_data: Path, tmp_path: Path, to: str):
    for split in ("train", "test"):
        for folder in sorted((test_data / "clouds" / split).iterdir())[:3]:
            (tmp_path / "clouds" / split / folder.name).mkdir(parents=True)
            for file in sorted(folder.iterdir())[:3]:
                shutil.copy(file, tmp_path / "clouds" / split / folder.name)
    dataset = load(tmp_path / "clouds", workspace=Workspace.open(tmp_path / "workspace"))
    dataset.export(tmp_path / "out", to)
    back = load(tmp_path / "out", name="back", workspace=dataset.workspace)
    facts = [{(e.content, e.labels, e.split, e.taken) for e in each.examples()} for each in (dataset, back)]
    assert facts[0] == facts[1]
    assert len(facts[0]) == 18
