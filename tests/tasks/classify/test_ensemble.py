"""Several methods' mean: weighed on others' answers, and one graph that says the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest

from graph.tiny import features_graph, head_graph, pictures, plain_run
from winnow.events import tell_nobody
from winnow.graph.ensemble import Member, join_all
from winnow.graph.join import cut, join
from winnow.tasks.classify.rungs.ensemble import RUNG, choose_weights
from winnow.tasks.rung import CannotPayError, Clock, Workbench

from .problems import made_up_examples, made_up_problem

LABELS = np.array([0, 1, 0, 1])


def sure_of(classes: Sequence[int], probability: float = 0.9) -> np.ndarray:
    rows = np.full((len(classes), 2), 1 - probability, dtype=np.float32)
    rows[np.arange(len(classes)), classes] = probability
    return rows


def test_a_method_that_is_always_right_needs_no_other():
    said = np.stack([sure_of([0, 1, 0, 1]), sure_of([1, 1, 0, 0])])
    assert choose_weights(said, LABELS).tolist() == [1, 0]


def test_two_that_err_in_different_places_share_the_weight():
    said = np.stack([sure_of([1, 1, 0, 1]), sure_of([0, 1, 0, 0]), sure_of([1, 0, 1, 0])])
    assert choose_weights(said, LABELS) == pytest.approx([0.5, 0.5, 0])


@pytest.mark.parametrize("opset", [17, 20])
def test_the_joined_graph_gives_the_weighted_mean_of_its_members(opset: int):
    looks = features_graph(), features_graph(scale=2.0, opset=opset)
    heads = head_graph(), head_graph(opset=opset), head_graph()
    members = [
        Member("one", looks[0], heads[0], 0.5),
        Member("other", looks[1], heads[1], 0.3),
        Member("one", looks[0], heads[2], 0.2),
    ]
    seen = pictures(4)
    expected = sum(member.weight * plain_run(join(member.features_graph, member.head), seen) for member in members)
    whole = join_all(members, notes={"winnow.rung": "ensemble"})
    assert plain_run(whole, seen) == pytest.approx(expected, abs=1e-5)
    assert onnx.load_from_string(whole).metadata_props[0].value == "ensemble"


def test_it_is_cut_like_any_model_and_shared_features_are_computed_once():
    members = [Member("one", features_graph(), head_graph(), 0.5), Member("one", features_graph(), head_graph(), 0.5)]
    features, head = cut(join_all(members))
    rows = plain_run(features, pictures(3))
    assert rows.shape == (3, 12)
    assert plain_run(head, rows) == pytest.approx(plain_run(join_all(members), pictures(3)), abs=1e-6)


def test_it_says_why_there_is_nothing_to_join(tmp_path):
    problem = made_up_problem(made_up_examples(["a", "b"] * 4))
    with pytest.raises(CannotPayError, match="no network was trained"):
        RUNG.climb_at(Workbench(tmp_path, {}), problem, Clock(), tell_nobody)
    with pytest.raises(CannotPayError, match="needs other methods"):
        RUNG.climb(problem, Clock(), tell_nobody)
