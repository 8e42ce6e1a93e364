"""MNIST's IDX files, gzipped or not: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and so on.

Source: the format's description on Yann LeCun's page "The MNIST database": two zero bytes, the type (8: uint8),
the number of dimensions, each dimension as a big-endian uint32, then the values.
"""

from __future__ import annotations

import gzip
import io
import math
import re
import struct
import zlib
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from winnow.data.pixels import encode_png
from winnow.data.sources.source import Found, ImportOptions, split_named
from winnow.data.sources.tree import Tree, other_files
from winnow.errors import BadDataError

_FILE = re.compile(r"(?P<prefix>.*?)[-_]?(?P<kind>images|labels)[-.]idx\d-ubyte(\.gz)?", re.IGNORECASE)
_UINT8 = 8
# What a header may claim: well above EMNIST's largest (814,255 pictures of 28 x 28).
_MAX_VALUES = 4 << 30


class Idx:
    """Pairs of image and label files; `train`, `t10k` and `test` in their names are the user's own split."""

    name = "a folder of MNIST's IDX files"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """Files named as MNIST's; of a named file, its partner too."""
        match = None if only is None else _FILE.fullmatch(only)
        if only is not None and match is None:
            return None  # without a walk through all that lies around it
        files = [path for path in other_files(tree) if _FILE.fullmatch(path)]
        return [path for path in files if match is None or _prefix(path) == match["prefix"]] or None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found]:
        """All pictures of all pairs, in the order of the files, training first.

        Raises:
            BadDataError: a file is missing its partner, damaged, or not of pictures.
        """
        for prefix, image_file, label_file in _pairs(tree, files):
            images, labels = _read(tree, image_file), _read(tree, label_file)
            if images.ndim != 3 or labels.shape != images.shape[:1]:
                raise BadDataError(
                    f"{image_file} has the shape {images.shape} and {label_file} {labels.shape}: "
                    "expected (N, height, width) and (N,). Download the pair again."
                )
            split = "test" if prefix.casefold() == "t10k" else split_named(prefix)
            for i, label in enumerate(labels.tolist()):
                yield Found(f"{prefix}-images[{i}]", partial(_png, images[i]), (str(label),), split=split)


def _prefix(path: str) -> str:
    match = _FILE.fullmatch(path)
    return match["prefix"] if match else ""


def _pairs(tree: Tree, paths: list[str]) -> list[tuple[str, str, str]]:
    files: dict[str, dict[str, str]] = {}
    for path in paths:
        if match := _FILE.fullmatch(path):
            files.setdefault(match["prefix"], {}).setdefault(match["kind"].casefold(), path)
    for pair in files.values():
        if len(pair) != 2:
            there = next(iter(pair.values()))
            raise BadDataError(f"{tree.name} holds {there} without its partner: images and labels are both needed.")
    ordered = sorted(files, key=lambda prefix: (split_named(prefix) != "train", prefix))
    return [(prefix, files[prefix]["images"], files[prefix]["labels"]) for prefix in ordered]


def _read(tree: Tree, path: str) -> NDArray[np.uint8]:
    try:
        packed = io.BytesIO(tree.reader(path)())
        with gzip.open(packed) if path.casefold().endswith(".gz") else packed as file:
            zeros, kind, ndim = struct.unpack(">HBB", file.read(4))
            shape = struct.unpack(f">{ndim}I", file.read(4 * ndim))
            if zeros or kind != _UINT8 or math.prod(shape) > _MAX_VALUES:
                raise ValueError(f"header {zeros}, {kind}, {shape}")
            # Only as much as the header claims, so that a gzip bomb stays packed.
            values = file.read(math.prod(shape))
    except (OSError, EOFError, struct.error, ValueError, zlib.error) as error:
        raise BadDataError(f"{path} is no readable IDX file of bytes ({error}): download it again.") from error
    if len(values) != math.prod(shape):
        raise BadDataError(f"{path} ends too early ({len(values)} of {math.prod(shape)} bytes): download it again.")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _png(picture: NDArray[np.uint8]) -> bytes:
    return encode_png(np.repeat(picture[:, :, None], 3, axis=2))
