"""Models that were never trained: their graphs weigh every pixel, so that one wrong pixel shows in the answer."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

import winnow
from winnow.data.inputs import Fit, InputSpec
from winnow.graph.build import GraphPen
from winnow.graph.join import FEATURES, PIXELS, PROBABILITIES, join
from winnow.graph.runtime import NumberFormat
from winnow.machine import fingerprint
from winnow.tasks.predictor import GRAPH, ModelFacts

SIDE_PX = 48
CLASSES = ("blue", "green", "red", "ünï \N{SNOWMAN}")


def weighing_model(
    folder: Path,
    fit: Fit = "squash",
    thresholds: tuple[float, ...] | None = None,
    number_format: NumberFormat = "fp32",
    classes: tuple[str, ...] = CLASSES,
    machine: str | None = None,
) -> Path:
    """A model's folder: 48 px in, random weights for each of the 6,912 values, four classes out."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    pen = GraphPen(PIXELS, (None, SIDE_PX, SIDE_PX, 3), np.uint8)
    x = pen.op("Reshape", pen.op("Cast", pen.input, to=1), pen.constant([-1, SIDE_PX * SIDE_PX * 3], np.int64))
    x = pen.op("Mul", pen.op("Sub", x, pen.constant(128.0)), pen.constant(1 / 128))
    features = pen.finish(pen.op("MatMul", x, pen.constant(rng.normal(size=(6912, 8)) / 24)), FEATURES, (None, 8))
    head = GraphPen(FEATURES, (None, 8), prefix="head/")
    logits = head.linear(head.input, rng.normal(size=(8, len(classes))), np.zeros(len(classes)))
    answered = head.op("Softmax", logits, axis=1) if thresholds is None else head.op("Sigmoid", logits)
    graph = join(features, head.finish(answered, PROBABILITIES, (None, len(classes))))
    (folder / GRAPH).write_bytes(graph)
    ModelFacts(
        name="weighing",
        rung="made up",
        classes=classes,
        input_spec=InputSpec(SIDE_PX, fit),
        number_format=number_format,
        machine=machine or fingerprint(),
        sha256=hashlib.sha256(graph).hexdigest(),
        winnow_version=winnow.__version__,
        task="classify" if thresholds is None else "multilabel",
        thresholds=thresholds,
    ).write(folder)
    return folder
