"""A features graph and a head become one model, and come apart again."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from sklearn.ensemble import RandomForestClassifier

from winnow.graph.build import GraphPen
from winnow.graph.join import FEATURES, PIXELS, PROBABILITIES, cut, join, opset_of
from winnow.tasks.heads.random_forest import tree_ensemble

from .tiny import DIM, features_graph, head_graph, pictures, plain_run


def _forest_head() -> bytes:
    rng = np.random.default_rng(0)
    forest = RandomForestClassifier(5, random_state=0).fit(rng.normal(size=(40, DIM)), np.arange(40) % 3)
    pen = GraphPen(FEATURES, (None, DIM), prefix="head/")
    shares = pen.op("TreeEnsembleRegressor", pen.input, domain="ai.onnx.ml", **tree_ensemble(forest))
    return pen.finish(shares, PROBABILITIES, (None, 3))


def test_the_whole_gives_what_the_pieces_give_one_after_the_other():
    features, head, seen = features_graph(), head_graph(), pictures(5)
    assert np.array_equal(plain_run(join(features, head), seen), plain_run(head, plain_run(features, seen)))


def test_cut_gives_the_pieces_back():
    seen = pictures(5)
    whole = join(features_graph(), head_graph())
    features, head = cut(whole)
    rows = plain_run(features, seen)
    assert np.array_equal(rows, plain_run(features_graph(), seen))
    assert np.array_equal(plain_run(head, rows), plain_run(whole, seen))


def test_the_whole_and_its_pieces_name_each_set_of_ops_once():
    whole = join(features_graph(), _forest_head())
    for graph in (whole, *cut(whole)):
        domains = [entry.domain for entry in onnx.load_from_string(graph).opset_import]
        assert len(domains) == len(set(domains))


def test_pieces_that_were_cut_can_be_joined_again():
    whole, seen = join(features_graph(), head_graph()), pictures(5)
    assert np.array_equal(plain_run(join(*cut(whole)), seen), plain_run(whole, seen))


def test_the_whole_takes_pixels_gives_probabilities_and_nothing_else():
    model = onnx.load_from_string(join(features_graph(), head_graph()))
    assert [entry.name for entry in model.graph.input] == [PIXELS]
    assert [entry.name for entry in model.graph.output] == [PROBABILITIES]
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8


@pytest.mark.parametrize("opset", [17, 20, 21, 23])
@pytest.mark.parametrize("make_head", [head_graph, _forest_head])
def test_a_features_graph_of_another_opset_is_joined_all_the_same(opset: int, make_head):
    features, head, seen = features_graph(opset=opset), make_head(), pictures(4)
    whole = join(features, head)
    assert opset_of(whole) == max(opset, opset_of(head))
    expected = plain_run(head, plain_run(features, seen))
    assert plain_run(whole, seen) == pytest.approx(expected, abs=1e-6)
    first, second = cut(whole)
    assert plain_run(second, plain_run(first, seen)) == pytest.approx(expected, abs=1e-6)


def test_notes_are_stored_in_the_file():
    model = onnx.load_from_string(join(features_graph(), head_graph(), notes={"winnow.rung": "a", "b": "c\nd"}))
    assert {entry.key: entry.value for entry in model.metadata_props} == {"winnow.rung": "a", "b": "c\nd"}


def test_the_same_pieces_give_the_same_bytes():
    assert join(features_graph(), head_graph(), notes={"a": "1", "b": "2"}) == join(
        features_graph(), head_graph(), notes={"b": "2", "a": "1"}
    )
