"""Winnow's own backbone: its shape, its paddings, and the weights that come in the package."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from winnow.errors import UserError
from winnow.graph.backbone import Backbone
from winnow.nets.backbone_weights import open_network
from winnow.nets.export import Normalise, as_graph, from_pixels, parity
from winnow.nets.winnow_backbone import BackboneShape, BlockShape, ConvNorm, same_padding, winnow_backbone

TINY = BackboneShape(
    side_px=32,
    stem=(8, 8),
    stages=(
        (BlockShape("fused", 8, 12, 8, stride=2), BlockShape("fused", 8, 12, 8, skips=True)),
        (BlockShape("separable", 8, 16, 10, kernel=5, stride=2),),
    ),
    dim=24,
)


def pictures(n: int, side_px: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side_px, side_px, 3), dtype=np.uint8)


def test_its_shape_survives_json():
    assert BackboneShape.from_json(TINY.to_json()) == TINY


def test_a_json_that_is_no_shape_is_refused():
    with pytest.raises(UserError, match="not the widths of a Winnow backbone"):
        BackboneShape.from_json({"stem": [8, 8]})


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [(128, 3, 2, (0, 1)), (8, 5, 2, (1, 2)), (5, 5, 2, (2, 2)), (7, 3, 1, (1, 1)), (3, 1, 1, (0, 0))],
)
def test_the_padding_is_tensorflows_same(size: int, kernel: int, stride: int, padding: tuple[int, int]):
    """The examples are worked out by hand from TensorFlow's rule: ceil(size / stride) outputs, the odd zero last."""
    assert same_padding(size, kernel, stride) == padding


@pytest.mark.parametrize("side_px", [8, 7])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_a_depthwise_convolution_is_the_same_when_it_learns_as_when_it_answers(side_px: int, kernel: int, stride: int):
    part = ConvNorm(6, 6, kernel, stride, groups=6).train()
    part.norm.eval()
    x = torch.randn(2, 6, side_px, side_px, generator=torch.Generator().manual_seed(0))
    learning = part(x)
    assert learning.shape[2:] == (-(-side_px // stride),) * 2
    padding = (*same_padding(side_px, kernel, stride), *same_padding(side_px, kernel, stride))
    plain = F.relu(part.norm(F.conv2d(F.pad(x, padding), part.conv.weight, stride=stride, groups=6)))
    assert torch.allclose(learning, plain, atol=1e-6)
    assert torch.allclose(part.eval()(x), plain, atol=1e-6)


def test_a_norm_that_keeps_its_statistics_learns_as_if_it_were_a_layer_of_its_own():
    torch.manual_seed(0)
    part, x = ConvNorm(3, 5, 3).train(), torch.randn(2, 3, 8, 8)
    part.norm.eval()
    assert part.norm.running_mean is not None
    assert part.norm.running_var is not None
    torch.nn.init.normal_(part.norm.running_mean)
    torch.nn.init.uniform_(part.norm.running_var, 0.5, 2)
    learned = [part.conv.weight, part.norm.weight, part.norm.bias]
    ours = torch.autograd.grad(part(x).square().sum(), learned)
    theirs = torch.autograd.grad(F.relu(part.norm(part.conv(x))).square().sum(), learned)
    for our, their in zip(ours, theirs, strict=True):
        assert torch.allclose(our, their, rtol=1e-4, atol=1e-4)


def test_it_can_be_cut_behind_every_stage():
    net = winnow_backbone(TINY, 5).eval()
    assert net.stage_names == ("stem", "stage1", "stage2", "top")
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for name in net.stage_names:
        assert torch.allclose(net.upper(name)(net.lower(name)(x)), net(x), atol=1e-6)


def test_its_graph_gives_its_features():
    net = winnow_backbone(TINY, 5).eval()
    network = from_pixels(net, Normalise((0.5,) * 3, (0.5,) * 3), "features")
    assert parity(network, as_graph(network, 32), pictures(3)).holds(1e-4)


def test_the_graph_in_the_package_is_made_of_the_weights_beside_it(embedded_backbone: Backbone):
    net = open_network(embedded_backbone, 2).eval()
    network = embedded_backbone.network
    assert network is not None
    whole = from_pixels(net, Normalise(tuple(network["mean"]), tuple(network["std"])), "features")
    assert parity(whole, embedded_backbone.graph(), pictures(3, embedded_backbone.input_spec.side_px)).holds(1e-4)


def test_the_package_carries_at_most_12_mb_and_a_card(embedded_backbone: Backbone):
    files = list(embedded_backbone.folder.iterdir())
    assert sum(file.stat().st_size for file in files) <= 12e6
    card = (embedded_backbone.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for name in ("Apache-2.0", "tiny-imagenet", "research", *embedded_backbone.transfer):
        assert name in card
    assert embedded_backbone.transfer
