"""Models that others made: scikit-learn's, exported with its own exporter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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


def irises(n: int = 5) -> np.ndarray:
    """(n, 4) float32 measures of some."""
    return load_iris().data[:: 150 // n][:n].astype(np.float32)
