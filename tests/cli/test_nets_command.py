"""`winnow nets`: the networks that can be trained."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from terminal import Winnow


def test_the_list_says_size_input_paper_and_cuts(winnow: Winnow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")
    line = next(line for line in winnow("nets").out.splitlines() if "resnet-18 " in line)
    assert all(
        word in line for word in ("11.69 M", "224 px colour", "He et al. 2015", "stem, layer1, layer2, layer3, layer4")
    )


def test_one_network_is_shown_in_full_and_timms_are_known(winnow: Winnow):
    said = winnow("nets", "lenet-5").out
    assert "Gradient-Based Learning Applied to Document Recognition" in said
    assert "60,000" in said
    assert "32 px grey, at least 16 px" in said
    assert "patches, block1" in winnow("nets", "timm:test_vit").out


def test_json_holds_all_that_is_known(winnow: Winnow):
    found = {net["name"]: net for net in json.loads(winnow("nets", "--json").out)}
    assert found["vgg-c"]["n_parameters"] == 133_638_952
    assert found["densenet-121"]["licence"] == "Apache-2.0"
    assert found["lenet-5"]["stages"] == ["c1", "s2", "c3", "s4", "c5", "f6"]


def test_a_mistyped_name_gets_a_hint(winnow: Winnow):
    said = winnow("nets", "resnet-81")
    assert said.code == 4
    assert "Did you mean resnet-18" in said.err


def test_without_the_extra_one_sentence_says_what_to_install(winnow: Winnow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    said = winnow("nets")
    assert said.code == 6
    assert "pip install 'winnow[deep]'" in said.err


def test_help_has_an_example_and_the_docs_a_line(winnow: Winnow):
    said = winnow("nets", "--help").out
    assert "$ winnow nets resnet-18" in said
    assert "--json" in said
    assert "winnow nets" in (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
