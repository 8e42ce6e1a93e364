"""The header of a file of safetensors, read as strictly as its description allows: nothing overlaps, nothing is left.

Source: the format's description, https://huggingface.co/docs/safetensors (format), and its known traps: a header that
is longer than the file, names given twice, offsets that lie.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, cast

from winnow.graph.unsafe_files import refusal

MOST_HEADER_BYTES = 16 << 20
"""A hundred thousand layers take less."""
METADATA = "__metadata__"
_DTYPES = {
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "F8_E4M3": ("float8e4m3", 1),
    "F8_E5M2": ("float8e5m2", 1),
    "U16": ("uint16", 2),
    "I16": ("int16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "U32": ("uint32", 4),
    "I32": ("int32", 4),
    "F32": ("float32", 4),
    "U64": ("uint64", 8),
    "I64": ("int64", 8),
    "F64": ("float64", 8),
}
_MOST_DIMS = 16


@dataclass(frozen=True, slots=True)
class Layer:
    """One tensor of a file of safetensors.

    Attributes:
        dtype: NumPy's name where it has one, such as "float32"; also "bfloat16", "float8e4m3", "float8e5m2".
        start: its first byte in the file.
        stop: the byte after its last.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


class _HeaderError(ValueError):
    """What is wrong, as the end of a sentence."""


def layers_of(data: bytes | memoryview, name: str) -> dict[str, Layer]:
    """What a file of safetensors holds, by name; its metadata is left out.

    Raises:
        UnsafeModelError: E_MODEL_PICKLE or E_MODEL_FORMAT, it is no whole file of safetensors.
    """
    try:
        start, header = _header(data)
        layers = {one: _layer(one, said, start) for one, said in header.items() if one != METADATA}
        _refuse_gaps(layers, start, len(data))
        return layers
    except _HeaderError as error:
        raise refusal(data, name, "a file of safetensors", str(error)) from None


def metadata_of(data: bytes | memoryview, name: str) -> dict[str, str]:
    """What a file of safetensors says of itself.

    Raises:
        UnsafeModelError: it is no whole file of safetensors.
    """
    layers_of(data, name)
    return cast("dict[str, str]", _header(data)[1].get(METADATA, {}))


def _header(data: bytes | memoryview) -> tuple[int, dict[str, Any]]:
    """Where the weights begin, and what is said of them."""
    length = int.from_bytes(bytes(data[:8]), "little")
    if len(data) < 8:
        raise _HeaderError("it ends before it begins")
    if length > min(MOST_HEADER_BYTES, len(data) - 8):
        raise _HeaderError(f"its header should have {length} bytes, more than there are or can be meant")
    try:
        header = json.loads(
            bytes(data[8 : 8 + length]).decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_no_number
        )
    except _HeaderError:
        raise
    except (ValueError, RecursionError):
        raise _HeaderError("its header is no JSON") from None
    if not isinstance(header, dict) or data[8] != ord("{"):
        raise _HeaderError("its header is no JSON object")
    said: dict[str, Any] = cast("dict[str, Any]", header)
    metadata: Any = said.get(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in cast("dict[str, Any]", metadata).values()):
        raise _HeaderError("its metadata is no text")
    return 8 + length, said


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _HeaderError("its header gives one name twice")
    return found


def _no_number(said: str) -> Any:
    raise _HeaderError(f"its header says {said} where a number belongs")


def _layer(name: str, said: Any, start: int) -> Layer:
    if not isinstance(said, dict) or set(cast("dict[str, Any]", said)) != {"dtype", "shape", "data_offsets"}:
        raise _HeaderError(f"its entry {name!r} does not say type, shape and place")
    entry = cast("dict[str, Any]", said)
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in _DTYPES:
        raise _HeaderError(f"{name!r} is of an unknown type {entry['dtype']!r:.40}")
    shape, offsets = _whole_numbers(entry["shape"]), _whole_numbers(entry["data_offsets"])
    if shape is None or offsets is None or len(shape) > _MOST_DIMS or len(offsets) != 2:
        raise _HeaderError(f"the shape or place of {name!r} makes no sense")
    if math.prod(max(1, one) for one in shape) >= 1 << 63:
        raise _HeaderError(f"the shape of {name!r} is absurd")
    dtype, width = _DTYPES[entry["dtype"]]
    if offsets[1] - offsets[0] != math.prod(shape) * width:
        raise _HeaderError(f"the shape of {name!r} does not fit its bytes")
    return Layer(dtype, shape, start + offsets[0], start + offsets[1])


def _whole_numbers(said: Any) -> tuple[int, ...] | None:
    """A list of whole numbers from 0; Python's own have no end that could be passed over."""
    if not isinstance(said, list):
        return None
    numbers = cast("list[Any]", said)
    return tuple(numbers) if all(type(one) is int and 0 <= one < 1 << 63 for one in numbers) else None


def _refuse_gaps(layers: dict[str, Layer], start: int, stop: int) -> None:
    place = start
    for name, layer in sorted(layers.items(), key=lambda one: (one[1].start, one[1].stop)):
        if layer.start != place:
            raise _HeaderError(f"{name!r} does not begin where what lies before it ends")
        place = layer.stop
    if place != stop:
        raise _HeaderError("it ends " + ("too early" if place > stop else "after its last weights"))
