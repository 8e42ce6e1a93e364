"""Transfer learning without bringing anything: the backbone in the package carries a climb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import winnow
from winnow.api.backbones import backbones
from winnow.events import tell_nobody
from winnow.graph.backbone import Backbone

RUNGS = ["features-nearest-mean"]


def test_a_climb_finds_it_offline(embedded_backbone: Backbone, photos: Path, tmp_path: Path):
    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody)
    assert model.rung == "features-nearest-mean"
    assert f"--backbone {embedded_backbone.name}" in model.report.numbers.climb.command
    accuracy = model.report.numbers.judged.evaluation.scores["accuracy"]
    assert accuracy is not None
    assert accuracy.value >= 0.9


def test_it_is_listed_with_what_it_scores(embedded_backbone: Backbone, tmp_path: Path):
    (listed,) = backbones(tmp_path, measure=False)
    assert (listed["name"], listed["origin"], listed["is_default"]) == (embedded_backbone.name, "embedded", True)
    assert listed["transfer"]["cats-dogs"] >= 0.93
    assert listed["transfer"]["clouds"] >= 0.40


def test_its_features_are_the_same_on_onnx_runtime(embedded_backbone: Backbone, monkeypatch: pytest.MonkeyPatch):
    picture = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    there = embedded_backbone.open().run(picture)
    monkeypatch.setattr("winnow.graph.runtime.has_openvino", lambda: False)
    here = embedded_backbone.open().run(picture)
    assert np.allclose(here, there, atol=1e-4)
