"""A graph in OpenVINO's own files: the same numbers, and a sentence where OpenVINO cannot read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from winnow.errors import UserError
from winnow.graph.build import GraphPen
from winnow.graph.join import FEATURES, PROBABILITIES, join
from winnow.graph.runtime import open_openvino_files, write_openvino_files
from winnow.tasks.heads.random_forest import tree_ensemble

from .tiny import DIM, features_graph, head_graph, pictures, plain_run


def test_what_was_written_gives_the_graphs_own_numbers(tmp_path: Path):
    graph, seen = join(features_graph(), head_graph()), pictures(5)
    write_openvino_files(graph, tmp_path / "model.xml")
    assert {file.name for file in tmp_path.iterdir()} == {"model.xml", "model.bin"}
    opened = open_openvino_files(tmp_path / "model.xml")
    np.testing.assert_allclose(opened.run(seen), plain_run(graph, seen), atol=1e-5)


def test_a_graph_with_trees_is_told_to_stay_onnx(tmp_path: Path):
    rng = np.random.default_rng(0)
    forest = RandomForestClassifier(5, random_state=0).fit(rng.normal(size=(40, DIM)), np.arange(40) % 3)
    pen = GraphPen(FEATURES, (None, DIM), prefix="head/")
    shares = pen.op("TreeEnsembleRegressor", pen.input, domain="ai.onnx.ml", **tree_ensemble(forest))
    graph = join(features_graph(), pen.finish(shares, PROBABILITIES, (None, 3)))
    with pytest.raises(UserError, match=r"tree ensembles, say\): take it as ONNX"):
        write_openvino_files(graph, tmp_path / "model.xml")
    assert not list(tmp_path.iterdir())
