"""Giving memory back to the system: wherever Python runs."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator

import pyarrow as pa
import pytest

from winnow.data.freed_memory import give_back, with_few_looks_for_garbage


@pytest.mark.parametrize("library", [None, object()])
def test_what_is_in_use_stays(library, monkeypatch):
    if library is not None:  # a C library that has no such call
        monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    kept = pa.array(range(100_000))
    give_back(10**6)
    assert kept[99_999].as_py() == 99_999


@pytest.fixture
def nothing_put_aside() -> Iterator[None]:
    gc.unfreeze()  # what conftest put aside for all tests
    yield
    gc.freeze()


@pytest.mark.usefixtures("nothing_put_aside")
def test_what_was_there_before_is_not_looked_through_and_afterwards_is_again():
    @with_few_looks_for_garbage()
    def looked_through() -> bool:
        return any(one is before for one in gc.get_objects())

    before = ["a list"]
    assert not looked_through()
    assert any(one is before for one in gc.get_objects())
    with pytest.raises(ValueError, match="inside"), with_few_looks_for_garbage():
        raise ValueError("inside")
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("nothing_put_aside")
def test_what_somebody_else_put_aside_stays_aside():
    gc.freeze()
    with with_few_looks_for_garbage():
        pass
    assert gc.get_freeze_count() > 0


@pytest.mark.usefixtures("nothing_put_aside")
@pytest.mark.parametrize("usual", [(700, 10, 10), (100_000, 5, 5), (0, 10, 10)])
def test_garbage_is_looked_for_no_more_often_than_usual_and_afterwards_as_usual(usual: tuple[int, int, int]):
    before = gc.get_threshold()
    gc.set_threshold(*usual)
    try:
        with with_few_looks_for_garbage():
            now = gc.get_threshold()
            assert now[0] >= usual[0] if usual[0] else now[0] == 0  # 0: somebody wants none to be looked for
        assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*before)
