"""MNIST's IDX files, gzipped or not: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and so on.

Source: the format's description on Yann LeCun's page "The MNIST database": two zero bytes, the type (8: uint8),
the number of dimensions, each dimension as a big-endian uint32, then the values.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from winnow.data.pixels import encode_png
from winnow.data.sources.source import Found, ImportOptions, split_named
from winnow.errors import BadDataError

_FILE = re.compile(r"(?P<prefix>.*?)[-_]?(?P<kind>images|labels)[-.]idx\d-ubyte(\.gz)?", re.IGNORECASE)
_UINT8 = 8
# What a header may claim: well above EMNIST's largest (814,255 pictures of 28 x 28).
_MAX_VALUES = 4 << 30


class Idx:
    """Pairs of image and label files; `train`, `t10k` and `test` in their names are the user's own split."""

    name = "a folder of MNIST's IDX files"

    def matches(self, source: object) -> bool:
        """A folder with, or one of, files named as MNIST's."""
        if not isinstance(source, Path):
            return False
        if source.is_dir():
            return any(_FILE.fullmatch(path.name) for path in source.iterdir())
        return bool(_FILE.fullmatch(source.name))

    def find(self, source: Path, _options: ImportOptions) -> Iterator[Found]:
        """All pictures of all pairs, in the order of the files, training first.

        Raises:
            BadDataError: a file is missing its partner, damaged, or not of pictures.
        """
        for prefix, image_path, label_path in _pairs(source):
            images, labels = _read(image_path), _read(label_path)
            if images.ndim != 3 or labels.shape != images.shape[:1]:
                raise BadDataError(
                    f"{image_path.name} has the shape {images.shape} and {label_path.name} {labels.shape}: "
                    "expected (N, height, width) and (N,). Download the pair again."
                )
            split = "test" if prefix.casefold() == "t10k" else split_named(prefix)
            for i, label in enumerate(labels.tolist()):
                yield Found(f"{prefix}-images[{i}]", str(label), split, None, partial(_png, images[i]))


def _pairs(source: Path) -> list[tuple[str, Path, Path]]:
    folder = source if source.is_dir() else source.parent
    files: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        if match := _FILE.fullmatch(path.name):
            files.setdefault(match["prefix"], {}).setdefault(match["kind"].casefold(), path)
    if not source.is_dir() and (match := _FILE.fullmatch(source.name)):
        files = {match["prefix"]: files[match["prefix"]]}
    for pair in files.values():
        if len(pair) != 2:
            there = next(iter(pair.values())).name
            raise BadDataError(f"{folder} holds {there} without its partner: images and labels are both needed.")
    ordered = sorted(files, key=lambda prefix: (split_named(prefix) != "train", prefix))
    return [(prefix, files[prefix]["images"], files[prefix]["labels"]) for prefix in ordered]


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
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
