"""A server that sees other pictures than its model learned from says so, in words, and only then."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from winnow.metrics.drift import MEASURES, Reference
from winnow.serve.drift import BLOCK, Drift
from winnow.serve.questions import Answer
from winnow.serve.served import Served

NAMES = [measure.name for measure in MEASURES]
CLASSES = ("cirrus", "cumulus", "stratus")
CENTRE, SPREAD = [0.5, 0.2, 0.3, 0.1, 0.4, 9.0, 0.4], [0.1, 0.04, 0.05, 0.05, 0.1, 0.0, 0.0]


def summaries(rng, n, **centres):
    centre = [centres.get(name, usual) for name, usual in zip(NAMES, CENTRE, strict=True)]
    return rng.normal(centre, SPREAD, (n, len(NAMES))).astype(np.float32)


def probabilities(rng, n, shares=(0.4, 0.3, 0.3), sure=0.9):
    ids = rng.choice(3, n, p=shares)
    top = rng.uniform(sure - 0.2, sure, n)
    probs = np.repeat(((1 - top) / 2)[:, None], 3, axis=1)
    probs[np.arange(n), ids] = top
    return probs.astype(np.float32)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    rng = np.random.default_rng(0)
    reference = Reference.of(summaries(rng, 800), probabilities(rng, 500))
    (tmp_path / "drift.json").write_text(json.dumps({"format": 1, **reference.to_json()}), encoding="utf-8")
    return Served("clouds", "2", tmp_path, "0" * 64, "pictures", "classify", CLASSES)


def show(drift: Drift, served: Served, rows, probs) -> None:
    for row, prob in zip(rows, probs, strict=True):
        drift.saw(Answer(served, {"probabilities": prob}, row))


def test_pictures_like_its_own_are_no_news(served: Served):
    drift, rng = Drift(served), np.random.default_rng(1)
    for _ in range(4):
        show(drift, served, summaries(rng, 400), probabilities(rng, 400))
        assert drift.warnings() == []
    told = drift.as_dict()
    assert told["pictures"] == 1600
    assert told["is_compared"]
    assert [one["name"] for one in told["measures"]] == [*NAMES, "confidence", "classes"]
    json.dumps(told)


def test_darker_pictures_are_told_with_both_figures(served: Served):
    drift, rng = Drift(served), np.random.default_rng(2)
    show(drift, served, summaries(rng, 150, brightness=0.35), probabilities(rng, 150))
    (warning,) = drift.warnings()
    assert warning.startswith("The pictures are darker than those that the model learned from: brightness 0.35 on")
    assert "0.50 then" in warning
    assert "train again" in warning


def test_another_cameras_size_is_told_in_pixels(served: Served):
    drift, rng = Drift(served), np.random.default_rng(3)
    show(drift, served, summaries(rng, 64, size=10.0), probabilities(rng, 64))
    (warning,) = drift.warnings()
    assert "larger" in warning
    assert "size 1.02e+03 px" not in warning
    assert "size 1024 px on average over the last 64, 512 px then" in warning


def test_answers_that_are_less_sure_and_a_class_that_is_missing_are_told(served: Served):
    drift, rng = Drift(served), np.random.default_rng(4)
    show(drift, served, summaries(rng, 400), probabilities(rng, 400, shares=(0.7, 0.3, 0.0), sure=0.7))
    warnings = " ".join(drift.warnings())
    assert "The answers are less sure than on the pictures that the model was judged on" in warnings
    assert "'stratus' 0 % instead of" in warnings


def test_a_change_is_seen_as_soon_after_many_pictures_as_after_none_and_is_forgotten_when_it_ends(served: Served):
    drift, rng = Drift(served), np.random.default_rng(5)
    usual = summaries(rng, 7 * BLOCK + 100), probabilities(rng, 7 * BLOCK + 100)
    show(drift, served, *usual)
    assert drift.warnings() == []
    show(drift, served, summaries(rng, BLOCK, brightness=0.35), probabilities(rng, BLOCK))
    assert any("darker" in one for one in drift.warnings())
    show(drift, served, *usual)
    assert drift.warnings() == []


def test_what_it_remembers_does_not_grow(served: Served):
    drift, rng = Drift(served), np.random.default_rng(6)

    def size() -> int:
        block = drift._block
        return sum(map(len, block.counts.values())) + len(block.sums) + len(block.classes)

    before = size()
    show(drift, served, summaries(rng, 3 * BLOCK), probabilities(rng, 3 * BLOCK))
    assert size() == before


def test_a_picture_that_was_answered_before_counts_once(served: Served):
    drift, rng = Drift(served), np.random.default_rng(7)
    row, prob = summaries(rng, 1, brightness=0.1)[0], probabilities(rng, 1)[0]
    for _ in range(100):
        drift.saw(Answer(served, {"probabilities": prob}, row, is_cached=True))
    assert drift.as_dict()["pictures"] == 0
    assert drift.warnings() == []


def test_a_model_of_before_and_a_graph_of_elsewhere_say_that_there_is_nothing_to_compare_with(tmp_path: Path):
    older = Served("old", "1", tmp_path, "0" * 64, "pictures", "classify", CLASSES)
    other = Served("net", "1", tmp_path, "0" * 64, "tensors")
    for served, why in ((older, "does not say what its pictures were like"), (other, "made elsewhere")):
        drift = Drift(served)
        drift.saw(Answer(served, {"probabilities": np.ones(3, np.float32)}, np.zeros(7, np.float32)))
        assert why in drift.as_dict()["why_not"]
        assert drift.warnings() == []
        assert not drift.as_dict()["is_compared"]


def test_a_damaged_reference_is_said_and_stops_nothing(served: Served):
    (served.path / "drift.json").write_text('{"format": 1, "numbers": {}}', encoding="utf-8")
    why_not = Drift(served).as_dict()["why_not"]
    assert "is damaged" in why_not
    assert str(served.path) not in why_not  # clients read it
