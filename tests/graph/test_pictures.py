"""Every core reads and computes one picture at a time; the rows come in order."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from winnow.graph.pictures import run_on_pictures
from winnow.graph.runtime import open_small_graph
from winnow.machine import cores

from .tiny import features_graph, pictures


def test_rows_come_in_the_order_of_the_pictures_however_long_each_takes():
    seen = pictures(30)
    opened = open_small_graph(features_graph())

    def picture(index: int) -> np.ndarray:
        time.sleep(0.002 if index % 3 == 0 else 0)
        return seen[index]

    rows = np.stack(list(run_on_pictures(opened, picture, len(seen))))
    assert np.array_equal(rows, np.stack([opened.run(one[None])[0] for one in seen]))


def test_only_a_few_pictures_are_read_ahead():
    seen, read = pictures(1), 0
    lock = threading.Lock()

    def picture(_: int) -> np.ndarray:
        nonlocal read
        with lock:
            read += 1
        return seen[0]

    rows = run_on_pictures(open_small_graph(features_graph()), picture, 1000)
    next(rows)
    time.sleep(0.05)
    assert read <= cores() * 8 + 1
    rows.close()
    assert read < 1000


def test_a_picture_that_cannot_be_read_is_an_error_of_the_caller():
    def picture(index: int) -> np.ndarray:
        if index == 3:
            raise ValueError("picture 3")
        return pictures(1)[0]

    with pytest.raises(ValueError, match="picture 3"):
        list(run_on_pictures(open_small_graph(features_graph()), picture, 10))


def test_no_pictures_give_no_rows():
    assert list(run_on_pictures(open_small_graph(features_graph()), lambda _: pictures(1)[0], 0)) == []
