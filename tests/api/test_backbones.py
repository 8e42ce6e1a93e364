"""Which backbone a climb takes: your own first, then the embedded one; and what is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import winnow
from graph.tiny import tiny_backbone
from winnow.api.backbones import backbones
from winnow.api.model import Model
from winnow.api.shelves import shelves
from winnow.events import tell_nobody
from winnow.graph.backbone import choose_backbone
from winnow.workspace.workspace import Workspace

from .squares import RUNGS, squares


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf that stands for the one inside the package, with one tiny backbone."""
    shelf = tmp_path / "embedded"
    tiny_backbone(shelf / "within", name="within")
    monkeypatch.setattr("winnow.api.shelves.EMBEDDED", shelf)
    monkeypatch.setattr("winnow.api.backbones.EMBEDDED", shelf)
    return shelf


def command_of(model: Model) -> str:
    return model.report.numbers.climb.command


def test_a_climb_takes_the_embedded_backbone_if_nobody_says_which(embedded: Path, photos: Path, tmp_path: Path):
    model = winnow.train(photos, workspace=tmp_path / "w", rungs=RUNGS, tell=tell_nobody)
    assert command_of(model).endswith("--backbone within")


def test_a_backbone_of_your_own_comes_first(embedded: Path, tmp_path: Path):
    with Workspace.open(tmp_path / "w") as workspace:
        tiny_backbone(workspace.backbones_folder / "mine", name="mine")
        chosen = choose_backbone(None, shelves(workspace))
        by_name = choose_backbone("within", shelves(workspace))
    assert chosen is not None
    assert chosen.name == "mine"
    assert by_name is not None
    assert by_name.name == "within"


def test_none_climbs_without_and_the_command_says_so(embedded: Path, photos: Path, tmp_path: Path):
    model = winnow.train(photos, workspace=tmp_path / "w", rungs=RUNGS, backbone="none", tell=tell_nobody)
    assert command_of(model).endswith("--backbone none")


def test_the_classifier_takes_it_too_unless_told_none(embedded: Path):
    pictures, labels = squares(20)
    rungs = ["features-nearest-mean"]
    fitted = winnow.Classifier(rungs=rungs).fit(pictures, labels)
    assert fitted.predict(pictures).shape == (20,)
    with pytest.raises(ValueError, match="no backbone is at hand"):
        winnow.Classifier(rungs=rungs, backbone="none").fit(pictures, labels)


def test_what_is_at_hand_is_listed_with_its_cost(embedded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    given = tmp_path / "given"
    tiny_backbone(given / "third", name="third")
    facts = given / "third" / "backbone.json"
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "transfer": {"clouds": 0.4}}))
    monkeypatch.setenv("WINNOW_BACKBONES", str(given))
    third, within = backbones(tmp_path / "w")
    assert (third["name"], third["origin"], third["is_default"]) == ("third", "given", True)
    assert third["transfer"] == {"clouds": 0.4}
    assert (within["name"], within["origin"], within["is_default"]) == ("within", "embedded", False)
    assert within["pictures_per_s"]["fp32"] > 0
    assert within["bytes"] == (embedded / "within" / "graph.onnx").stat().st_size
