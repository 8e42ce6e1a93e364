"""Models that others made: scikit-learn's, exported with its own exporter, and one that never ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


def logistic_regression(path: Path, **options: Any) -> tuple[Path, LogisticRegression]:
    """Fisher's irises, classified; as an ONNX file with the input "measures", and as scikit-learn has it."""
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(X.astype(np.float32), y)
    graph = to_onnx(model, initial_types=[("measures", FloatTensorType([None, 4]))], **options)
    path.write_bytes(graph.SerializeToString())
    return path, model


def endless(path: Path) -> Path:
    """A graph that counts its input "x" up for some thousand years."""
    counter = helper.make_tensor_value_info("before", TensorProto.FLOAT, [1])
    body = helper.make_graph(
        [helper.make_node("Identity", ["goes"], ["goes_on"]), helper.make_node("Add", ["before", "one"], ["after"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            counter,
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [1]),
        ],
        [numpy_helper.from_array(np.ones(1, np.float32), "one")],
    )
    turns = [numpy_helper.from_array(np.array(1 << 62), "turns"), numpy_helper.from_array(np.array(True), "yes")]
    given, wanted = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y"))
    graph = helper.make_graph(
        [helper.make_node("Loop", ["turns", "yes", "x"], ["y"], body=body)], "g", [given], [wanted], turns
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def irises(n: int = 5) -> np.ndarray:
    """(n, 4) float32 measures of some."""
    return load_iris().data[:: 150 // n][:n].astype(np.float32)
