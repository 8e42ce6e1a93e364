"""Pictures with several classes from end to end: train, predict, evaluate, and the proof."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from sklearn.metrics import average_precision_score, f1_score

import winnow
from winnow.api.dataset import Dataset
from winnow.api.measured import Measured
from winnow.api.model import Model
from winnow.errors import BadDataError, NotFoundError
from winnow.events import Event, Note, RungFinished, tell_nobody
from winnow.graph.join import notes_of

from .shapes import CLASSES, MULTILABEL_RUNGS, shapes, write_shapes
from .squares import squares


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """80 pictures of which a table says what they show; a fifth is the test split."""
    folder = tmp_path_factory.mktemp("shapes")
    return winnow.load(write_shapes(folder / "shapes"), workspace=folder / "workspace", label_column=list(CLASSES))


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> Model:
    return winnow.train(dataset, rungs=MULTILABEL_RUNGS, tell=tell_nobody)


def marks(labels: list[tuple[str, ...]]) -> np.ndarray:
    return np.array([[name in shown for name in CLASSES] for shown in labels])


def test_a_table_of_several_labels_becomes_a_model_with_its_proof(dataset: Dataset, model: Model) -> None:
    assert dataset.manifest.task == "multilabel"
    report = model.report.numbers
    assert (report.task, model.task, model.classes) == ("multilabel", "multilabel", CLASSES)
    assert report.climb.optimise == "macro_average_precision"
    assert report.verdict.startswith("Chosen: pixels + logistic regression.")
    assert "(mAP, 95 % interval" in report.verdict
    assert report.judged.evaluation.n + (report.test.evaluation.n if report.test else 0) == 80
    assert report.openings is not None
    assert report.openings.opening == 1
    assert report.dataset.pictures == {"train": 64, "test": 16}


def test_its_test_figures_are_those_of_scikit_learn_at_its_thresholds(dataset: Dataset, model: Model) -> None:
    examples = dataset.examples("test")
    contents = [example.content for example in examples]
    probs = model.probabilities(contents, dataset.workspace.blobs.read)
    truth = marks([example.labels or () for example in examples])
    assert model.report.numbers.test is not None
    scores = model.report.numbers.test.evaluation.scores
    expected = average_precision_score(truth, probs)
    assert scores["macro_average_precision"] is not None
    assert scores["macro_average_precision"].value == pytest.approx(expected, abs=1e-6)
    called = probs >= np.array(list((model.thresholds or {}).values()))
    assert scores["macro_f1"] is not None
    assert scores["macro_f1"].value == pytest.approx(f1_score(truth, called, average="macro"))


def test_a_prediction_names_all_classes_above_their_threshold(model: Model) -> None:
    pictures, labels = shapes(40, seed=5)
    answers = model.predict(pictures)
    found = np.array([[name in answer.labels for name in CLASSES] for answer in answers])
    assert (found == marks(labels)).mean() > 0.95
    assert model.thresholds is not None
    for answer in answers:
        assert set(answer.labels) == {name for name, prob in answer.probs.items() if prob >= model.thresholds[name]}
        assert [answer.probs[name] for name in answer.labels] == sorted(
            (answer.probs[name] for name in answer.labels), reverse=True
        )
        # One class is an answer as in classification; none or several are no single label.
        assert answer.label == (answer.labels[0] if len(answer.labels) == 1 else None)
        assert json.loads(json.dumps(answer.as_dict()))["labels"] == list(answer.labels)
    assert {len(answer.labels) for answer in answers} == {0, 1, 2}


def test_an_unreadable_picture_has_no_labels_and_says_why(model: Model) -> None:
    (answer,) = model.predict([b"no picture"])
    assert answer.labels == ()
    assert answer.error is not None


def test_the_same_seed_gives_the_same_bytes_in_another_workspace(model: Model, tmp_path: Path) -> None:
    source = write_shapes(tmp_path / "shapes")
    data = winnow.load(source, workspace=tmp_path / "workspace", label_column=list(CLASSES))
    again = winnow.train(data, rungs=MULTILABEL_RUNGS, tell=tell_nobody)
    assert (again.folder / "model.onnx").read_bytes() == (model.folder / "model.onnx").read_bytes()
    assert again.thresholds == model.thresholds
    assert again.report.numbers.judged == model.report.numbers.judged


KILLED = """
import os, signal, sys
import winnow
from winnow.events import RungFinished

def kill_after_the_first_rung(event):
    if isinstance(event, RungFinished):
        os.kill(os.getpid(), signal.SIGKILL)

data = winnow.load(sys.argv[1], workspace=sys.argv[2], label_column=["bar", "square"])
winnow.train(data, rungs=sys.argv[3:], backbone="none", tell=kill_after_the_first_rung)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_climb_resumes_to_the_same_bits(model: Model, tmp_path: Path) -> None:
    source = write_shapes(tmp_path / "shapes")
    command = [sys.executable, "-c", KILLED, str(source), str(tmp_path / "workspace"), *MULTILABEL_RUNGS]
    killed = subprocess.run(command, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    heard: list[Event] = []
    data = winnow.load(source, workspace=tmp_path / "workspace", label_column=list(CLASSES))
    resumed = winnow.train(data, rungs=MULTILABEL_RUNGS, tell=heard.append)
    assert [e.is_from_before for e in heard if isinstance(e, RungFinished)] == [True, False]
    assert resumed.digest == model.digest


def test_arrays_with_lists_of_names_or_0_and_1_are_trained_on(tmp_path: Path) -> None:
    pictures, labels = shapes(40)
    named = winnow.train(pictures, labels, workspace=tmp_path / "a", rungs=MULTILABEL_RUNGS, tell=tell_nobody)
    numbered = winnow.train(
        pictures, marks(labels).astype(int), workspace=tmp_path / "b", rungs=MULTILABEL_RUNGS, tell=tell_nobody
    )
    assert (named.classes, numbered.classes) == (CLASSES, ("0", "1"))
    assert np.array_equal(named.predict_proba(pictures), numbered.predict_proba(pictures))


def test_metrics_and_rungs_are_those_of_the_task(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"'accuracy' is not made for pictures with any number of classes"):
        winnow.train(dataset, optimise="accuracy", tell=tell_nobody)
    with pytest.raises(NotFoundError, match=r"No rung is called 'commonest-class'\. Known are base-rates"):
        winnow.train(dataset, rungs=["commonest-class"], tell=tell_nobody)
    with pytest.raises(NotFoundError, match="'hamming_loss' is not made for pictures with one class each"):
        winnow.train(*squares(), workspace=tmp_path, optimise="hamming_loss", tell=tell_nobody)
    model = winnow.train(dataset, rungs=MULTILABEL_RUNGS, optimise="hamming_loss", name="other", tell=tell_nobody)
    assert "--optimise hamming_loss" in model.report.numbers.climb.command


def test_a_test_split_is_opened_later_with_the_same_figures(dataset: Dataset, model: Model, tmp_path: Path) -> None:
    source = write_shapes(tmp_path / "shapes")
    data = winnow.load(source, workspace=tmp_path / "workspace", label_column=list(CLASSES))
    closed = winnow.train(data, rungs=MULTILABEL_RUNGS, open_test=False, tell=tell_nobody)
    assert closed.report.numbers.test is None
    opened = winnow.evaluate(closed)
    assert opened.judgement == model.report.numbers.test


def test_other_pictures_are_measured_at_the_models_thresholds(model: Model) -> None:
    pictures, labels = shapes(60, seed=9)
    found = winnow.evaluate(model, pictures, labels)
    assert isinstance(found, Measured)
    probs = model.predict_proba(pictures)
    called = probs >= np.array(list((model.thresholds or {}).values()))
    scores = found.judgement.evaluation.scores
    assert scores["subset_accuracy"] is not None
    assert scores["subset_accuracy"].value == (called == marks(labels)).all(axis=1).mean()
    console = Console(width=100, file=io.StringIO())
    with console.capture() as captured:
        console.print(found.as_text())
    assert "mAP" in captured.get()
    assert json.loads(json.dumps(found.as_dict()))["task"] == "multilabel"


def test_pictures_of_one_class_each_are_measured_with_a_warning_word(model: Model) -> None:
    pictures, labels = shapes(60, seed=9)
    single = [place for place, shown in enumerate(labels) if len(shown) == 1]
    found = winnow.evaluate(model, pictures[single], [labels[place][0] for place in single])
    assert isinstance(found, Measured)
    assert any("whatever else it shows counts as absent" in note for note in found.notes)


def test_classes_that_the_model_does_not_know_are_refused_by_name(model: Model) -> None:
    pictures, labels = shapes(20, seed=9)
    with pytest.raises(BadDataError, match=r"1 picture are of 1 class that .* does not know \('disc'\)"):
        winnow.evaluate(model, pictures, [("disc", "bar"), *labels[1:]])


def test_a_model_of_one_class_leaves_out_pictures_with_several(tmp_path: Path) -> None:
    model = winnow.train(*squares(), workspace=tmp_path, rungs=["pixels-nearest-neighbour"], tell=tell_nobody)
    pictures, ids = squares(20, seed=4)
    labels = [(model.classes[one],) for one in ids]
    labels[0], labels[1] = (), model.classes
    found = winnow.evaluate(model, pictures, labels)
    assert isinstance(found, Measured)
    assert found.judgement.evaluation.n == 18
    assert any("2 pictures with several labels, or with none that applies" in note for note in found.notes)


def test_a_test_class_that_nobody_could_learn_is_left_out_and_said(tmp_path: Path) -> None:
    source = write_shapes(tmp_path / "shapes")
    rows = source.read_text(encoding="utf-8").splitlines()
    rare = [f"{row},{int(i == 3)},{'test' if i < 12 else 'train'}" for i, row in enumerate(rows[1:])]
    source.write_text("\n".join([f"{rows[0]},rare,split", *rare]), encoding="utf-8")
    data = winnow.load(source, workspace=tmp_path / "workspace", label_column=[*CLASSES, "rare"])
    heard: list[Event] = []
    model = winnow.train(data, rungs=MULTILABEL_RUNGS, tell=heard.append)
    assert model.classes == CLASSES
    assert model.report.numbers.test is not None
    assert model.report.numbers.test.evaluation.n == 12
    assert any(isinstance(event, Note) and "1 test pictures also show classes" in event.text for event in heard)


def test_weights_that_differ_are_said_to_count_in_learning_alone(tmp_path: Path) -> None:
    source = write_shapes(tmp_path / "shapes")
    rows = source.read_text(encoding="utf-8").splitlines()
    weighted = [f"{row},{2.5 if i % 2 else 1}" for i, row in enumerate(rows[1:])]
    source.write_text("\n".join([f"{rows[0]},weight", *weighted]), encoding="utf-8")
    data = winnow.load(source, workspace=tmp_path / "workspace", label_column=list(CLASSES), weight_column="weight")
    for rung, said in (("pixels-logistic-regression", "heeds them"), ("pixels-nearest-neighbour", "learned from all")):
        model = winnow.train(data, rungs=[rung], tell=tell_nobody)
        card = (model.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
        assert "Some pictures have a weight of their own" in card
        assert said in card


ALONE = """
import sys
import winnow
model = winnow.Model(sys.argv[1])
print(model.task, [answer.labels for answer in model.predict([sys.argv[2]])])
print(sorted({"sklearn", "torch", "sqlalchemy", "pydantic", "pyarrow"} & set(sys.modules)))
"""


def test_its_folder_predicts_without_workspace_scikit_learn_or_torch(
    dataset: Dataset, model: Model, tmp_path: Path
) -> None:
    example = next(e for e in dataset.examples() if e.labels == CLASSES)
    (tmp_path / "one.png").write_bytes(dataset.workspace.blobs.read(example.content))
    command = [sys.executable, "-c", ALONE, str(model.folder), str(tmp_path / "one.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said = done.stdout.splitlines()
    assert said[0].startswith("multilabel [(")
    assert set(CLASSES) == {name for name in CLASSES if name in said[0]}
    assert said[1] == "[]"


def test_the_thresholds_lie_beside_the_graph(model: Model) -> None:
    facts = json.loads((model.folder / "winnow.json").read_text(encoding="utf-8"))
    assert facts["task"] == "multilabel"
    assert facts["thresholds"] == list((model.thresholds or {}).values())
    notes = notes_of((model.folder / "model.onnx").read_bytes())
    assert json.loads(notes["winnow.thresholds"]) == facts["thresholds"]


def test_photographs_pasted_side_by_side_are_told_by_their_two_classes(test_data: Path, tmp_path: Path) -> None:
    names = ("Motorbikes", "airplanes", "car_side", "watch")
    photos = [(name, file) for name in names for file in sorted((test_data / "caltech101-mini/train" / name).iterdir())]
    shuffled = [photos[i] for i in np.random.default_rng(0).permutation(len(photos)).tolist()]
    pictures, labels = [], []
    for (one, left), (other, right) in zip(shuffled[::2], shuffled[1::2], strict=False):
        sides = [np.asarray(Image.open(file).convert("RGB").resize((64, 64))) for file in (left, right)]
        pictures.append(np.concatenate(sides, axis=1))
        labels.append(tuple(sorted({one, other})))
    model = winnow.train(
        np.stack(pictures), labels, workspace=tmp_path, rungs=["base-rates", "hog-svm"], tell=tell_nobody
    )
    base, hog = model.report.numbers.ladder
    assert hog.has_earned
    assert base.score is not None
    assert hog.score is not None
    assert hog.score.low > base.score.high
