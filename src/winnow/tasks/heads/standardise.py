"""Bring features to mean 0 and variance 1, in NumPy for learning and in ONNX for running."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import Rows


@dataclass(frozen=True, slots=True)
class Standardiser:
    """x -> (x - mean) * scale; mean (D,), scale (D,) or a single number for all features."""

    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]

    @classmethod
    def of(cls, rows: Rows, *, each: bool = True) -> Standardiser:
        """Measured on rows (N, D); features that never change stay 0.

        Args:
            each: every feature gets variance 1 (right for learned features of many scales); otherwise only their
                mean variance becomes 1, which keeps the quiet pixels of a picture's rim quiet.
        """
        mean = rows.mean(axis=0, dtype=np.float64)
        variance = rows.var(axis=0, dtype=np.float64)
        if not each:
            variance = np.full_like(variance, variance.mean())
        scale = np.where(variance > 1e-12, 1 / np.sqrt(np.maximum(variance, 1e-12)), 0.0)
        return cls(mean.astype(np.float32), scale.astype(np.float32))

    def apply(self, rows: Rows) -> Rows:
        """Rows (N, D), standardised."""
        return (rows - self.mean) * self.scale

    def write(self, pen: GraphPen, x: str) -> str:
        """The same in ONNX."""
        return pen.op("Mul", pen.op("Sub", x, pen.constant(self.mean)), pen.constant(self.scale))
