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
    assert "winnow backbones add NAME --download" in winnow("backbones").out


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's client finds nothing on this disk, and nobody at the hub's address."""
    pytest.importorskip("timm", reason="needs the extra 'deep'")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("winnow.nets.hub.getproxies", dict)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def test_without_permission_nothing_is_fetched_and_one_sentence_says_what_to_do(winnow: Winnow, away: None):
    said = winnow("backbones", "add", "resnet-18")
    assert (said.code, said.out) == (4, "")
    assert "are not on this disk, and the network is used only if you allow it: give --download" in said.err
    assert "Traceback" not in said.err


def test_a_hub_that_cannot_be_reached_is_one_sentence(winnow: Winnow, away: None):
    said = winnow("backbones", "add", "resnet-18", "--download")
    assert (said.code, said.out) == (4, "")
    assert "could not be fetched from timm/resnet18.tv_in1k on huggingface.co" in said.err
    assert "Traceback" not in said.err


def test_a_folder_of_weights_becomes_a_backbone_that_climbs_find(winnow: Winnow, weights_folder: Path):
    made = json.loads(
        winnow("backbones", "add", "tiny", "--weights", str(weights_folder), "--side", "32", "--json").out
    )
    assert (made["name"], made["side_px"]) == ("tiny", 32)
    (listed,) = json.loads(winnow("backbones", "--json").out)
    assert (listed["name"], listed["origin"], listed["can_learn"]) == ("tiny", "workspace", True)
    again = winnow("backbones", "add", "tiny", "--weights", str(weights_folder))
    assert (again.code, "already" in again.err) == (2, True)
    assert winnow("backbones", "add", "tiny", "--weights", str(weights_folder), "--download").code == 2


@pytest.fixture
def weights_folder(tmp_path: Path) -> Path:
    """As a user has them: an index, and weights of the smallest network that timm knows."""
    timm = pytest.importorskip("timm", reason="needs the extra 'deep'")
    from safetensors.torch import save_file

    folder = tmp_path / "weights"
    folder.mkdir()
    save_file(timm.create_model("test_efficientnet").state_dict(), folder / "tiny.safetensors")
    facts = {"architecture": "test_efficientnet", "mean": [0.5] * 3, "std": [0.5] * 3}
    facts |= {"licence": "CC0-1.0", "source": "made up", "num_classes": 1000}
    (folder / "index.json").write_text(json.dumps({"tiny": facts}), encoding="utf-8")
    return folder
