"""What workers say is bytes, and is looked at before it is believed: a picture may have taken one over."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from winnow.serve.frames import (
    pack_picture_answer,
    pack_refusal,
    pack_tensors,
    unpack_picture_answer,
    unpack_refusal,
    unpack_tensors,
)

KINDS = st.one_of(
    arrays.integer_dtypes(endianness="<"),
    arrays.floating_dtypes(endianness="<", sizes=(16, 32, 64)),
    arrays.boolean_dtypes(),
    arrays.unicode_string_dtypes(endianness="<", max_len=5),
)
TENSORS = st.dictionaries(st.text(max_size=9), arrays.arrays(KINDS, arrays.array_shapes(min_dims=0, min_side=0)))


@settings(max_examples=25, deadline=None)
@given(TENSORS)
def test_tensors_arrive_as_they_were_sent(tensors: dict[str, np.ndarray]):
    found = unpack_tensors(pack_tensors(tensors))
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array, equal_nan=array.dtype.kind == "f")


def test_probabilities_and_summary_arrive_as_they_were_sent():
    probabilities, summary = np.array([0.25, 0.75], dtype=np.float32), np.arange(7, dtype=np.float32)
    outputs, arrived = unpack_picture_answer(pack_picture_answer(probabilities, summary), 2)
    assert np.array_equal(outputs["probabilities"], probabilities)
    assert np.array_equal(arrived, summary)


def _tensors(head: object, rest: bytes = b"") -> bytes:
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + rest


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xff\xff\xff",
        _tensors("no list of tensors"),
        _tensors([["a", "|O", [1]]], bytes(8)),
        _tensors([["a", "<f4", [1 << 40]]], bytes(8)),
        _tensors([["a", "<f4", [-1]]], bytes(8)),
        _tensors([["a", "nonsense", [1]]], bytes(8)),
    ],
)
def test_what_holds_no_tensors_is_noticed(payload: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the words
        unpack_tensors(payload)


def test_an_answer_of_other_classes_is_noticed():
    answer = pack_picture_answer(np.zeros(3, dtype=np.float32), np.zeros(7, dtype=np.float32))
    with pytest.raises(ValueError, match="numbers of 2 classes"):
        unpack_picture_answer(answer, 2)


def test_a_refusal_arrives_as_it_was_sent():
    error = unpack_refusal(pack_refusal(415, "E_NOT_IMAGE", "This is no picture."))
    assert (error.status, error.code, error.sentence) == (415, "E_NOT_IMAGE", "This is no picture.")
    with pytest.raises(ValueError, match="no refusal"):
        unpack_refusal(pack_refusal(200, "fine", ""))
