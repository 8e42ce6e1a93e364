"""Tensors as KServe's protocol writes them: lists in JSON, or raw bytes behind it.

Source: Open Inference Protocol (V2), https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol;
its binary tensor data extension as in Triton Inference Server, docs/protocol/extension_binary_data.md.
"""

from __future__ import annotations

import math
import struct
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from winnow.serve.problem import ProblemError

DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "str": "BYTES",
}
"""The protocol's name for each of NumPy's."""
_KINDS: dict[str, set[type]] = {"b": {bool}, "f": {int, float}}
"""What stands for a number in JSON, by NumPy's kind; whole numbers for all others."""
_DTYPES = {theirs: np.dtype(ours) for ours, theirs in DATATYPES.items() if theirs != "BYTES"}
_MOST_VALUES = 1 << 31
_MOST_SIDES = 16
_MOST_TEXT_BYTES = 64 << 20
_MOST_JSON_VALUES = 1 << 20
"""Of an output; writing them takes half a second, in which nobody else is answered."""

Array = npt.NDArray[Any]


def read_tensor(given: Any, binary: memoryview) -> tuple[str, Array, int]:
    """Name and values of one input, and how many of the binary bytes it takes.

    BYTES are an array of objects: `str` where they stood in the JSON, `bytes` where they came in binary.

    Raises:
        ProblemError: it is not written as the protocol says.
    """
    match given:
        case {"name": str(name), "shape": list(shape), "datatype": str(datatype), **rest} if set(rest) <= {
            "data",
            "parameters",
        }:
            sides = _sides(cast("list[Any]", shape), name)
        case _:
            raise _malformed("an input has 'name', 'shape', 'datatype' and 'data'")
    if datatype != "BYTES" and datatype not in _DTYPES:
        raise _malformed(f"'{name}' has the unknown datatype '{datatype[:40]}'")
    parameters = rest.get("parameters", {})
    size = cast("dict[str, Any]", parameters).get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return name, _from_list(rest.get("data"), sides, datatype, name), 0
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(binary) or "data" in rest:
        raise _malformed(f"'{name}' says a wrong number of bytes")
    return name, _from_bytes(binary[:size], sides, datatype, name), size


def as_texts(values: Array, name: str) -> Array:
    """BYTES as an array of texts, each as wide as the longest.

    Raises:
        ProblemError: they are no UTF-8, hold a NUL, or would take too much memory.
    """
    try:
        flat = [one if isinstance(one, str) else one.decode("utf-8") for one in values.ravel().tolist()]
    except UnicodeDecodeError:
        raise _malformed(f"the texts of '{name}' are no UTF-8") from None
    if any("\0" in one for one in flat):
        raise _malformed(f"the texts of '{name}' hold signs 0, at which engines end a text")
    n_bytes = 4 * len(flat) * max(map(len, flat), default=0)
    if n_bytes > _MOST_TEXT_BYTES:
        raise _malformed(
            f"the texts of '{name}', all as wide as the longest, take {n_bytes >> 20} MB of "
            f"{_MOST_TEXT_BYTES >> 20}; send fewer at once"
        )
    return np.array(flat, dtype=np.str_).reshape(values.shape)


def write_tensor(name: str, values: Array, *, is_binary: bool) -> tuple[dict[str, Any], bytes]:
    """One output as JSON, and its bytes where it is sent in binary.

    Raises:
        ProblemError: it is too large for JSON.
    """
    texts = values.dtype.kind in "OSU"
    datatype = "BYTES" if texts else DATATYPES[values.dtype.name]
    written: dict[str, Any] = {"name": name, "shape": list(values.shape), "datatype": datatype}
    if is_binary:
        raw = _packed(values) if texts else np.ascontiguousarray(values).tobytes()
        return {**written, "parameters": {"binary_data_size": len(raw)}}, raw
    if values.size > _MOST_JSON_VALUES:
        said = f"'{name}' has {values.size} values, too many for JSON; ask for it in binary (binary_data_output)."
        raise ProblemError(422, "bad-tensors", said)
    flat: list[Any] = values.ravel().tolist()
    if texts:
        flat = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in flat]
    if values.dtype.kind == "f":  # JSON knows no infinity; a graph may
        flat = [value if math.isfinite(value) else None for value in flat]
    return {**written, "data": flat}, b""


def _sides(shape: list[Any], name: str) -> tuple[int, ...]:
    if len(shape) > _MOST_SIDES or any(
        not isinstance(side, int) or isinstance(side, bool) or side < 0 for side in shape
    ):
        raise _malformed(f"the shape of '{name}' is a list of whole numbers")
    # NumPy refuses even arrays of nothing whose other sides are too long.
    if math.prod(max(1, side) for side in shape) >= _MOST_VALUES:
        raise _malformed(f"the shape of '{name}' is far too large")
    return tuple(shape)


def _from_list(data: Any, sides: tuple[int, ...], datatype: str, name: str) -> Array:
    if not isinstance(data, list):
        raise _malformed(f"'{name}' has no list 'data', nor 'binary_data_size'")
    values = cast("list[Any]", data)
    if datatype == "BYTES":
        if not all(isinstance(one, str) for one in values):
            raise _malformed(f"the data of '{name}' are texts")
        flat = np.array(values, dtype=object)
    else:
        flat = _numbers(values, _DTYPES[datatype], name)
    return _shaped(flat, sides, name)


def _numbers(values: list[Any], dtype: np.dtype[Any], name: str) -> Array:
    try:
        # Their kinds first: of numbers and texts together NumPy makes texts, each as wide as the longest.
        plain: list[Any] = np.array(values, dtype=object).ravel().tolist()
        if not set(map(type, plain)) <= _KINDS.get(dtype.kind, {int}):
            raise ValueError("of another kind")
        found = np.array(plain)
        with np.errstate(over="raise"):
            flat = found.astype(dtype).ravel()
        if dtype.kind in "iu" and not np.array_equal(flat, found.ravel()):
            raise ValueError("too large")
    except (ValueError, OverflowError, FloatingPointError, TypeError) as error:
        raise _malformed(f"the data of '{name}' are not all {dtype.name}") from error
    return flat


def _from_bytes(raw: memoryview, sides: tuple[int, ...], datatype: str, name: str) -> Array:
    if datatype == "BYTES":
        return _shaped(np.array(_unpacked(raw, name), dtype=object), sides, name)
    dtype = _DTYPES[datatype]
    if len(raw) % dtype.itemsize:
        raise _malformed(f"'{name}' has a broken number of bytes")
    return _shaped(np.frombuffer(raw, dtype=dtype.newbyteorder("<")).astype(dtype), sides, name)


def _shaped(flat: Array, sides: tuple[int, ...], name: str) -> Array:
    if math.prod(sides) != flat.size:
        raise _malformed(f"'{name}' has {flat.size} values, its shape {list(sides)} wants {math.prod(sides)}")
    return flat.reshape(sides)


def _unpacked(raw: memoryview, name: str) -> list[bytes]:
    texts: list[bytes] = []
    place = 0
    while place < len(raw):
        if place + 4 > len(raw) or (end := place + 4 + struct.unpack_from("<I", raw, place)[0]) > len(raw):
            raise _malformed(f"the lengths in '{name}' do not fit its bytes")
        texts.append(bytes(raw[place + 4 : end]))
        place = end
    return texts


def _packed(values: Array) -> bytes:
    texts = [one if isinstance(one, bytes) else str(one).encode() for one in values.ravel().tolist()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def _malformed(why: str) -> ProblemError:
    return ProblemError(422, "bad-tensors", f"The request is not as KServe's protocol has it: {why}.")
