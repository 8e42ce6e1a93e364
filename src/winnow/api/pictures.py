"""What a user may hand over to be predicted: files, folders, patterns, bytes, PIL images, arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow.api.picture_files import files_named
from winnow.data.decode import FORMATS, UnreadablePictureError
from winnow.data.decoder.pool import decoding_pool
from winnow.data.paths import at_home, is_there
from winnow.data.pixels import as_uint8, encode_png, pixels_from_array
from winnow.data.regular_files import read_file, why_unread
from winnow.errors import NotFoundError, UserError

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Given:
    """One picture to be predicted: what to call it, and how to get its pixels."""

    source: str
    pixels: Callable[[int], Pixels]
    """Given the side that is needed in pixels (a JPEG may be decoded smaller), the upright picture (H, W, 3)."""
    file: Callable[[], bytes]
    """The same picture as a file's bytes: the file itself where there is one."""


def pictures_of(what: Any) -> list[Given]:
    """All pictures in what the user gave, in the order given; folders and patterns sorted by name.

    Raises:
        NotFoundError: a file is not there, or a folder or pattern holds no picture.
        UserError: it is nothing that holds pictures.
    """
    return list(_walk(what))


def _walk(what: Any) -> Iterator[Given]:
    if isinstance(what, (str, Path)):
        yield from _paths(str(what))
    elif isinstance(what, (bytes, bytearray, memoryview)):
        yield _bytes("bytes", bytes(what))
    elif isinstance(what, np.ndarray) and what.dtype.kind in "OU":  # an array of paths or pictures
        yield from _walk(what.ravel().tolist())
    elif isinstance(what, np.ndarray):
        yield from _arrays(what)
    elif hasattr(what, "getexif") or hasattr(what, "__array_interface__"):
        yield _array("picture", what)
    elif isinstance(what, Iterable):
        for place, one in enumerate(what):
            for given in _walk(one):
                numbered = given.source in ("picture", "bytes", "array")
                yield replace(given, source=f"{given.source} {place}") if numbered else given
    else:
        raise UserError(
            f"A {type(what).__name__} is no picture: give paths, folders, patterns such as 'photos/*.jpg', "
            "PIL images or NumPy arrays (height, width, 3)."
        )


def _paths(text: str) -> Iterator[Given]:
    is_empty = True
    for file in files_named(text):
        is_empty = False
        yield _file(Path(file))
    if is_empty:
        path = at_home(Path(text))
        endings = ", ".join(sorted(FORMATS))
        holds_none = f"The folder {path} holds no picture ({endings})."
        raise NotFoundError(holds_none if is_there(path) else f"No file matches {text}.")


def _file(path: Path) -> Given:
    def data() -> bytes:
        try:
            return read_file(path, is_picture=True)  # neither waits for a pipe nor reads a disk's image whole
        except OSError as error:
            raise UnreadablePictureError(*why_unread(error)) from error

    return Given(str(path), lambda side_px: decoding_pool().pixels(data(), side_px), data)


def _bytes(source: str, data: bytes) -> Given:
    return Given(source, lambda side_px: decoding_pool().pixels(data, side_px), lambda: data)


def _array(source: str, array: Any) -> Given:
    return Given(source, lambda _: pixels_from_array(array), lambda: encode_png(pixels_from_array(array)))


def _arrays(array: npt.NDArray[Any]) -> Iterator[Given]:
    """One picture (H, W) or (H, W, channels), or a stack of them (N, H, W) or (N, H, W, channels)."""
    is_stack = array.ndim == 4 or (array.ndim == 3 and array.shape[-1] not in (1, 3, 4))
    if array.ndim not in (2, 3, 4):
        raise UserError(f"An array of shape {array.shape} is no picture: give (H, W, 3) or a stack (N, H, W, 3).")
    if not is_stack:
        yield _array("array", array)
        return
    # One rule for the whole stack: a dark picture among others is dark, not a picture of 0 to 1.
    for place, one in enumerate(as_uint8(array)):
        yield _array(f"array {place}", one)
