"""A finished model at work: the folder is all it needs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from graph.tiny import SIDE_PX, features_graph, head_graph, pictures, plain_run
from winnow.data.inputs import InputSpec
from winnow.errors import BadDataError, NotFoundError
from winnow.graph.join import join
from winnow.graph.safe_opening import UnsafeModelError
from winnow.machine import fingerprint
from winnow.tasks import predictor as predictor_module
from winnow.tasks.predictor import ModelFacts, Predictor

WHOLE = join(features_graph(), head_graph())
FACTS = ModelFacts(
    name="clouds",
    rung="features-lda",
    classes=("cirrus", "stratus", "çumulus"),
    input_spec=InputSpec(SIDE_PX),
    number_format="fp32",
    machine=fingerprint(),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    winnow_version="0.1.0",
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(WHOLE)
    FACTS.write(tmp_path)
    return tmp_path


def answers(predictor: Predictor, seen: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return predictor.probabilities(lambda index: seen[index], len(seen))


def _change(model: Path, **values: object) -> None:
    path = model / "winnow.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def test_the_facts_are_read_back_as_written(model: Path):
    assert ModelFacts.read(model) == FACTS


def test_a_model_answers_as_its_graph_does(model: Path):
    seen = pictures(9)
    predictor = Predictor(model)
    assert answers(predictor, seen) == pytest.approx(plain_run(WHOLE, seen), abs=1e-5)
    assert predictor.probabilities(lambda index: seen[index + 4], 5) == pytest.approx(
        plain_run(WHOLE, seen[4:]), abs=1e-5
    )


def test_no_picture_gives_no_answer(model: Path):
    assert answers(Predictor(model), pictures(0)).shape == (0, 3)


def test_an_answer_does_not_depend_on_its_neighbours(model: Path):
    seen = list(pictures(6))
    predictor = Predictor(model)
    assert np.array_equal(answers(predictor, seen)[2:3], answers(predictor, seen[2:3]))


@pytest.mark.parametrize(("machine", "expected"), [(None, "bf16"), ("another", "fp32")])
def test_the_measured_number_format_is_used_on_the_same_machine_only(
    model: Path, monkeypatch: pytest.MonkeyPatch, machine: str | None, expected: str
):
    facts = replace(FACTS, number_format="bf16", machine=machine or fingerprint())
    facts.write(model)
    opened: list[str] = []
    monkeypatch.setattr(
        predictor_module, "open_graph", lambda _, number_format, **_promises: opened.append(number_format)
    )
    Predictor(model)
    assert opened == [expected]


@pytest.mark.parametrize("number", [1, 2])
def test_a_folder_of_an_older_winnow_opens_under_its_old_names(model: Path, number: int):
    seen = pictures(3)
    new = answers(Predictor(model), seen)
    (model / "model.onnx").rename(model / "graph.onnx")
    _change(model, format=number)
    (model / "winnow.json").rename(model / "model.json")
    assert np.array_equal(answers(Predictor(model), seen), new)
    (model / "graph.onnx").write_bytes(WHOLE[:-1])
    with pytest.raises(BadDataError, match=r"not the graph that model\.json names; copy the model again"):
        Predictor(model)


def test_a_folder_without_a_model_says_what_one_is(tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"a folder with model\.onnx and winnow\.json, as `winnow train` makes it"):
        Predictor(tmp_path / "nowhere")


def test_a_model_without_its_graph_is_named(model: Path):
    (model / "model.onnx").unlink()
    with pytest.raises(NotFoundError, match=r"has no model\.onnx; train it again or copy it whole"):
        Predictor(model)


def test_another_graph_than_the_one_that_was_judged_is_refused(model: Path):
    (model / "model.onnx").write_bytes(WHOLE[:-1])
    with pytest.raises(BadDataError, match=r"not the graph that winnow\.json names; copy the model again"):
        Predictor(model)


def test_a_graph_that_may_not_be_opened_is_refused_though_it_is_the_one_that_is_named(model: Path):
    for content, code in ((b"\x80\x04N.", "E_MODEL_PICKLE"), (WHOLE[:-1], "E_MODEL_FORMAT")):
        (model / "model.onnx").write_bytes(content)
        _change(model, sha256=hashlib.sha256(content).hexdigest())
        with pytest.raises(UnsafeModelError) as refused:
            Predictor(model)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (
            features_graph(),
            r"not a model of Winnow's: it takes pixels and gives features, not pixels and probabilities",
        ),
        (join(features_graph(), head_graph(n_classes=4)), "does not answer the 3 classes that lie beside it"),
    ],
)
def test_a_graph_of_another_kind_is_refused(model: Path, graph: bytes, said: str):
    (model / "model.onnx").write_bytes(graph)
    _change(model, sha256=hashlib.sha256(graph).hexdigest())
    with pytest.raises(BadDataError, match=said):
        Predictor(model)


def test_a_model_of_a_newer_winnow_asks_for_an_update(model: Path):
    _change(model, format=99, winnow_version="9.0")
    with pytest.raises(BadDataError, match=r"made by Winnow 9\.0, which is newer .* pip install --upgrade winnow"):
        Predictor(model)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"format": 1}', '{"format": "x"}', pytest.param("[" * 100_000, id="deep"), "\udcff"],
)
def test_a_damaged_json_is_named(model: Path, text: str):
    (model / "winnow.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadDataError, match=r"winnow\.json is damaged .* train the model again"):
        Predictor(model)


def test_a_side_without_end_is_damage(model: Path):
    text = (model / "winnow.json").read_text(encoding="utf-8")
    (model / "winnow.json").write_text(re.sub(r'("side_px": )\d+', r"\g<1>1e999", text), encoding="utf-8")
    with pytest.raises(BadDataError, match="is damaged"):
        Predictor(model)
