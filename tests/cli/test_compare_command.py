"""`winnow compare`: which of two models is better, in words and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from terminal import Winnow


def test_two_models_are_compared_in_words_and_as_json(winnow: Winnow, shapes: Path):
    for rung in ("commonest-class", "pixels-nearest-neighbour"):
        assert winnow("train", shapes, "--name", "shapes", "--rungs", rung).code == 0
    said = winnow("compare", "shapes@1", "shapes@2")
    assert said.code == 0
    words = " ".join(said.out.split())
    assert "shapes@2 is shown to be better than shapes@1." in words
    assert "One measure decides, accuracy; the others are shown as they are" in words
    found = json.loads(winnow("compare", "shapes@1", "shapes@2", "--on", "judged", "--json").out)
    assert (found["better"], found["on"], found["pictures"]) == ("b", "judged", 48)
    assert found["p_value"] < 0.05


def test_a_model_that_is_not_there_is_told(winnow: Winnow):
    said = winnow("compare", "a", "b")
    assert said.code == 4
    assert "No model is called 'a'" in said.err
