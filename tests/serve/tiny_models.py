"""Model folders that open in a moment, and what they must answer."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from graph.tiny import SIDE_PX, features_graph, head_graph
from winnow.api.model import Model
from winnow.data.inputs import InputSpec
from winnow.graph.join import join
from winnow.machine import fingerprint
from winnow.tasks.predictor import ModelFacts

CLASSES = ("cirrus", "cumulus", "stratus")


def tiny_model(folder: Path, name: str = "clouds", *, scale: float = 1.0) -> Path:
    """A model of three classes in a folder; with another scale it answers otherwise."""
    folder.mkdir(parents=True)
    graph = join(features_graph(scale=scale), head_graph())
    (folder / "model.onnx").write_bytes(graph)
    ModelFacts(
        name=name,
        rung="features-lda",
        classes=CLASSES,
        input_spec=InputSpec(SIDE_PX),
        number_format="fp32",
        machine=fingerprint(),
        sha256=hashlib.sha256(graph).hexdigest(),
        winnow_version="0.1.0",
    ).write(folder)
    return folder


def expected(folder: Path, files: list[bytes]) -> np.ndarray:
    """(N, C) probabilities as Python gives them, without a server."""
    return Model(folder).predict_proba(files)
