"""Graphs small enough to be checked by hand, and a backbone that any processor runs in microseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from winnow.data.inputs import InputSpec
from winnow.graph.backbone import Backbone, write_backbone
from winnow.graph.build import OPSET, GraphPen
from winnow.graph.join import FEATURES, PIXELS, PROBABILITIES

SIDE_PX = 16
DIM = 12


def pictures(n: int, seed: int = 0, side_px: int = SIDE_PX) -> np.ndarray:
    """(n, side, side, 3) uint8 noise around a colour of its own each."""
    rng = np.random.default_rng(seed)
    colour = rng.integers(60, 196, (n, 1, 1, 3))
    return (colour + rng.integers(-60, 60, (n, side_px, side_px, 3))).astype(np.uint8)


def features_graph(side_px: int = SIDE_PX, dim: int = DIM, opset: int = OPSET, scale: float = 1.0) -> bytes:
    """Two convolutions and a mean: pixels (N, side, side, 3) to features (N, dim); `scale` stretches the features."""
    rng = np.random.default_rng(0)
    pen = GraphPen(PIXELS, (None, side_px, side_px, 3), np.uint8, opset=opset)
    x = pen.op("Mul", pen.op("Cast", pen.input, to=1), pen.constant(1 / 255))
    x = pen.op("Transpose", x, perm=[0, 3, 1, 2])
    first = pen.constant(0.5 * rng.normal(size=(8, 3, 3, 3)))
    x = pen.op("Relu", pen.op("Conv", x, first, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]))
    second = pen.constant(0.2 * scale * rng.normal(size=(dim, 8, 3, 3)))
    x = pen.op("Relu", pen.op("Conv", x, second, kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
    x = pen.op("Reshape", pen.op("GlobalAveragePool", x), pen.constant([-1, dim], np.int64))
    return pen.finish(x, FEATURES, (None, dim))


def head_graph(dim: int = DIM, n_classes: int = 3, opset: int = OPSET) -> bytes:
    """A linear head: features (N, dim) to probabilities (N, n_classes)."""
    rng = np.random.default_rng(1)
    pen = GraphPen(FEATURES, (None, dim), prefix="head/", opset=opset)
    logits = pen.linear(pen.input, rng.normal(size=(dim, n_classes)), rng.normal(size=n_classes))
    return pen.finish(pen.op("Softmax", logits, axis=1), PROBABILITIES, (None, n_classes))


def tiny_backbone(folder: Path, name: str = "tiny", graph: bytes | None = None) -> Backbone:
    """The small convolutional graph as a backbone folder."""
    return write_backbone(
        folder,
        graph or features_graph(),
        name=name,
        input_spec=InputSpec(SIDE_PX),
        licence="CC0-1.0",
        source="made up for tests",
    )


def plain_run(graph: bytes, inputs: np.ndarray) -> np.ndarray:
    """A whole graph on plain ONNX Runtime, as any other program would run it; nothing of ours in between."""
    import onnxruntime

    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    (wanted,) = session.get_outputs()
    return np.asarray(session.run([wanted.name], {given.name: inputs})[0])
