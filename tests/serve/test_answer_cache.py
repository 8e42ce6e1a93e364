"""What is remembered, and for how long."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.serve.answer_cache import AnswerCache
from winnow.serve.job import Key, Outcome
from winnow.serve.questions import UnansweredError


def key(number: int) -> Key:
    return bytes([number]), "graph"


def answer(n_classes: int = 3) -> Outcome:
    return {"probabilities": np.zeros(n_classes, dtype=np.float32)}, np.zeros(0, dtype=np.float32)


def known(cache: AnswerCache, n: int) -> list[int]:
    return [number for number in range(n) if cache.get(key(number)) is not None]


def test_what_was_not_used_for_longest_is_forgotten_first():
    cache = AnswerCache(2)
    for number in (0, 1):
        cache.put(key(number), answer())
    cache.get(key(0))
    cache.put(key(2), answer())
    assert known(cache, 3) == [0, 2]


def test_large_answers_take_the_place_of_many():
    cache = AnswerCache(100, most_bytes=100_000)
    for number in range(40):
        cache.put(key(number), answer(1000))
    assert len(known(cache, 40)) == 100_000 // (4000 + 512)
    cache.put(key(50), answer(100_000))
    assert cache.get(key(50)) is None


@pytest.mark.parametrize(("status", "is_known"), [(415, True), (503, False), (504, False)])
def test_only_what_would_go_wrong_again_is_remembered(status: int, is_known: bool):
    cache = AnswerCache(2)
    cache.put(key(0), UnansweredError(status, "code", "Why."))
    assert (cache.get(key(0)) is not None) == is_known


def test_a_cache_of_nothing_remembers_nothing():
    cache = AnswerCache(0)
    cache.put(key(0), answer())
    assert cache.get(key(0)) is None
