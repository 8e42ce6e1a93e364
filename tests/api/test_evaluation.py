"""Evaluating: a test split is opened once and counted; other pictures are measured and left alone."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import winnow
from winnow.api.loading import load
from winnow.api.measured import Measured
from winnow.api.model import Model
from winnow.api.report import ReportFile
from winnow.errors import BadDataError, NotFoundError, UserError
from winnow.events import Event, Note, tell_nobody
from winnow.workspace.workspace import Workspace

from .squares import CLASSES, RUNGS, squares, write_squares


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def closed(photos: Path, workspace: Workspace) -> Model:
    """A model that has not looked at its test split."""
    return winnow.train(photos, workspace=workspace, rungs=RUNGS, open_test=False, tell=tell_nobody)


def opened(report: ReportFile | Measured) -> tuple[int, int]:
    assert isinstance(report, ReportFile)
    assert report.numbers.openings is not None
    return report.numbers.openings.opening, report.numbers.openings.count


def measured(found: ReportFile | Measured) -> Measured:
    assert isinstance(found, Measured)
    return found


def shown(found: ReportFile | Measured) -> str:
    console = Console(width=100, file=io.StringIO())
    with console.capture() as captured:
        console.print(found.as_text())
    return captured.get()


# The model's own test split


def test_opening_later_measures_the_same_as_opening_at_once(closed: Model, trained: Model) -> None:
    later = winnow.evaluate(closed)
    assert opened(later) == (1, 1)
    assert isinstance(later, ReportFile)
    assert later.numbers.test == trained.report.numbers.test
    assert later.judgement == later.numbers.test


def test_an_opening_is_written_into_every_file_of_the_model(closed: Model) -> None:
    before = {name: (closed.folder / name).read_text(encoding="utf-8") for name in ("report.html", "MODEL_CARD.md")}
    report = winnow.evaluate(closed)
    assert isinstance(report, ReportFile)
    assert ReportFile.read(closed.folder / "report.json").numbers == report.numbers == closed.report.numbers
    for name, text in before.items():
        assert (closed.folder / name).read_text(encoding="utf-8") != text
    assert "Test split" in report.page.read_text(encoding="utf-8")


def test_a_second_look_at_the_same_model_is_free(closed: Model, workspace: Workspace) -> None:
    winnow.evaluate(closed)
    assert opened(winnow.evaluate("photos", workspace=workspace)) == (1, 1)
    assert workspace.find_dataset("photos").openings == 1


def test_a_look_that_was_broken_off_is_free_to_repeat(
    closed: Model, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("winnow.api.evaluation.write_report", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
        with pytest.raises(UserError, match=r"No space.*costs no second opening"):
            winnow.evaluate(closed)
    assert opened(winnow.evaluate(closed)) == (1, 1)


def test_another_model_of_the_same_dataset_is_the_second_look(
    closed: Model, workspace: Workspace, photos: Path
) -> None:
    heard: list[Event] = []
    winnow.train(photos, workspace=workspace, rungs=RUNGS[:1], tell=tell_nobody)
    assert opened(winnow.evaluate(closed, tell=heard.append)) == (2, 2)
    assert any(isinstance(event, Note) and event.is_warning for event in heard)


def test_a_report_that_is_complete_needs_no_workspace(trained: Model, tmp_path: Path) -> None:
    alone = shutil.copytree(trained.folder, tmp_path / "alone")
    report = winnow.evaluate(alone)
    assert opened(report) == (1, 1)
    assert not (tmp_path / "default-workspace").exists()


def test_a_test_split_that_is_gone_is_said_in_a_sentence(closed: Model, tmp_path: Path) -> None:
    alone = shutil.copytree(closed.folder, tmp_path / "alone")
    with pytest.raises(UserError, match="cannot be opened, because version 1 of its dataset 'photos' is gone"):
        winnow.evaluate(alone)
    assert not (tmp_path / "default-workspace").exists()


def test_another_dataset_of_the_same_name_is_not_taken_for_it(
    closed: Model, tmp_path: Path, workspace: Workspace
) -> None:
    alone = shutil.copytree(closed.folder, tmp_path / "alone")
    other = Workspace.open(tmp_path / "other")
    load(write_squares(tmp_path / "photos", seed=5), workspace=other)
    with pytest.raises(UserError, match="is gone: it is not in the workspace"):
        winnow.evaluate(alone, workspace=other)
    assert opened(winnow.evaluate(alone, workspace=workspace)) == (1, 1)


def test_without_a_test_split_the_report_of_the_climb_is_all_there_is(workspace: Workspace) -> None:
    heard: list[Event] = []
    model = winnow.train(*squares(20), workspace=workspace, rungs=RUNGS, tell=tell_nobody)
    report = winnow.evaluate(model, tell=heard.append)
    assert report.judgement == model.report.numbers.judged
    assert any(isinstance(event, Note) and "has no test split" in event.text for event in heard)


def test_the_ladder_is_shown_as_text(trained: Model) -> None:
    assert "Chosen: pixels + nearest neighbour" in shown(winnow.evaluate(trained))


# Other pictures


def test_other_pictures_are_measured_as_they_are_predicted(trained: Model) -> None:
    pictures, ids = squares(30, seed=7)
    labels = np.array(CLASSES)[ids]
    labels[:3] = labels[1:4]  # three wrong labels: three mistakes
    found = measured(winnow.evaluate(trained, pictures, labels))
    answers = np.array([answer.label for answer in trained.predict(pictures)])
    accuracy = found.judgement.evaluation.scores["accuracy"]
    assert accuracy is not None
    assert accuracy.value == np.mean(answers == labels) == 27 / 30
    assert found.notes[0].startswith("These pictures are not the test split")
    assert len(found.judgement.mistakes) == 3


def test_every_kind_of_source_is_measured_alike(trained: Model, tmp_path: Path) -> None:
    folder = write_squares(tmp_path / "fresh", n=20, seed=7)
    shutil.make_archive(str(tmp_path / "fresh"), "zip", folder)
    pictures, ids = squares(20, seed=7)
    sources = [(folder,), (str(tmp_path / "fresh.zip"),), (pictures, np.array(CLASSES)[ids])]
    tables = [measured(winnow.evaluate(trained, *source)).judgement.evaluation.confusion for source in sources]
    assert tables[0] == tables[1] == tables[2]


def test_measuring_other_pictures_leaves_nothing_behind_and_opens_nothing(
    closed: Model, workspace: Workspace, tmp_path: Path
) -> None:
    folder = write_squares(tmp_path / "fresh", n=20, seed=7)
    before = sorted((path, path.stat().st_size) for path in workspace.folder.rglob("*") if path.is_file())
    winnow.evaluate(closed, folder)
    assert sorted((path, path.stat().st_size) for path in workspace.folder.rglob("*") if path.is_file()) == before
    assert workspace.find_dataset("photos").openings == 0
    assert len(workspace.datasets()) == 1


def test_a_closed_test_split_stays_closed_in_its_own_folder(closed: Model, photos: Path) -> None:
    found = measured(winnow.evaluate(closed, photos))
    assert found.judgement.evaluation.n == 48
    assert any("12 pictures lie in the test split of 'photos'" in note for note in found.notes)
    assert any("learned from 48 of these 48" in note for note in found.notes)


def test_after_the_opening_nothing_is_left_out(trained: Model, photos: Path) -> None:
    found = measured(winnow.evaluate(trained, photos))
    assert found.judgement.evaluation.n == 60
    assert any("learned from 48 of these 60" in note for note in found.notes)


def test_another_dataset_is_measured_on_outside_its_test_split(
    closed: Model, workspace: Workspace, tmp_path: Path
) -> None:
    other = load(write_squares(tmp_path / "later", seed=3), workspace=workspace)
    by_name, by_itself = (measured(winnow.evaluate(closed, source)) for source in ("later", other))
    assert by_name.as_dict() == by_itself.as_dict()
    assert by_name.source == "later, version 1"
    assert by_name.judgement.evaluation.n == 48
    assert any("12 pictures stays closed" in note for note in by_name.notes)


def test_pictures_of_one_class_can_be_measured(trained: Model) -> None:
    pictures, _ = squares(20, seed=7)
    found = measured(winnow.evaluate(trained, pictures[::2], ["plain"] * 10))
    assert found.judgement.evaluation.scores["macro_auroc"] is None
    assert any("No picture is of square" in note for note in found.notes)
    assert "not defined" in shown(found)


def test_unreadable_and_unlabelled_pictures_are_counted(trained: Model, tmp_path: Path) -> None:
    folder = write_squares(tmp_path / "fresh", n=20, seed=7)
    (folder / "plain" / "broken.png").write_bytes(b"no picture")
    found = measured(winnow.evaluate(trained, folder))
    assert [line.source for line in found.refused] == ["plain/broken.png"]
    assert any(note.startswith("1 file could not be read (the first: plain/broken.png") for note in found.notes)
    pictures, _ = squares(4, seed=7)
    half = measured(winnow.evaluate(trained, pictures, ["plain", None, "plain", "square"]))
    assert any(note.startswith("1 picture without a label") for note in half.notes)


def test_classes_that_the_model_does_not_know_are_named(trained: Model) -> None:
    pictures, _ = squares(4)
    with pytest.raises(
        BadDataError,
        match=r"2 pictures are of 2 classes that the model 'photos' does not know \('Plain', 'cat'\); it answers "
        r"plain, square\. Did you mean plain\? Rename or leave out those pictures",
    ):
        winnow.evaluate(trained, pictures, ["Plain", "cat", "plain", "square"])


def test_nothing_to_measure_on_is_said_with_why(closed: Model, photos: Path, tmp_path: Path) -> None:
    test = {example.source for example in load("photos", workspace=closed.folder.parents[2]).examples("test")}
    for source in test:
        (tmp_path / "only" / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / source, tmp_path / "only" / source)
    with pytest.raises(BadDataError, match=r"no labelled picture to measure on.*lie in the test split"):
        winnow.evaluate(closed, tmp_path / "only")


def test_figures_of_other_pictures_are_plain_json(trained: Model) -> None:
    pictures, ids = squares(10, seed=7)
    values = json.loads(json.dumps(winnow.evaluate(trained, pictures, np.array(CLASSES)[ids]).as_dict()))
    assert values["model"] == "photos@1"
    assert values["judgement"]["evaluation"]["n"] == 10
    assert values["refused"] == []


def test_a_model_folder_without_its_report_can_be_measured(trained: Model, tmp_path: Path) -> None:
    alone = shutil.copytree(trained.folder, tmp_path / "alone")
    (alone / "report.json").unlink()
    pictures, ids = squares(10, seed=7)
    found = measured(winnow.evaluate(alone, pictures, np.array(CLASSES)[ids]))
    assert found.judgement.evaluation.n == 10
    with pytest.raises(NotFoundError, match="There is no report"):
        winnow.evaluate(alone)


def test_a_missing_source_is_said(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no file or folder"):
        winnow.evaluate(trained, tmp_path / "nowhere")


def test_labels_without_pictures_are_refused(trained: Model) -> None:
    with pytest.raises(UserError, match=r"evaluate\(model, X, y\)"):
        winnow.evaluate(trained, None, ["plain"])
