"""Small lessons for heads: clouds of points whose classes overlap, so that no method is always right."""

from __future__ import annotations

import numpy as np

from winnow.tasks.heads.head import Head, Lesson, Write, head_graph, learn_all_classes

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
