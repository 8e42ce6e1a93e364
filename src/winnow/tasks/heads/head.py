"""What a head is: learned from features and labels, written as ONNX, run as nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from winnow.graph.build import GraphPen
from winnow.graph.join import FEATURES, PROBABILITIES
from winnow.tasks.rung import Settings

Rows = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.float64]

ABSENT_LOGIT = -30.0
"""The logit of a class without a training example: its probability is about 1e-13, not 0, so that log loss stays
finite; a method cannot know what it was never shown."""

Write = Callable[[GraphPen, str], str]
"""Writes a learned head: given the pen and the name of the features (N, D), gives the name of the logits (N, C)."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a head learns from."""

    rows: Rows
    """(N, D) features."""
    labels: Labels
    """(N,) class ids 0..C-1, each class present."""
    n_classes: int
    seed: int
    is_balanced: bool = False
    """Weigh classes inversely to their frequency."""
    weights: Weights | None = None
    """(N,) how much each example counts; None: all the same."""


@dataclass(frozen=True, slots=True)
class EachLesson:
    """What a head learns from where a picture may show any number of classes: each class against the rest."""

    rows: Rows
    """(N, D) features."""
    labels: Marks
    """(N, C) 1 where the picture shows the class, else 0; some show it and some do not."""
    seed: int
    weights: Weights | None = None
    """(N,) how much each example counts; None: all the same."""

    @property
    def n_classes(self) -> int:
        """C."""
        return self.labels.shape[1]

    @property
    def rates(self) -> npt.NDArray[np.float64]:
        """(C,) share of the examples that show each class, by weight."""
        return np.average(self.labels, axis=0, weights=self.weights)


class Head(Protocol):
    """A way to learn from features."""

    @property
    def heeds_weights(self) -> bool:
        """Whether it can learn more from examples of larger weight; if not, it learns from all alike."""
        ...

    def grid(self, n_features: int) -> Sequence[Settings]:
        """The settings to choose among by cross-validation, the most regularised first; one entry: no choice."""
        ...

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """Learn once per entry of the grid, sharing what can be shared; softmax makes probabilities of the logits."""
        ...

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """Likewise, each class against the rest; a sigmoid makes probabilities of the logits."""
        ...

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """Seconds one `learn` takes on one reference core (an AMD EPYC 9004 core, 2026)."""
        ...

    def estimate_each_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """Seconds one `learn_each` takes there."""
        ...


def learn_all_classes(head: Head, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
    """`head.learn` for lessons in which some classes have no example (as in a fold of a tiny dataset)."""
    present = np.unique(lesson.labels)
    if len(present) == lesson.n_classes:
        return head.learn(lesson, grid)
    if len(present) == 1:
        return [_always(int(present[0]), lesson) for _ in grid]
    smaller = Lesson(
        lesson.rows,
        np.searchsorted(present, lesson.labels).astype(np.int64),
        len(present),
        lesson.seed,
        lesson.is_balanced,
        lesson.weights,
    )
    spread = np.zeros((len(present), lesson.n_classes), dtype=np.float32)
    spread[np.arange(len(present)), present] = 1
    absent = np.full(lesson.n_classes, ABSENT_LOGIT, dtype=np.float32)
    absent[present] = 0

    def widened(write: Write) -> Write:
        return lambda pen, x: pen.linear(pen.op("LogSoftmax", write(pen, x), axis=1), spread, absent)

    return [widened(write) for write in head.learn(smaller, grid)]


def learn_each_class(head: Head, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
    """`head.learn_each` for lessons in which every example shows some class, or none does (as in a fold).

    Such a class gets the same logit for every picture: after n examples that are all alike, the next is unlike them
    with a probability of 1 / (n + 2) (Laplace's rule of succession).
    """
    n, shown = len(lesson.labels), lesson.labels.sum(axis=0, dtype=np.int64)
    is_mixed = (shown > 0) & (shown < n)
    if is_mixed.all():
        return head.learn_each(lesson, grid)
    surely = np.where(is_mixed, 0.0, np.where(shown > 0, 1.0, -1.0) * np.log(n + 1)).astype(np.float32)
    if not is_mixed.any():
        zeros = np.zeros((lesson.rows.shape[1], lesson.n_classes), dtype=np.float32)
        return [lambda pen, x: pen.linear(x, zeros, surely) for _ in grid]
    smaller = EachLesson(lesson.rows, lesson.labels[:, is_mixed], lesson.seed, lesson.weights)
    spread = np.eye(lesson.n_classes, dtype=np.float32)[is_mixed]

    def widened(write: Write) -> Write:
        return lambda pen, x: pen.linear(write(pen, x), spread, surely)

    return [widened(write) for write in head.learn_each(smaller, grid)]


def _always(label: int, lesson: Lesson) -> Write:
    logits = np.full(lesson.n_classes, ABSENT_LOGIT, dtype=np.float32)
    logits[label] = 0
    zeros = np.zeros((lesson.rows.shape[1], lesson.n_classes), dtype=np.float32)
    return lambda pen, x: pen.linear(x, zeros, logits)


def logits_graph(write: Write, n_features: int, n_classes: int) -> bytes:
    """The head alone, `features` (N, D) to logits (N, C): what the temperature is fitted on."""
    pen = GraphPen(FEATURES, (None, n_features), prefix="head/")
    return pen.finish(write(pen, pen.input), "logits", (None, n_classes))


def head_graph(write: Write, temperature: float, n_features: int, n_classes: int) -> bytes:
    """The calibrated head, `features` (N, D) to `probabilities` (N, C).

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017 (temperature scaling).
    """
    pen = GraphPen(FEATURES, (None, n_features), prefix="head/")
    cooled = pen.op("Mul", write(pen, pen.input), pen.constant(1 / temperature))
    return pen.finish(pen.op("Softmax", cooled, axis=1), PROBABILITIES, (None, n_classes))


def each_head_graph(
    write: Write, slopes: npt.NDArray[np.float64], offsets: npt.NDArray[np.float64], most: float, n_features: int
) -> bytes:
    """The calibrated head, `features` (N, D) to `probabilities` (N, C): sigmoid(slope * logit + offset), by class.

    Args:
        write: gives the logits (N, C).
        slopes: (C,)
        offsets: (C,)
        most: the log-odds never go beyond this, up or down.
        n_features: D.

    Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """
    pen = GraphPen(FEATURES, (None, n_features), prefix="head/")
    scaled = pen.op("Mul", write(pen, pen.input), pen.constant(slopes))
    honest = pen.op("Add", scaled, pen.constant(offsets))
    modest = pen.op("Max", pen.op("Min", honest, pen.constant(most)), pen.constant(-most))
    return pen.finish(pen.op("Sigmoid", modest), PROBABILITIES, (None, len(slopes)))
