"""A backbone's weights lie beside its graph, and are those of its network or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from graph.tiny import tiny_backbone
from winnow.errors import UserError
from winnow.graph.backbone import FACTS, WEIGHTS, open_backbone
from winnow.nets.backbone_weights import OURS, open_network, write_weights
from winnow.nets.winnow_backbone import BackboneShape, BlockShape, winnow_backbone

SHAPE = BackboneShape(16, (4, 4), ((BlockShape("fused", 4, 8, 4, skips=True),),), 6)
FACTS_OF_NET = {"name": OURS, "shape": SHAPE.to_json(), "mean": [0.5] * 3, "std": [0.5] * 3}


def test_the_network_comes_back_under_an_even_head(tmp_path: Path):
    torch.manual_seed(0)
    net = winnow_backbone(SHAPE, 2).eval()
    backbone = write_weights(tiny_backbone(tmp_path), net, FACTS_OF_NET)
    again = open_network(backbone, 5).eval()
    x = torch.rand(2, 3, 16, 16)
    assert torch.equal(again.features(x), net.features(x))
    assert again(x).tolist() == [[0.0] * 5] * 2


def test_a_backbone_without_weights_says_so(tmp_path: Path):
    backbone = tiny_backbone(tmp_path)
    assert backbone.network is None
    with pytest.raises(UserError, match=r"has no weights\.safetensors"):
        open_network(backbone, 2)


def test_weights_that_were_changed_or_are_of_another_network_are_refused(tmp_path: Path):
    net = winnow_backbone(SHAPE, 2)
    backbone = write_weights(tiny_backbone(tmp_path), net, FACTS_OF_NET)
    wider = BackboneShape(16, (8, 4), SHAPE.stages, 6)
    facts = json.loads((tmp_path / FACTS).read_text())
    facts["network"]["shape"] = wider.to_json()
    (tmp_path / FACTS).write_text(json.dumps(facts))
    with pytest.raises(UserError, match="other sizes"):
        open_network(open_backbone(tmp_path), 2)
    data = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(UserError, match="is not what"):
        open_network(backbone, 2)
