"""What every form of an exported model promises; a new one is found in the list and tested the day it is added."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import winnow
from winnow.api.model import Model
from winnow.api.model_exports import MODEL_EXPORTS, writing
from winnow.api.model_exports.model_export import Engine, Leaving
from winnow.api.model_exports.onnx_file import OnnxFile
from winnow.api.model_exports.proof import MOST_DIFFERENCE, UnprovenExportError, sameness
from winnow.api.model_exports.writing import ExportedModel, export_model
from winnow.data.targets.new_folder import Folder
from winnow.errors import NotFoundError, UserError
from winnow.events import Tell, tell_nobody
from winnow.tasks.predictor import FACTS, GRAPH

from ..shapes import CLASSES, MULTILABEL_RUNGS, write_shapes

NAMES = [form.name for form in MODEL_EXPORTS]
# A model of plain pixels has no convolution or product whose numbers could be stored in 8 bits.
OF_PIXELS = [name for name in NAMES if name != "int8"]


@pytest.fixture(scope="module")
def of_several(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of pictures with several classes."""
    folder = tmp_path_factory.mktemp("shapes")
    pictures = write_shapes(folder / "shapes")
    data = winnow.load(pictures, workspace=folder / "workspace", label_column=list(CLASSES))
    return winnow.train(data, rungs=MULTILABEL_RUNGS, tell=tell_nobody)


@pytest.mark.parametrize("to", OF_PIXELS)
def test_it_is_proven_and_the_proof_lies_in_the_folder(
    exported: Callable[[str], ExportedModel], trained: Model, to: str
):
    out = exported(to)
    proof = json.loads((out.path / "proof.json").read_text(encoding="utf-8"))
    numbers = trained.report.numbers
    assert proof == json.loads(json.dumps(out.proof.as_dict()))
    assert (proof["export"], proof["model"], proof["digest"]) == (to, trained.full_name, trained.digest)
    assert proof["dataset"] == {"name": "photos", "version": 1, "digest": numbers.dataset.digest}
    assert proof["n"] == numbers.judged.evaluation.n
    assert proof["same"]["same_answers"] == proof["n"]
    assert proof["same"]["greatest_difference"] <= proof["allowed"] == MOST_DIFFERENCE == 1e-4
    assert {"onnxruntime", "numpy"} <= proof["libraries"].keys()
    assert proof["machine"]["architecture"]


@pytest.mark.parametrize("to", OF_PIXELS)
def test_the_proof_names_every_other_file_with_its_sha256(exported: Callable[[str], ExportedModel], to: str):
    out = exported(to)
    there = {file.relative_to(out.path).as_posix(): file for file in out.path.rglob("*") if file.is_file()}
    proof = there.pop("proof.json")
    del there["origin.json"]  # names the proof in turn
    assert json.loads(proof.read_text(encoding="utf-8"))["files"] == {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in there.items()
    }
    assert out.files == len(there) + 2
    assert not [name for name in there if "pycache" in name or name.endswith(".pyc")]


@pytest.mark.parametrize("to", OF_PIXELS)
def test_it_says_what_it_is_in_a_readme(exported: Callable[[str], ExportedModel], to: str):
    said = (exported(to).path / "README.md").read_text(encoding="utf-8")
    assert "photos" in said
    assert "proof.json" in said
    assert "plain" in said
    assert "square" in said


@pytest.mark.parametrize("to", OF_PIXELS)
def test_it_names_no_file_of_the_user(exported: Callable[[str], ExportedModel], trained: Model, to: str):
    for file in exported(to).path.rglob("*"):
        if file.is_file():
            assert b"plain/000.png" not in file.read_bytes()
            assert str(trained.folder.parents[2]).encode() not in file.read_bytes()


def test_the_graph_leaves_to_the_last_bit(exported: Callable[[str], ExportedModel], trained: Model):
    out = exported("onnx")
    assert hashlib.sha256((out.path / GRAPH).read_bytes()).hexdigest() == trained.digest
    assert Model.open(out.path).digest == trained.digest


def test_several_classes_keep_their_thresholds(of_several: Model, tmp_path: Path):
    out = of_several.export(tmp_path / "out", to="onnx")
    facts = json.loads((out.path / FACTS).read_text(encoding="utf-8"))
    assert dict(zip(facts["classes"], facts["thresholds"], strict=True)) == of_several.thresholds
    assert out.proof.same.same_answers == out.proof.n == 64


def test_it_says_on_which_pictures_it_was_proven(exported: Callable[[str], ExportedModel]):
    out = exported("onnx")
    assert out.proof.was_learned_from
    assert out.proof.sentences() == [
        "Proven on 48 pictures: all pictures that it was judged on, out of fold ('photos', version 1). It gives the "
        "evaluated graph's answer for all of them; their probabilities differ by 0 at most (0.0001 is allowed)."
    ]


# What is not as it should be


@dataclasses.dataclass(frozen=True)
class _Wrong(OnnxFile):
    """An export whose answers somebody changes on the way."""

    change: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
    engine: Engine = "onnxruntime"

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> npt.NDArray[np.float32]:
        return self.change(super().answers(out, leaving, tell))


def _nan(probs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    probs[3] = np.nan
    return probs


def _a_little(probs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    probs[7] += 2e-4
    return probs


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda probs: probs[:, ::-1], "answers are not those of the evaluated model"),
        (_a_little, r"0 of its 48 answers .* differ by up to 0.0002 \(0.0001 is allowed\)"),
        (_nan, "differ by up to inf"),
    ],
)
def test_what_answers_otherwise_is_not_handed_over(
    trained: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]],
    sentence: str,
):
    monkeypatch.setattr(writing, "MODEL_EXPORTS", (_Wrong(change),))
    with pytest.raises(UnprovenExportError, match=sentence):
        export_model(trained, tmp_path / "out", to="onnx")
    assert list(tmp_path.glob("*")) == [tmp_path / "default-workspace"] * (tmp_path / "default-workspace").exists()


def test_nothing_is_overwritten(trained: Model, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(UserError, match="nothing is overwritten"):
        trained.export(tmp_path, to="onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_lone_folder_asks_for_pictures_and_is_proven_on_them(trained: Model, photos: Path, tmp_path: Path):
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in (GRAPH, FACTS):
        shutil.copy(trained.folder / name, alone)
    with pytest.raises(NotFoundError, match=r"judged on, and those of .*alone are not here: .*--pictures FOLDER"):
        Model.open(alone).export(tmp_path / "out", to="onnx")
    out = Model.open(alone).export(tmp_path / "out", to="onnx", pictures=photos)
    assert (out.proof.n, out.proof.dataset, out.proof.pictures) == (60, None, "the pictures that were given")


def test_pictures_without_labels_prove_it_too(trained: Model, photos: Path, tmp_path: Path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in sorted((photos / "plain").iterdir())[:5]:
        shutil.copy(file, flat)
    assert trained.export(tmp_path / "out", to="onnx", pictures=flat).proof.n == 5


def test_a_form_that_is_not_there_is_told(trained: Model, tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"no format 'onx'. Did you mean onnx\?"):
        trained.export(tmp_path / "out", to="onx")
    with pytest.raises(NotFoundError, match="Models can be written as onnx, openvino"):
        trained.export(tmp_path / "out", to="coco")


def test_sameness_counts_what_is_answered():
    a = np.array([[0.2, 0.8], [0.6, 0.4]], dtype=np.float32)
    assert sameness(a, a, None).same_answers == 2
    assert sameness(a, a[:, ::-1], None).same_answers == 0
    assert sameness(a, a + np.float32(0.05), (0.62, 0.1)).same_answers == 1
    assert sameness(a, a * np.nan, None).greatest_difference == np.inf
