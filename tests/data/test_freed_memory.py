"""Giving memory back to the system: wherever Python runs."""

from __future__ import annotations

import ctypes

import pyarrow as pa
import pytest

from winnow.data.freed_memory import give_back


@pytest.mark.parametrize("library", [None, object()])
def test_what_is_in_use_stays(library, monkeypatch):
    if library is not None:  # a C library that has no such call
        monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    kept = pa.array(range(100_000))
    give_back(10**6)
    assert kept[99_999].as_py() == 99_999
