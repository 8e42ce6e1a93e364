"""What should not tell classes apart, as numbers: light, colour, border, size, file type, compression, camera ..."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from winnow.data.health.look import Looks
from winnow.data.manifest import Example

_MOST_VALUES = 12
_MOST_METADATA = 20
# A column filled for fewer examples says more about who filled it than about the pictures.
_LEAST_FILLED = 0.5
# Forests calculate in float32.
_LARGEST = float(np.finfo(np.float32).max)
# Columns that are the label in other words.
_LABEL_WORDS = ("label", "class", "categor", "target", "species")


@dataclass(frozen=True)
class Nuisance:
    """One thing that should not matter.

    Attributes:
        name: as the subject of a sentence.
        columns: (N, K) numbers.
        strong_from: the balanced accuracy from which on it is worth telling. Between natural classes light, colour and
            border differ by themselves: in 40 draws of cats-dogs, CIFAR-10, clouds and MNIST the strongest lower bounds
            were 0.72 (brightness) and 0.77 (border, colour); planted ones (half the light, a frame) are above 0.9.
            How a file was made has no such excuse.
    """

    name: str
    columns: NDArray[np.float64]
    strong_from: float


def nuisances(examples: Sequence[Example], looks: Looks) -> list[Nuisance]:
    """All nuisances that vary among these examples; a picture that cannot be decoded has zeros.

    Args:
        examples: N.
        looks: (N, ...).
    """
    red, green, blue = looks["red"], looks["green"], looks["blue"]
    light = ("brightness_p1", "brightness_p5", "brightness_p95", "brightness_p99", "clipped")
    border = ("border_red", "border_green", "border_blue", "border_spread", "border_step")
    width = np.array([float(e.width) for e in examples])
    height = np.array([float(e.height) for e in examples])
    found = [
        # Darkest and brightest places only: the mean also counts how much of the picture an object fills.
        Nuisance("brightness", np.stack([looks[name] for name in light], axis=1), 0.75),
        Nuisance("colour", np.stack([red - green, blue - green, looks["saturation"]], axis=1), 0.8),
        Nuisance("the border", np.stack([looks[name] for name in border], axis=1), 0.8),
        Nuisance("the size", np.stack([width, height], axis=1), 0.75),
        Nuisance("the aspect ratio", (width / height)[:, None], 0.75),
        Nuisance("the file type", one_hot([e.format for e in examples]), 0.65),
        Nuisance("compression", np.stack([looks["jpeg_quality"], _lossy_bits(examples)], axis=1), 0.75),
        Nuisance("the camera", one_hot([str(camera) for camera in looks["camera"].tolist()]), 0.65),
        Nuisance("the time it was taken", _moments(examples)[:, None], 0.8),
        *_metadata(examples),
    ]
    cleaned = [Nuisance(one.name, _finite(one.columns), one.strong_from) for one in found]
    return [one for one in cleaned if len(examples) and (one.columns != one.columns[0]).any()]


def _finite(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unknown becomes 0; numbers of a user's column that no forest can hold become the largest that it can."""
    return np.nan_to_num(np.clip(columns, -_LARGEST, _LARGEST))


def one_hot(values: Sequence[str]) -> NDArray[np.float64]:
    """(N, K) which of the most frequent values each has."""
    common = [value for value, _ in Counter(values).most_common(_MOST_VALUES)]
    return np.array([[value == one for one in common] for value in values], dtype=np.float64).reshape(len(values), -1)


def _lossy_bits(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Bits a pixel of formats whose quality is not written in the file; lossless ones tell of the content instead."""
    return np.array([8 * e.bytes / (e.width * e.height) if e.format in ("WEBP", "AVIF") else 0.0 for e in examples])


def _moments(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Seconds since 1970; 0 where nothing is known."""
    return np.array([_seconds(e.taken) for e in examples], dtype=np.float64)


def _seconds(taken: str | None) -> float:
    if taken is None:
        return 0.0
    try:
        moment = datetime.fromisoformat(taken)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _metadata(examples: Sequence[Example]) -> Iterator[Nuisance]:
    """The user's own columns, as numbers or as categories; not those that number the examples or repeat the label."""
    filled = Counter(name for e in examples for name, value in e.metadata.items() if value)
    names = [name for name, n in filled.most_common() if n >= _LEAST_FILLED * len(examples)]
    labels = {label.casefold() for e in examples for label in e.labels or ()}
    for name in names[:_MOST_METADATA]:
        values = [e.metadata.get(name, "") for e in examples]
        if any(word in name.casefold() for word in _LABEL_WORDS) or {v.casefold() for v in values} <= {"", *labels}:
            continue
        title = f"the column '{name}'"
        numbers = _as_numbers(values)
        if numbers is not None:
            if len(set(values)) < len(values) or not (numbers == numbers.round()).all():  # else they number the rows
                yield Nuisance(title, numbers[:, None], 0.75)
        elif len(set(values)) <= len(values) / 5:
            yield Nuisance(title, one_hot(values), 0.65)


def _as_numbers(values: Sequence[str]) -> NDArray[np.float64] | None:
    try:
        return np.array([float(value) if value else np.nan for value in values])
    except ValueError:
        return None
