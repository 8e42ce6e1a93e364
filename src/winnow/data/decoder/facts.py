"""All that an import wants to know of a picture file: decoded once, kept as a line of JSON."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from winnow.data.decode import Picture, UnreadablePictureError, decode
from winnow.data.phash import phash_all

# Facts that were kept by another version of `facts_of` are computed again.
VERSION = 4
_TOGETHER_BYTES = 384 << 10
_SMALL_SIZE = 1 << 14
_USUAL = [str, int, int, str, bool, list, type(None), str]


class PictureFacts(NamedTuple):
    """What one file shows; the names are those of `Example`."""

    pixels: str
    width: int
    height: int
    format: str
    is_grey: bool
    warnings: tuple[str, ...]
    taken: str | None
    phash: bytes


def facts_of(data: bytes) -> PictureFacts:
    """Decode a picture file and say what it shows.

    Raises:
        UnreadablePictureError: the bytes give no picture.
    """
    return _facts([decode(data)])[0]


def facts_of_all(
    files: Iterable[bytes], before_each: Callable[[], None]
) -> Iterator[PictureFacts | UnreadablePictureError]:
    """`facts_of` each file, in their order; `before_each` is called before a file is decoded.

    Pictures are decoded a few at a time and then looked at together: of small ones, each step then finds itself in the
    processor's cache, and all take three quarters of the time.
    """
    waiting: list[Picture | UnreadablePictureError] = []
    n_bytes = 0
    for data in files:
        before_each()
        try:
            picture = decode(data)
            n_bytes += picture.pixels.nbytes
        except UnreadablePictureError as error:
            picture = error
        waiting.append(picture)
        if n_bytes > _TOGETHER_BYTES:
            yield from _in_order(waiting)
            waiting, n_bytes = [], 0
    yield from _in_order(waiting)


def _in_order(
    pictures: Sequence[Picture | UnreadablePictureError],
) -> Iterator[PictureFacts | UnreadablePictureError]:
    facts = iter(_facts([picture for picture in pictures if isinstance(picture, Picture)]))
    for picture in pictures:
        yield next(facts) if isinstance(picture, Picture) else picture


def _facts(pictures: Sequence[Picture]) -> list[PictureFacts]:
    hashes = [pixel_hash(picture.pixels) for picture in pictures]
    looks = phash_all([picture.pixels for picture in pictures])
    greys = [_is_grey(picture.pixels) for picture in pictures]
    return [
        PictureFacts(
            pixels=shown,
            width=picture.pixels.shape[1],
            height=picture.pixels.shape[0],
            format=picture.format,
            is_grey=is_grey,
            warnings=picture.warnings,
            taken=picture.taken,
            phash=look,
        )
        for picture, shown, look, is_grey in zip(pictures, hashes, looks, greys, strict=True)
    ]


def pixel_hash(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 (hex) of height, width and the (H, W, 3) RGB: equal for the same picture in any file."""
    height, width = pixels.shape[:2]
    sha = hashlib.sha256(struct.pack("<II", height, width))
    sha.update(np.ascontiguousarray(pixels).data)
    return sha.hexdigest()


def to_text(facts: PictureFacts | UnreadablePictureError) -> str:
    """One line of JSON."""
    if isinstance(facts, UnreadablePictureError):
        return json.dumps([facts.code, facts.reason])
    pixels, width, height, kind, is_grey, warnings, taken, seen = facts
    # Most pictures, in a sixth of the time; names with a sign that JSON writes otherwise are no names of ours.
    if not warnings and taken is None and pixels.isalnum() and kind.isalnum():
        return f'["{pixels}", {width}, {height}, "{kind}", {"true" if is_grey else "false"}, [], null, "{seen.hex()}"]'
    return json.dumps([pixels, width, height, kind, is_grey, warnings, taken, seen.hex()])


def from_text(text: str) -> PictureFacts | UnreadablePictureError:
    """Back from `to_text`; checks what it is given, since it may come from a process that a picture took over.

    Raises:
        ValueError: it is nothing that `to_text` gave.
    """
    return _from_values(json.loads(text))


def from_lines(text: str) -> list[PictureFacts | UnreadablePictureError]:
    """Several lines at once, which is faster than one by one; raises as `from_text`."""
    return [_from_values(values) for values in json.loads(f"[{text.replace(chr(10), ',')}]")]


def _from_values(values: Any) -> PictureFacts | UnreadablePictureError:
    match values:
        # Asked in one comparison, which is five times faster than a pattern for each: most pictures pass here.
        case [pixels, width, height, kind, is_grey, [], None, seen] if [*map(type, values)] == _USUAL:
            return PictureFacts(pixels, width, height, kind, is_grey, (), None, bytes.fromhex(seen))
        case [str(code), str(reason)]:
            return UnreadablePictureError(code, reason)
        case [
            str(pixels),
            int(width),
            int(height),
            str(kind),
            bool(is_grey),
            [*codes],
            str() | None as taken,
            str(seen),
        ]:
            warnings = tuple(str(code) for code in codes)
            return PictureFacts(pixels, width, height, kind, is_grey, warnings, taken, bytes.fromhex(seen))
        case _:
            raise ValueError(f"no facts of a picture: {values!r:.100}")


def _is_grey(pixels: NDArray[np.uint8]) -> bool:
    # Most coloured pictures show it in their corners or first row, which saves the full comparison.
    if pixels.item(0, 0, 0) != pixels.item(0, 0, 1) or pixels.item(-1, -1, 1) != pixels.item(-1, -1, 2):
        return False
    if pixels.size <= _SMALL_SIZE:
        values = pixels.tobytes()  # a seventh of the time that arrays take
        return values[::3] == values[1::3] == values[2::3]
    return all(bool((part[..., :2] == part[..., 1:]).all()) for part in (pixels[:1], pixels))
