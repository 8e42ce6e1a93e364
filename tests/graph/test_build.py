"""The pen writes valid graphs, the same bytes every time."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from winnow.graph.build import OPSET, GraphPen

from .tiny import features_graph, plain_run


def _affine() -> bytes:
    pen = GraphPen("features", (None, 2))
    return pen.finish(pen.linear(pen.input, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 20.0])), "y", (None, 2))


def test_a_linear_map_is_x_times_weights_plus_bias():
    assert plain_run(_affine(), np.array([[1, 1]], dtype=np.float32)).tolist() == [[14.0, 26.0]]


def test_the_same_steps_give_the_same_bytes():
    assert _affine() == _affine()
    assert features_graph() == features_graph()


def test_ops_of_another_domain_are_declared_at_version_3():
    pen = GraphPen("features", (None, 1))
    graph = pen.finish(
        pen.op("Normalizer", pen.input, domain="ai.onnx.ml", norm="MAX"),
        "y",
        (None, 1),
    )
    opsets = {entry.domain: entry.version for entry in onnx.load_from_string(graph).opset_import}
    assert opsets == {"": OPSET, "ai.onnx.ml": 3}


def test_an_op_with_two_outputs_names_both():
    pen = GraphPen("x", (None, 3))
    values, _ = pen.op2("TopK", pen.input, pen.constant([1], np.int64), axis=1)
    graph = pen.finish(values, "largest", (None, 1))
    assert plain_run(graph, np.array([[1, 7, 3]], dtype=np.float32)).tolist() == [[7.0]]


def test_inner_names_carry_the_prefix_so_that_two_graphs_can_be_joined():
    pen = GraphPen("features", (None, 1), prefix="head/")
    model = onnx.load_from_string(pen.finish(pen.op("Relu", pen.op("Neg", pen.input)), "y", (None, 1)))
    inner = {name for node in model.graph.node for name in node.output} - {"y"}
    assert inner
    assert all(name.startswith("head/") for name in inner)


def test_a_graph_that_is_not_valid_is_not_given_out():
    pen = GraphPen("x", (None, 1))
    with pytest.raises(onnx.checker.ValidationError):
        pen.finish(pen.op("NoSuchOp", pen.input), "y", (None, 1))
