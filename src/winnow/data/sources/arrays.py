"""Pictures as numbers: (X, y) arrays, lists of arrays, Pillow images or paths, and .npz files of X and y.

Where pictures have several classes, y is a list of lists of names, or an array of 0 and 1 with a column a class.

Which numbers are brightnesses is decided for a whole array at once: see `winnow.data.pixels`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from winnow.data.pixels import as_uint8, encode_png, pixels_from_array, scale_of, three_channels
from winnow.data.regular_files import read_file
from winnow.data.sources.source import Found, ImportOptions, label_text, one_label
from winnow.data.sources.tree import Tree
from winnow.errors import BadDataError

# (pictures, labels, split) by the names people use; Keras' own mnist.npz is of the last two lines.
_NPZ_NAMES = (
    ("x", "y", None),
    ("images", "labels", None),
    ("x_train", "y_train", "train"),
    ("x_val", "y_val", "validation"),
    ("x_test", "y_test", "test"),
)


class Arrays:
    """`(X, y)`: X holds N pictures, y their N labels."""

    name = "arrays (X, y)"

    def matches(self, source: object) -> bool:
        """A pair."""
        return isinstance(source, tuple | list) and len(source) == 2

    def find(self, source: Any, _options: ImportOptions) -> Iterator[Found]:
        """The pictures in their order, named "X[0]", "X[1]", ...

        Raises:
            BadDataError: X and y are no pictures and labels, or of different lengths.
        """
        return _pairs("X", source[0], source[1], None)


class Npz:
    """X and y in a file that NumPy wrote, perhaps in parts: x_train, y_train, x_test, y_test."""

    name = "an .npz file of X and y"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """A file named .npz."""
        return [only] if only is not None and only.casefold().endswith(".npz") else None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found]:
        """The pictures in their order, named "x_train[0]", ...

        Raises:
            BadDataError: it cannot be read, or holds no pictures and labels.
        """
        for name, X, y, split in _npz(tree, files[0]):
            yield from _pairs(name, X, y, split)


def _pairs(name: str, X: Any, y: Any, split: str | None) -> Iterator[Found]:
    labels = _labels(y)
    if not hasattr(X, "__len__") or len(X) != len(labels):
        count = f"{len(X)} pictures" if hasattr(X, "__len__") else "no pictures"
        raise BadDataError(f"There are {count} and {len(labels)} labels: give one label a picture.")
    reads = _stack(X) if isinstance(X, np.ndarray) and X.dtype != object else _each(list(X))
    for i, (label, read) in enumerate(zip(labels, reads, strict=True)):
        yield Found(f"{name}[{i}]", read, label, split=split)


def _stack(X: NDArray[Any]) -> Iterator[Any]:
    if X.dtype.kind in "US":
        yield from _each(list(X))
        return
    if X.ndim not in (3, 4):
        raise BadDataError(
            f"X has the shape {X.shape}: expected (N, height, width) or (N, height, width, channels). "
            "Flat rows need their size back, such as X.reshape(-1, 28, 28)."
        )
    if not len(X):
        return
    three_channels(np.zeros(X.shape[1:], dtype=np.uint8))  # a wrong shape is said once, not N times
    scale = scale_of(X)
    for picture in X:
        yield partial(_encode, picture, scale)


def _encode(picture: NDArray[Any], scale: float) -> bytes:
    return encode_png(three_channels(as_uint8(picture, scale)))


def _each(X: Iterable[Any]) -> Iterator[Any]:
    for item in X:
        if isinstance(item, str | Path):
            yield partial(read_file, item, is_picture=True)
        elif isinstance(item, bytes):
            yield partial(bytes, item)
        else:
            yield partial(_encode_any, item)


def _encode_any(item: Any) -> bytes:
    return encode_png(pixels_from_array(item))


def _labels(y: Any) -> list[tuple[str, ...] | None]:
    if isinstance(y, list | tuple) and any(isinstance(one, list | tuple | set | frozenset) for one in y):
        return [_several(one) for one in y]
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 1:
        return [one_label(label) for label in labels.tolist()]
    if labels.ndim != 2 or labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
        raise BadDataError(
            f"y has the shape {labels.shape}: expected one label a picture, (N,), or 0 and 1 for each picture and "
            "class, (N, C). Turn probabilities into labels with y.argmax(axis=1)."
        )
    return [tuple(str(c) for c in np.flatnonzero(row).tolist()) for row in labels]


def _several(names: Any) -> tuple[str, ...] | None:
    """The labels of one picture: several names, one, or None where nobody said."""
    if not isinstance(names, list | tuple | set | frozenset):
        return one_label(names)
    texts = [label_text(name) for name in cast("Iterable[Any]", names)]
    return tuple(sorted({text for text in texts if text is not None}))


def _npz(tree: Tree, path: str) -> Iterator[tuple[str, Any, Any, str | None]]:
    try:
        with np.load(io.BytesIO(tree.reader(path)()), allow_pickle=False) as file:
            by_name = {name.casefold(): name for name in file.files}
            pairs = [
                (by_name[x], file[by_name[x]], file[by_name[y]], split)
                for x, y, split in _NPZ_NAMES
                if x in by_name and y in by_name
            ]
    # A damaged or hostile file fails in many ways inside zipfile and the array reader.
    except Exception as error:
        raise BadDataError(
            f"{path} is no readable .npz file ({error}): save it with numpy.savez(path, X=X, y=y), without objects."
        ) from error
    if not pairs:
        raise BadDataError(
            f"{path} holds {', '.join(by_name) or 'nothing'}: expected X and y, or x_train, y_train, x_test, y_test."
        )
    yield from pairs
