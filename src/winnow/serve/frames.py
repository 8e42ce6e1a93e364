"""What the front process and its workers say to each other over a socket: small heads and plain bytes, no pickles.

- a question: `QUESTION` (bytes that follow, which model), then a picture file, or `pack_tensors`;
- an answer: `ANSWER` (bytes that follow, a sign, what was `Spent`), then with
  `PICTURE_ANSWERED` what `pack_picture_answer` gives, with `TENSORS_ANSWERED` what `pack_tensors` gives, with `REFUSED`
  what `pack_refusal` gives, with `BROKEN` the trace of a bug of ours;
- of connections that are lent, between answers: with `HANDED_BACK` and `TOLD` what `winnow.serve.loan` says.

A picture may have taken a worker over: whatever comes from one is checked here.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from winnow.serve.questions import Tensors, UnansweredError

QUESTION = struct.Struct("<II")
ANSWER = struct.Struct("<IBfff")
LENGTH = struct.Struct("<I")
"""Before JSON: what each side says first, and heads within a payload."""
MOST_ANSWER_BYTES = 256 << 20
PICTURE_ANSWERED, TENSORS_ANSWERED, REFUSED, BROKEN, HANDED_BACK, TOLD = range(6)


class Spent(NamedTuple):
    """What an answer took.

    Attributes:
        decode_s: seconds of reading the picture, by the clock.
        graph_s: seconds of running the graph, by the clock.
        cpu_s: seconds of the processor, of both.
    """

    decode_s: float
    graph_s: float
    cpu_s: float


NOTHING_SPENT = Spent(0.0, 0.0, 0.0)
_KINDS = "biufU"  # numbers, truth values and text: never objects

Outputs = dict[str, npt.NDArray[Any]]
Summary = npt.NDArray[np.float32]
NO_SUMMARY: Summary = np.empty(0, dtype=np.float32)


class Predicted(NamedTuple):
    """What a model of pictures said of one.

    Attributes:
        probabilities: (C,).
        summary: what drift is judged by; `NO_SUMMARY` of most pictures that come fast.
        spent: what it took.
    """

    probabilities: npt.NDArray[np.float32]
    summary: Summary
    spent: Spent


def pack_picture_answer(probabilities: npt.NDArray[np.float32], summary: Summary) -> bytes:
    """One picture's probabilities (C,) and its summary."""
    return LENGTH.pack(len(summary)) + summary.tobytes() + probabilities.tobytes()


def unpack_picture_answer(payload: bytes, n_classes: int) -> tuple[Outputs, Summary]:
    """Back from `pack_picture_answer`.

    Raises:
        ValueError: it is no answer of that many classes.
    """
    (n_measures,) = LENGTH.unpack_from(payload)
    values = np.frombuffer(payload, np.float32, offset=LENGTH.size)
    if len(values) != n_measures + n_classes:
        raise ValueError(f"{len(values)} numbers of {n_classes} classes and {n_measures} measures")
    return {"probabilities": values[n_measures:]}, values[:n_measures]


def pack_tensors(tensors: Tensors) -> bytes:
    """Named arrays of numbers, truth values or text as bytes."""
    head = json.dumps([[name, array.dtype.str, array.shape] for name, array in tensors.items()]).encode()
    return b"".join([LENGTH.pack(len(head)), head, *(array.tobytes() for array in tensors.values())])


def unpack_tensors(payload: bytes) -> Outputs:
    """Back from `pack_tensors`, as arrays of their own.

    Raises:
        ValueError: it is nothing that `pack_tensors` gave.
    """
    try:
        (length,) = LENGTH.unpack_from(payload)
        head = json.loads(payload[LENGTH.size : LENGTH.size + length])
        return dict(_arrays(head, payload, LENGTH.size + length))
    except (struct.error, TypeError, OverflowError) as error:
        raise ValueError(f"no tensors: {error}") from error


def _arrays(head: Any, payload: bytes, place: int) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for name, kind, shape in head:
        dtype, count = np.dtype(str(kind)), math.prod(shape)
        if dtype.kind not in _KINDS or any(length < 0 for length in shape):
            raise ValueError(f"a tensor of {dtype} {shape}")
        values = np.frombuffer(payload, dtype, count, place) if count else np.empty(0, dtype)
        yield str(name), values.reshape(shape).copy()
        place += count * dtype.itemsize


def pack_refusal(status: int, code: str, sentence: str) -> bytes:
    """Why a worker gives no answer."""
    return json.dumps([status, code, sentence]).encode()


def unpack_refusal(payload: bytes) -> UnansweredError:
    """Back from `pack_refusal`.

    Raises:
        ValueError: it is no refusal.
    """
    match json.loads(payload):
        case [int(status), str(code), str(sentence)] if 400 <= status < 600:
            return UnansweredError(status, code, sentence)
        case other:
            raise ValueError(f"no refusal: {other!r:.100}")
