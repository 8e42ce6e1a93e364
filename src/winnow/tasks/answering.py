"""What a model says of a picture once its probabilities are known: one rule for Python, commands, server and batches.

Probabilities are compared as Python's numbers, in double precision, as thresholds are written: one on the edge falls on
the same side everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Said(NamedTuple):
    """What is answered.

    Attributes:
        labels: the most probable class; of a model that may answer several, all whose probability reaches their
            threshold, most probable first.
        label: the answer if it is exactly one class.
        prob: its probability in [0, 1].
    """

    labels: tuple[str, ...]
    label: str | None
    prob: float | None


def ranked(probs: Sequence[float]) -> list[int]:
    """The places of all classes, most probable first; of equal ones the first stands first.

    >>> ranked([0.2, 0.6, 0.2])
    [1, 0, 2]
    """
    # For a few classes NumPy would take five times longer.
    return sorted(range(len(probs)), key=probs.__getitem__, reverse=True)


def chosen(probs: Sequence[float], thresholds: Sequence[float] | None) -> list[int]:
    """The places of the classes that are answered, most probable first.

    Args:
        probs: of each class, in [0, 1].
        thresholds: of each class; None: the model answers the most probable one.

    >>> chosen([0.2, 0.6, 0.2], None), chosen([0.2, 0.6, 0.9], [0.5, 0.5, 0.5])
    ([1], [2, 1])
    """
    if thresholds is None:
        return [max(range(len(probs)), key=probs.__getitem__)]
    reached = [place for place, prob in enumerate(probs) if prob >= thresholds[place]]
    return sorted(reached, key=probs.__getitem__, reverse=True)


def said_of(probs: Sequence[float], classes: Sequence[str], thresholds: Sequence[float] | None) -> Said:
    """What is answered, by name; see `chosen`."""
    places = chosen(probs, thresholds)
    labels = tuple(classes[place] for place in places)
    if len(places) == 1:
        return Said(labels, labels[0], probs[places[0]])
    return Said(labels, None, None)


def is_sure(labels: Sequence[str], prob: float | None, *, has_several: bool, sure_from: float | None) -> bool:
    """Whether an answer may be called sure.

    Args:
        labels: what is answered; none where a picture could not be read.
        prob: of the one answer.
        has_several: the model may answer several classes: each has its own threshold, and reaching one is enough.
        sure_from: from which probability on the one answer may be; None: none may (`winnow.metrics.sureness`).
    """
    if has_several:
        return bool(labels)
    return sure_from is not None and prob is not None and prob >= sure_from
