"""Small lessons for heads: clouds of points whose classes overlap, so that no method is always right."""

from __future__ import annotations

import numpy as np

from winnow.tasks.heads.head import (
    EachLesson,
    Head,
    Lesson,
    Write,
    each_head_graph,
    head_graph,
    learn_all_classes,
    learn_each_class,
)

DIM = 6


def lesson(
    n_classes: int, n_each: int = 12, *, seed: int = 0, is_balanced: bool = False, distance: float = 2.0
) -> Lesson:
    """`n_each` points of every class, one more for each class id, around centres about `distance` apart."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), [n_each + (extra if n_each > 1 else 0) for extra in range(n_classes)])
    centres = distance * rng.normal(size=(n_classes, DIM)) / np.sqrt(2)
    rows = centres[labels] + rng.normal(size=(len(labels), DIM))
    order = rng.permutation(len(labels))
    # Features of many scales and offsets, as networks have them.
    rows = (rows * np.geomspace(0.1, 10, DIM) + np.arange(DIM))[order].astype(np.float32)
    return Lesson(rows, labels[order].astype(np.int64), n_classes, seed=3, is_balanced=is_balanced)


def unseen(n: int = 40, seed: int = 7) -> np.ndarray:
    """(n, DIM) points nobody learned from."""
    rng = np.random.default_rng(seed)
    return (2 * rng.normal(size=(n, DIM)) * np.geomspace(0.1, 10, DIM) + np.arange(DIM)).astype(np.float32)


def first_write(head: Head, given: Lesson, entry: int = 0) -> Write:
    """What the head learns with one entry of its grid."""
    grid = head.grid(given.rows.shape[1])
    return learn_all_classes(head, given, grid)[entry]


def graph_of(head: Head, given: Lesson, entry: int = 0, temperature: float = 1.0) -> bytes:
    """The finished head of one entry of the grid."""
    return head_graph(first_write(head, given, entry), temperature, given.rows.shape[1], given.n_classes)


def each_lesson(n_classes: int, n: int = 60, *, seed: int = 0, weights: np.ndarray | None = None) -> EachLesson:
    """n points that show any number of classes; each class moves them its own way, and the later ones are rarer."""
    rng = np.random.default_rng(seed)
    rates = np.linspace(0.5, 0.2, n_classes)
    labels = (rng.random((n, n_classes)) < rates).astype(np.uint8)
    labels[: 2 * n_classes] = np.tile(np.eye(n_classes, dtype=np.uint8), (2, 1))  # every class is shown and absent
    if n_classes == 1:
        labels[:2, 0] = 0, 1
    moves = 2 * rng.normal(size=(n_classes, DIM)) / np.sqrt(2)
    rows = labels @ moves + rng.normal(size=(n, DIM))
    rows = (rows * np.geomspace(0.1, 10, DIM) + np.arange(DIM)).astype(np.float32)
    return EachLesson(rows, labels, seed=3, weights=weights)


def each_graph_of(head: Head, given: EachLesson, entry: int = 0) -> bytes:
    """The finished head of one entry of the grid, each class with the sigmoid of its own logit."""
    write = learn_each_class(head, given, head.grid(given.rows.shape[1]))[entry]
    return each_head_graph(write, np.ones(given.n_classes), np.zeros(given.n_classes), 50.0, given.rows.shape[1])
