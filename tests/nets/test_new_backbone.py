"""A backbone made of published weights: looked through as a graph, and learned on as the same network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from winnow.graph.backbone import Backbone
from winnow.nets.backbone_weights import open_network
from winnow.nets.export import Normalise, from_pixels, parity
from winnow.nets.new_backbone import SIDE_PX, make_backbone
from winnow.nets.weights import Weights, find_weights


def tiny(folder: Path) -> Weights:
    torch.manual_seed(0)
    file = folder / "tiny.safetensors"
    save_file(timm.create_model("test_efficientnet").state_dict(), file)
    return Weights(
        name="test_efficientnet.made_up",
        file=file,
        architecture="test_efficientnet",
        create={"pad_type": "same"},
        fixup=None,
        mean=(0.4, 0.5, 0.6),
        std=(0.2, 0.2, 0.2),
        licence="CC0-1.0",
        source="made up",
        n_classes=None,
        side_px=None,
    )


def answers_alike(backbone: Backbone) -> bool:
    """Whether the network that would learn gives the features that the graph gives."""
    assert backbone.network is not None
    side_px = backbone.input_spec.side_px
    net = open_network(backbone, 5).eval()
    normalise = Normalise(tuple(backbone.network["mean"]), tuple(backbone.network["std"]))
    pixels = np.random.default_rng(0).integers(0, 256, (2, side_px, side_px, 3), dtype=np.uint8)
    return parity(from_pixels(net, normalise, "features").eval(), backbone.graph(), pixels).largest_difference < 1e-3


def test_its_network_can_learn_on_even_where_it_was_built_with_arguments(tmp_path: Path):
    made = make_backbone(tiny(tmp_path), tmp_path / "made", side_px=48)
    assert (made.name, made.input_spec.side_px, made.licence) == ("test-efficientnet", 48, "CC0-1.0")
    assert made.network is not None
    assert made.network["create"] == {"pad_type": "same"}
    assert answers_alike(made)


def test_the_teacher_in_its_folder_becomes_one_fix_up_included(test_data: Path, tmp_path: Path):
    made = make_backbone(find_weights(test_data / "weights", "mobilenet_edgetpu_100"), tmp_path / "made", side_px=32)
    assert (made.name, made.dim) == ("mobilenet-edgetpu-100", 1280)
    assert answers_alike(made)


def test_it_looks_at_pictures_of_192_px_unless_somebody_says_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []

    def noted(weights: Weights, *, side_px: int) -> None:
        asked.append(side_px)
        raise InterruptedError

    monkeypatch.setattr("winnow.nets.new_backbone.open_net", noted)
    with pytest.raises(InterruptedError):
        make_backbone(tiny(tmp_path), tmp_path / "made")
    assert asked == [SIDE_PX]
