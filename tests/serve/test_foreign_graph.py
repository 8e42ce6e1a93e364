"""Graphs made elsewhere are served beside ours, and answer as they do where they were made."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import pytest_asyncio
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression

from winnow.errors import BadDataError
from winnow.serve.engine import Engine
from winnow.serve.foreign_graph import ForeignGraph
from winnow.serve.opening import lineup_of, open_served
from winnow.serve.questions import Answer, Question, UnansweredError

from .foreign_models import irises, logistic_regression
from .tiny_models import tiny_model

pytestmark = pytest.mark.asyncio(loop_scope="module")


def identity(path: Path, kind: int = TensorProto.STRING) -> Path:
    """A graph that gives back what it gets."""
    given, wanted = (helper.make_tensor_value_info(name, kind, [None]) for name in ("given", "same"))
    graph = helper.make_graph([helper.make_node("Identity", ["given"], ["same"])], "same", [given], [wanted])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LogisticRegression]:
    return logistic_regression(tmp_path_factory.mktemp("foreign") / "flowers.onnx")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine(
    flowers: tuple[Path, LogisticRegression], tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Engine]:
    home = tmp_path_factory.mktemp("beside")
    ours, echo = tiny_model(home / "clouds"), identity(home / "echo.onnx")
    engine = Engine(lineup_of([str(ours), str(flowers[0]), str(echo)]), workers=1)
    await engine.start()
    yield engine
    await engine.drain(5)


async def ask(engine: Engine, name: str, what: Any) -> Answer:
    return await engine.ask(Question(engine.lineup.choose(name, None, b""), what, time.monotonic() + 30))


async def test_a_model_of_scikit_learn_answers_as_it_does_there(
    engine: Engine, flowers: tuple[Path, LogisticRegression]
):
    answer = await ask(engine, "flowers", {"measures": irises()})
    assert answer.outputs["output_probability"] == pytest.approx(flowers[1].predict_proba(irises()), abs=1e-5)
    assert np.array_equal(answer.outputs["output_label"], flowers[1].predict(irises()))
    assert answer.summary.shape == (0,)


async def test_text_goes_in_and_comes_out(engine: Engine):
    answer = await ask(engine, "echo", {"given": np.array(["ça", "", "雲"])})
    assert answer.outputs["same"].tolist() == ["ça", "", "雲"]


async def test_tensors_larger_than_any_buffer_come_whole(engine: Engine):
    words = np.arange(300_000).astype(str)
    answer = await ask(engine, "echo", {"given": words})
    assert np.array_equal(answer.outputs["same"], words)


@pytest.mark.parametrize(
    ("name", "what", "sentence"),
    [
        ("flowers", {}, r"takes the tensors measures float32 \[any, 4\]; given: none\."),
        ("flowers", {"measures": irises(), "more": irises()}, "given: measures, more"),
        ("flowers", {"measures": irises().astype(np.float64)}, r"given: measures float64 \[5, 4\]\."),
        ("flowers", {"measures": irises()[:, :3]}, r"given: measures float32 \[5, 3\]\."),
        ("flowers", b"a picture", "takes no pictures but tensors"),
        ("clouds", {"pixels": irises()}, "takes picture files, no tensors"),
    ],
)
async def test_what_a_model_does_not_take_is_refused(engine: Engine, name: str, what: Any, sentence: str):
    with pytest.raises(UnansweredError, match=sentence) as refused:
        await ask(engine, name, what)
    assert (refused.value.status, refused.value.code) == (422, "bad-tensors")


async def test_tensors_that_a_graph_does_not_run_on_cost_their_own_answer_only(tmp_path: Path):
    given = helper.make_tensor_value_info("given", TensorProto.FLOAT, [None])
    wanted = helper.make_tensor_value_info("pairs", TensorProto.FLOAT, [None, 2])
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 2])
    node = helper.make_node("Reshape", ["given", "shape"], ["pairs"])
    graph = helper.make_graph([node], "pairs", [given], [wanted], [shape])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "pairs.onnx"
    )
    engine = Engine(lineup_of([str(tmp_path / "pairs.onnx")]), workers=1)
    await engine.start()
    odd, even = await asyncio.gather(
        *(ask(engine, "pairs", {"given": np.zeros(n, dtype=np.float32)}) for n in (3, 4)), return_exceptions=True
    )
    await engine.drain(5)
    assert isinstance(odd, UnansweredError)
    assert (odd.status, odd.code) == (422, "bad-tensors")
    assert "The graph does not run on these tensors" in odd.sentence
    assert isinstance(even, Answer)
    assert even.outputs["pairs"].shape == (2, 2)


async def test_probabilities_are_plain_tensors_with_or_without_a_list_of_dictionaries(tmp_path: Path):
    described = [
        [(one.dtype, one.shape[1:]) for one in open_served(str(path)).outputs]
        for path, _ in (
            logistic_regression(tmp_path / "dictionaries.onnx"),
            logistic_regression(tmp_path / "plain.onnx", options={LogisticRegression: {"zipmap": False}}),
        )
    ]
    assert described[0] == described[1] == [("int64", ()), ("float32", (3,))]


async def test_what_is_no_plain_tensor_is_refused(tmp_path: Path):
    with pytest.raises(BadDataError, match=r"'given' of .* is no plain tensor"):
        open_served(str(identity(tmp_path / "complex.onnx", TensorProto.COMPLEX64)))


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory this process has")
async def test_what_one_question_needed_is_given_back(tmp_path: Path):
    # A worker's memory is limited: what stayed would be lacking for the next picture, and its verdict would change.
    lengths = helper.make_tensor_value_info("lengths", TensorProto.INT64, [None])
    zeros = helper.make_tensor_value_info("zeros", TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node("ConstantOfShape", ["lengths"], ["zeros"])], "g", [lengths], [zeros])
    path = tmp_path / "zeros.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    opened = ForeignGraph(path, open_served(str(path)).digest)
    opened.run({"lengths": np.array([1])})
    before = pages()
    assert len(opened.run({"lengths": np.array([32 << 20])})["zeros"]) == 32 << 20
    assert (pages() - before) * os.sysconf("SC_PAGE_SIZE") < 64 << 20


def pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0])
