"""The chain of stages: cut, frozen, pooled, under another head."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from winnow.errors import NotFoundError
from winnow.nets.net import Net


@pytest.fixture
def net() -> Net:
    """Four maps, a norm, a pooling; two classes."""
    torch.manual_seed(0)
    stages = {
        "low": nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)),
        "high": nn.Conv2d(4, 5, 3),
        "pool": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    }
    return Net(stages, nn.Linear(5, 2), dim=5, n_classes=2)


def test_features_behind_a_stage_are_maps_or_their_means(net: Net):
    x = torch.randn(3, 1, 8, 8)
    maps = net.features(x, at="low", pooled=False)
    assert maps.shape == (3, 4, 6, 6)
    torch.testing.assert_close(net.features(x, at="low"), maps.mean((2, 3)))
    assert net.features(x).shape == (3, 5)


def test_a_stage_that_is_not_there_is_refused_with_a_hint(net: Net):
    with pytest.raises(NotFoundError, match=r"no stage 'hihg'.*Did you mean high"):
        net.features(torch.zeros(1, 1, 8, 8), at="hihg")
    with pytest.raises(NotFoundError, match="Its stages are low, high, pool"):
        net.freeze("zzzz")


def test_a_frozen_norm_keeps_its_statistics_in_training(net: Net):
    net.freeze("low")
    net.train()
    before = net.features(torch.ones(2, 1, 8, 8), at="low", pooled=False)
    net(torch.randn(4, 1, 8, 8))
    assert torch.equal(net.features(torch.ones(2, 1, 8, 8), at="low", pooled=False), before)
    assert net.stages["high"].training


def test_freezing_less_thaws_the_rest(net: Net):
    net.freeze("pool")
    assert [name for name, _ in net.groups()] == ["head"]
    net.freeze("low")
    assert [name for name, _ in net.groups()] == ["high", "head"]


def test_weights_that_never_learn_are_not_thawed():
    low = nn.Linear(2, 2)
    low.weight.requires_grad_(False)
    net = Net({"low": low}, nn.Linear(2, 2), dim=2, n_classes=2)
    net.freeze("low")
    net.freeze(None)
    assert not low.weight.requires_grad
    assert low.bias.requires_grad


def test_a_new_head_starts_with_all_classes_even(net: Net):
    net.replace_head(7)
    assert net.n_classes == 7
    assert net(torch.randn(3, 1, 8, 8)).abs().max() == 0
