from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from winnow.train.initialise import initialise


def test_he_keeps_the_variance_through_ten_relu_layers_and_xavier_halves_it_each_time() -> None:
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.Linear(512, 512), nn.ReLU()) for _ in range(10)]
    net = nn.Sequential(*layers)
    x = torch.randn(256, 512)

    initialise(net, "he")
    assert net(x).square().mean().item() == pytest.approx(1, abs=0.4)  # E[relu(z)^2] = var(z) / 2 = 1 / fan_in terms
    initialise(net, "xavier")
    assert net(x).square().mean().item() == pytest.approx(2**-10, rel=0.5)


def test_weights_have_the_spread_of_the_papers() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(64, 128, 3)
    initialise(conv, "he")
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)
    initialise(conv, "xavier")
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9 + 128 * 9)), rel=0.02)
    assert conv.bias is not None
    assert conv.bias.abs().max() == 0


def test_dirac_passes_the_input_channels_on() -> None:
    conv = nn.Conv2d(3, 8, 3, padding=1)
    initialise(conv, "dirac")
    x = torch.randn(2, 3, 5, 5)
    assert torch.equal(conv(x)[:, :3], x)
    assert conv(x)[:, 3:].std() > 0


def test_norms_stay_as_they_are() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.LayerNorm(4))
    initialise(net, "he")
    assert net[1].weight.tolist() == [1] * 4
    assert net[2].weight.tolist() == [1] * 4
