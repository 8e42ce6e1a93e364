"""Both engines give the same answers, from any thread, and report to nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from winnow.graph.build import GraphPen
from winnow.graph.runtime import OpenGraph, has_openvino, open_graph, open_small_graph

from .tiny import DIM, features_graph, pictures, plain_run


def _forest_graph() -> bytes:
    pen = GraphPen("features", (None, 1))
    attributes = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_values": [0.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 1],
        "target_weights": [1.0, 1.0],
        "n_targets": 2,
    }
    shares = pen.op("TreeEnsembleRegressor", pen.input, domain="ai.onnx.ml", **attributes)
    return pen.finish(shares, "probabilities", (None, 2))


@pytest.mark.parametrize("one_at_a_time", [False, True])
def test_openvino_and_onnx_runtime_agree(one_at_a_time: bool):
    seen = pictures(1 if one_at_a_time else 7)
    expected = plain_run(features_graph(), seen)
    opened = open_graph(features_graph(), one_at_a_time=one_at_a_time)
    assert opened.engine == ("openvino" if has_openvino() else "onnxruntime")
    assert opened.run(seen) == pytest.approx(expected, abs=1e-5)
    assert open_small_graph(features_graph()).run(seen) == pytest.approx(expected, abs=1e-5)


def test_trees_run_on_onnx_runtime_whatever_else_is_there():
    opened = open_graph(_forest_graph())
    assert opened.engine == "onnxruntime"
    assert opened.run(np.array([[0.5], [0.6]], dtype=np.float32)).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("engine", [partial(open_graph, one_at_a_time=True), open_small_graph])
def test_many_threads_get_the_same_rows_as_one(engine: Callable[[bytes], OpenGraph]):
    opened = engine(features_graph())
    seen = pictures(40)
    alone = [opened.run(picture[None])[0] for picture in seen]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda picture: opened.run(picture[None])[0], [*seen, *seen, *seen]))
    assert np.array_equal(np.stack(together), np.stack(alone * 3))


def test_a_row_that_was_given_out_is_not_overwritten_by_the_next_run():
    opened = open_graph(features_graph(), one_at_a_time=True)
    first, second = pictures(2)
    row = opened.run(first[None])
    kept = row.copy()
    opened.run(second[None])
    assert np.array_equal(row, kept)


def test_a_mirrored_view_of_a_picture_is_read_as_it_looks():
    opened = open_graph(features_graph(), one_at_a_time=True)
    mirrored = pictures(1)[:, :, ::-1]
    assert not mirrored.flags.c_contiguous
    assert np.array_equal(opened.run(mirrored), opened.run(np.ascontiguousarray(mirrored)))


@pytest.mark.skipif(not has_openvino(), reason="needs OpenVINO")
def test_bf16_is_close_to_fp32_but_not_the_same():
    seen = pictures(1)
    exact = open_graph(features_graph(), one_at_a_time=True).run(seen)
    rough = open_graph(features_graph(), "bf16", one_at_a_time=True).run(seen)
    assert rough.shape == exact.shape == (1, DIM)
    assert rough == pytest.approx(exact, rel=0.05, abs=0.02)


def test_running_a_graph_loads_no_telemetry_and_forbids_it_to_onnx_runtime():
    code = (
        "import os, sys\n"
        "os.environ.pop('ORT_DISABLE_TELEMETRY', None)\n"
        "from winnow.graph.build import GraphPen\n"
        "from winnow.graph.runtime import open_graph, open_small_graph\n"
        "pen = GraphPen('x', (None, 1))\n"
        "graph = pen.finish(pen.op('Neg', pen.input), 'y', (None, 1))\n"
        "open_graph(graph), open_small_graph(graph)\n"
        "assert sys.modules.get('openvino_telemetry') is None\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry.')]\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_where_openvino_is_missing_onnx_runtime_does_the_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.graph.runtime.has_openvino", lambda: False)
    opened = open_graph(features_graph(), "bf16", one_at_a_time=True)
    assert opened.engine == "onnxruntime"
    assert opened.run(pictures(1)) == pytest.approx(plain_run(features_graph(), pictures(1)), abs=1e-6)
