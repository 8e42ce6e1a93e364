"""A backbone is a folder with a graph and a small JSON; what is wrong with it is said in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from winnow.errors import NotFoundError, UserError
from winnow.graph.backbone import choose_backbone, find_backbone, list_backbones, open_backbone
from winnow.graph.build import GraphPen

from .tiny import DIM, SIDE_PX, features_graph, head_graph, pictures, plain_run, tiny_backbone


def test_what_was_written_is_read_back(tmp_path: Path):
    written = tiny_backbone(tmp_path / "tiny")
    read = open_backbone(tmp_path / "tiny")
    assert read == written
    assert (read.name, read.dim, read.input_spec.side_px) == ("tiny", DIM, SIDE_PX)
    assert (read.licence, read.source) == ("CC0-1.0", "made up for tests")
    seen = pictures(1)
    assert read.open().run(seen) == pytest.approx(plain_run(features_graph(), seen), abs=1e-5)


def test_a_damaged_graph_is_refused(tmp_path: Path):
    backbone = tiny_backbone(tmp_path)
    graph = tmp_path / "graph.onnx"
    graph.write_bytes(graph.read_bytes()[:-7])
    with pytest.raises(UserError, match=r"does not match its backbone\.json; make or copy the backbone again"):
        backbone.open()


def test_a_missing_graph_is_named(tmp_path: Path):
    backbone = tiny_backbone(tmp_path)
    (tmp_path / "graph.onnx").unlink()
    with pytest.raises(UserError, match=r"has no graph\.onnx"):
        backbone.graph()


def test_a_folder_without_a_backbone_says_what_one_is(tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"a folder with graph\.onnx and backbone\.json"):
        open_backbone(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"', '"text"', "null", "\udcff"])
def test_a_json_that_is_none_is_named(tmp_path: Path, text: str):
    tiny_backbone(tmp_path)
    (tmp_path / "backbone.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"is not a backbone's JSON .* make the backbone again"):
        open_backbone(tmp_path)


def test_a_backbone_is_found_by_folder_and_by_name(tmp_path: Path):
    shelves = [tmp_path / "a", tmp_path / "b", tmp_path / "missing"]
    tiny_backbone(tmp_path / "a" / "x", "small")
    tiny_backbone(tmp_path / "b" / "y", "large")
    assert [backbone.name for backbone in list_backbones(shelves)] == ["small", "large"]
    assert find_backbone("large", shelves).folder == tmp_path / "b" / "y"
    assert find_backbone(tmp_path / "a" / "x", []).name == "small"


def test_an_unknown_name_gets_a_hint(tmp_path: Path):
    tiny_backbone(tmp_path / "x", "mobilenet")
    with pytest.raises(NotFoundError, match=r"No backbone is called 'mobilnet'\. Did you mean mobilenet\?"):
        find_backbone("mobilnet", [tmp_path])
    with pytest.raises(NotFoundError, match=r"At hand: mobilenet\."):
        find_backbone("zzz", [tmp_path])
    with pytest.raises(NotFoundError, match="give a backbone's folder"):
        find_backbone("zzz", [])


def test_a_graph_that_is_no_features_graph_is_not_written(tmp_path: Path):
    with pytest.raises(UserError, match="one input 'pixels' and one output 'features'"):
        tiny_backbone(tmp_path, graph=head_graph())
    pen = GraphPen("pixels", (None, SIDE_PX, SIDE_PX, 3), np.uint8)
    maps = pen.finish(pen.op("Cast", pen.input, to=1), "features", (None, SIDE_PX, SIDE_PX, 3))
    with pytest.raises(UserError, match="one row of features a picture"):
        tiny_backbone(tmp_path, graph=maps)
    assert not (tmp_path / "backbone.json").exists()


def test_the_json_is_plain_and_complete(tmp_path: Path):
    tiny_backbone(tmp_path)
    facts = json.loads((tmp_path / "backbone.json").read_text())
    assert facts.keys() == {"name", "input", "dim", "sha256", "licence", "source"}


def test_the_first_on_the_shelves_is_chosen_unless_another_or_none_is_asked_for(tmp_path: Path):
    tiny_backbone(tmp_path / "near" / "b", name="b")
    tiny_backbone(tmp_path / "far" / "a", name="a")
    shelves = [tmp_path / "near", tmp_path / "far"]
    chosen = [choose_backbone(asked, shelves) for asked in (None, "a", "none")]
    assert [one and one.name for one in chosen] == ["b", "a", None]
    assert choose_backbone(None, [tmp_path / "nowhere"]) is None
