"""`winnow backbones`: what transfer learning can start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terminal import Winnow

from graph.tiny import tiny_backbone


def test_each_backbone_is_told_with_its_cost_and_licence(
    winnow: Winnow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tiny_backbone(tmp_path / "given" / "small", name="small")
    monkeypatch.setenv("WINNOW_BACKBONES", str(tmp_path / "given"))
    said = winnow("backbones").out
    assert "small (given, taken unless you name another)" in said
    assert "12 features at 16 px" in said
    assert "pictures a second on this machine" in said
    (listed,) = json.loads(winnow("backbones", "--json").out)
    assert listed["name"] == "small"


def test_an_empty_shelf_says_how_to_fill_it(winnow: Winnow):
    assert "recipes/timm_backbone.py" in winnow("backbones").out
