"""A model file that is refused: the error, and what the file is instead, told by its content and never by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from winnow.errors import BadDataError

_HEAD = 4096
# Protocols 2 to 5 begin with their number; older ones are text: an import, or a container that is opened first.
_PICKLE = re.compile(
    rb"\x80[\x02-\x05]|c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|\((?:lp|dp|i|c|t)|[\]})(](?:q\0|p0\n|\.|\()"
)
_FROM_ELSEWHERE = "export the network to ONNX, or its weights to safetensors, where it was made"


class UnsafeModelError(BadDataError):
    """A model file that Winnow does not open.

    Attributes:
        code: E_MODEL_PICKLE (opening it could run code), E_MODEL_FORMAT (it is damaged, absurd or something else),
            E_MODEL_PATH (it names other files), E_MODEL_NONFINITE (it holds NaN or infinity).
        reason: what is wrong and what to do, in one sentence.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason


def refusal(data: bytes | memoryview, name: str, expected: str, why: str) -> UnsafeModelError:
    """The error for a file that could not be read as what was expected.

    Args:
        data: the file.
        name: what it is called in the sentence.
        expected: what it should be, such as "an ONNX graph".
        why: what is wrong with it as such, as the end of a sentence; said where the file is nothing else we know.
    """
    code, found = _what_it_is(data)
    if found is None or found.startswith(expected):
        return UnsafeModelError(code, f"{name} is not {expected} that can be opened: {why}; get the file again, whole.")
    danger = "; opening it could run any program hidden in it" if code == "E_MODEL_PICKLE" else ""
    return UnsafeModelError(code, f"{name} is {found}, not {expected}{danger}: {_FROM_ELSEWHERE}.")


def _what_it_is(data: bytes | memoryview) -> tuple[str, str | None]:
    head = bytes(data[:_HEAD])
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return _kind_of_zip(bytes(data))
    if _PICKLE.match(head):
        return "E_MODEL_PICKLE", "a pickle (as .pkl, .joblib and older .pt files are)"
    if head.startswith(b"\x93NUMPY"):
        if re.search(rb"'descr':[^,}]*O", head):
            return "E_MODEL_PICKLE", "a NumPy file of Python objects, which are pickled"
        return "E_MODEL_FORMAT", "a NumPy file"
    if head.startswith(b"\x89HDF"):
        return "E_MODEL_FORMAT", "an HDF5 file (as Keras writes them)"
    if head[8:9] == b"{" and 8 + int.from_bytes(head[:8], "little") <= len(data):
        return "E_MODEL_FORMAT", "a file of safetensors (weights without a network)"
    return "E_MODEL_FORMAT", None


def _kind_of_zip(data: bytes) -> tuple[str, str]:
    if b".pkl" in data:
        return "E_MODEL_PICKLE", "a checkpoint of PyTorch (a zip with a pickle inside)"
    return "E_MODEL_FORMAT", "a zip archive"


_EXPONENTS: Mapping[str, tuple[str, int]] = {
    "float64": ("<u8", 0x7FF0000000000000),
    "float32": ("<u4", 0x7F800000),
    "float16": ("<u2", 0x7C00),
    "bfloat16": ("<u2", 0x7F80),
    "float8e5m2": ("u1", 0x7C),
    "float8e4m3": ("u1", 0x7F),  # has no infinity: all ones but the sign is its only NaN
}
_AT_ONCE = 1 << 20


def n_not_finite(values: bytes | memoryview, dtype: str) -> tuple[int, int]:
    """How many of the numbers in little-endian bytes are NaN and how many infinite.

    Args:
        dtype: "float64", "float32", "float16", "bfloat16", "float8e5m2" or "float8e4m3"; others are always finite.
    """
    if dtype not in _EXPONENTS:
        return 0, 0
    unit, exponent = _EXPONENTS[dtype]
    bits: npt.NDArray[np.unsignedinteger] = np.frombuffer(values, unit)
    mask = bits.dtype.type(exponent)
    sign = bits.dtype.type(1 << (bits.dtype.itemsize * 8 - 1))
    n_nan = n_infinite = 0
    for start in range(0, len(bits), _AT_ONCE):  # a whole file's worth of masks would double its memory
        some = bits[start : start + _AT_ONCE]
        odd = some[(some & mask) == mask]
        infinite = 0 if dtype == "float8e4m3" else int(np.count_nonzero((odd & ~sign) == mask))
        n_infinite += infinite
        n_nan += len(odd) - infinite
    return n_nan, n_infinite
