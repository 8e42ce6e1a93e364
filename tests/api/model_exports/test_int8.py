"""8-bit numbers: made with training pictures, measured on others, refused where they are shown to lose."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import numpy as np
import onnx
import pytest

import winnow
from graph.tiny import tiny_backbone
from winnow.api.model import Model
from winnow.api.model_exports import int8
from winnow.api.model_exports.change import Change
from winnow.api.model_exports.int8 import Int8
from winnow.api.model_exports.model_export import Leaving
from winnow.api.model_exports.pictures import proof_pictures
from winnow.api.model_exports.proof import UnprovenExportError
from winnow.errors import UserError
from winnow.events import tell_nobody
from winnow.graph.join import cut
from winnow.metrics.intervals import Interval
from winnow.tasks.predictor import FACTS, GRAPH

from ..squares import write_squares

RUNGS = ["features-logistic-regression"]


@pytest.fixture(scope="module", autouse=True)
def _judged_in_32_bits() -> Generator[None]:
    """Where 8 bits are faster than 32, a model may be judged in them, and this is about one that is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("winnow.graph.formats._formats_to_try", lambda: iter(()))
        yield


@pytest.fixture(scope="module")
def convolving(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of 100 pictures with two convolutions in it."""
    folder = tmp_path_factory.mktemp("convolving")
    pictures, backbone = write_squares(folder / "photos", 100), tiny_backbone(folder / "tiny")
    return winnow.train(
        pictures, workspace=folder / "workspace", rungs=RUNGS, backbone=backbone.folder, tell=tell_nobody
    )


def test_its_convolutions_are_in_8_bits_and_its_head_is_not(convolving: Model, tmp_path: Path):
    out = convolving.export(tmp_path / "out", to="int8")
    graph = (out.path / GRAPH).read_bytes()
    assert {node.op_type for node in onnx.load_from_string(graph).graph.node} >= {"QuantizeLinear", "DequantizeLinear"}
    _, head = cut(graph)
    assert "QuantizeLinear" not in {node.op_type for node in onnx.load_from_string(head).graph.node}
    facts = json.loads((out.path / FACTS).read_text(encoding="utf-8"))
    assert facts["number_format"] == "int8"
    assert facts["sha256"] != convolving.digest == out.proof.digest
    assert Model.open(out.path).classes == convolving.classes


def test_the_change_of_its_accuracy_is_told_with_an_interval(convolving: Model, tmp_path: Path):
    out = convolving.export(tmp_path / "out", to="int8")
    change, as_run = out.proof.change, out.proof.as_run
    assert change is not None
    assert as_run is not None
    assert 0 < as_run.greatest_difference < 0.5
    assert change.gain.value == pytest.approx(change.after - change.before)
    assert change.gain.low <= change.gain.value <= change.gain.high
    assert out.proof.computed_by == "int8 by ONNX Runtime"
    said = " ".join(out.proof.sentences())
    assert "accuracy" in said
    assert "The model has learned from these pictures" in said
    assert json.loads((out.path / "proof.json").read_text(encoding="utf-8"))["change"]["n"] == change.n


def test_it_is_made_with_training_pictures_and_measured_on_others(
    convolving: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[np.ndarray] = []
    quantise = int8.quantise
    monkeypatch.setattr(
        int8,
        "quantise",
        lambda graph, samples, **options: (seen.append(samples), quantise(graph, samples, **options))[1],
    )
    with proof_pictures(convolving, None, None, tell_nobody) as pictures:
        leaving = Int8().prepare(Leaving.of(convolving, pictures), tell_nobody)
        inputs = leaving.pictures.inputs(leaving.facts.input_spec)
        measured = {inputs(place).tobytes() for place in range(len(leaving.pictures))}
        assert len(seen[0]) == len(pictures) // 4 == len(pictures) - len(measured)
        assert not {one.tobytes() for one in seen[0]} & measured
        assert set(pictures.training) - set(leaving.pictures.contents) <= set(pictures.contents)


def test_no_picture_of_a_validation_split_helps_to_make_it(tmp_path: Path):
    home = tmp_path / "photos"
    write_squares(home / "train", 60, seed=0)
    write_squares(home / "validation", 20, seed=1)
    model = winnow.train(
        home,
        workspace=tmp_path / "workspace",
        rungs=RUNGS,
        backbone=tiny_backbone(tmp_path / "tiny").folder,
        tell=tell_nobody,
    )
    with proof_pictures(model, None, None, tell_nobody) as pictures:
        assert (pictures.what, len(pictures), pictures.was_learned_from) == ("your validation split", 20, False)
        assert not set(pictures.training) & set(pictures.contents)
        assert len(Int8().prepare(Leaving.of(model, pictures), tell_nobody).pictures) == 20


def test_one_that_is_shown_to_lose_is_not_handed_over(
    convolving: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def spoilt(graph: bytes, samples: np.ndarray, **_: object) -> bytes:
        model = onnx.load_from_string(graph)
        for weights in model.graph.initializer:
            if weights.data_type == onnx.TensorProto.FLOAT and len(weights.dims) == 4:
                values = onnx.numpy_helper.to_array(weights)
                weights.CopyFrom(onnx.numpy_helper.from_array(-np.abs(values), weights.name))
        return model.SerializeToString()

    monkeypatch.setattr(int8, "quantise", spoilt)
    with pytest.raises(
        UnprovenExportError,
        match=r"shown to be worse: Its accuracy .* itself has 100 %",
    ):
        convolving.export(tmp_path / "out", to="int8")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", ["onnx", "openvino", "standalone"])
def test_a_model_that_has_8_bits_already_leaves_as_it_is(convolving: Model, photos: Path, tmp_path: Path, to: str):
    in_8_bits = Model.open(convolving.export(tmp_path / "int8", to="int8").path)
    out = in_8_bits.export(tmp_path / "out", to=to, pictures=photos)
    assert out.proof.computed_by.startswith("int8 by")
    assert out.proof.same.same_answers == 60
    with pytest.raises(UserError, match="8-bit numbers in its graph already: --to onnx"):
        in_8_bits.export(tmp_path / "again", to="int8", pictures=photos)


def test_a_model_without_a_network_is_told_to_stay_as_it_is(trained: Model, tmp_path: Path):
    with pytest.raises(UserError, match="without a network, so 8-bit numbers would change nothing: --to onnx"):
        trained.export(tmp_path / "out", to="int8")


def test_new_pictures_with_labels_measure_it_fairly(convolving: Model, tmp_path: Path):
    new = write_squares(tmp_path / "new", 40, seed=7)
    out = convolving.export(tmp_path / "out", to="int8", pictures=new)
    assert (out.proof.n, out.proof.was_learned_from) == (40, False)
    assert out.proof.change is not None
    assert out.proof.change.n == 40


def test_without_its_training_pictures_it_cannot_be_made(convolving: Model, photos: Path, tmp_path: Path):
    alone = convolving.export(tmp_path / "alone", to="onnx").path
    with pytest.raises(UserError, match="fitted to pictures of the training split"):
        Model.open(alone).export(tmp_path / "out", to="int8", pictures=photos)


@pytest.mark.parametrize(("high", "is_worse"), [(-0.001, True), (0.0, False), (0.02, False)])
def test_worse_is_what_has_its_interval_below_zero(high: float, is_worse: bool):
    change = Change("accuracy", "classify", 0.9, 0.88, Interval(-0.02, -0.03, high), 500)
    assert change.is_shown_to_be_worse == is_worse
    assert change.sentence().startswith("Its accuracy on 500 pictures is 88.0 %, where the model itself has 90.0 %")
