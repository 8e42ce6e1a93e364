"""Two pictures in one, and a target that says how much of each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from winnow.train.augment.mixing import draw_mix, mix_pictures, mix_targets, soft_targets


def test_smoothed_targets_are_those_of_torch():
    labels, logits = torch.tensor([0, 2, 1]), torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    ours = F.cross_entropy(logits, soft_targets(labels, 4, 0.1))
    assert ours.item() == pytest.approx(F.cross_entropy(logits, labels, label_smoothing=0.1).item(), abs=1e-6)
    assert torch.equal(soft_targets(labels, 4), F.one_hot(labels, 4).float())


def test_mixup_blends_by_each_pictures_share():
    x = torch.arange(2.0)[:, None, None, None].expand(2, 3, 4, 4)
    done = mix_pictures(x, x.flip(0), torch.tensor([0.75, 0.5]), None)
    assert done[:, 0, 0, 0].tolist() == [0.25, 0.5]


def test_cutmix_pastes_the_partner_into_the_box():
    x = torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)])
    boxes = torch.tensor([[0, 1, 2, 4], [0, 0, 0, 0]])
    done = mix_pictures(x, x.flip(0), torch.zeros(2), boxes)
    expected = torch.zeros(4, 4)
    expected[0:2, 1:4] = 1
    assert torch.equal(done[0, 0], expected)
    assert torch.equal(done[1], x[1])


def test_the_share_of_a_cutmix_box_is_its_share_of_the_area():
    mix = draw_mix(500, 16, 0.0, 1.0, np.random.default_rng(0))
    assert mix is not None
    assert mix.boxes is not None
    top, left, bottom, right = mix.boxes.T
    assert mix.own == pytest.approx(1 - (bottom - top) * (right - left) / 256)
    assert mix.boxes.min() >= 0
    assert mix.boxes.max() <= 16
    assert sorted(mix.partners) == list(range(500))


def test_mixup_shares_follow_their_beta_distribution():
    mix = draw_mix(20_000, 16, 0.2, 0.0, np.random.default_rng(0))
    assert mix is not None
    assert mix.boxes is None
    assert mix.own.mean() == pytest.approx(0.5, abs=0.01)
    assert mix.own.var() == pytest.approx(0.25 / (2 * 0.2 + 1), abs=0.01)  # variance of Beta(a, a): 1 / (4 (2a + 1))


def test_with_both_either_is_taken_half_the_time():
    kinds = [draw_mix(2, 16, 0.2, 1.0, np.random.default_rng(seed)) for seed in range(400)]
    assert np.mean([mix is not None and mix.boxes is None for mix in kinds]) == pytest.approx(0.5, abs=0.08)


def test_without_an_alpha_nothing_is_mixed():
    assert draw_mix(2, 16, 0.0, 0.0, np.random.default_rng(0)) is None


def test_a_mixtures_loss_is_that_of_both_pictures():
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    mine, theirs = torch.tensor([0, 1, 2]), torch.tensor([3, 1, 0])
    own, weights = torch.tensor([0.3, 0.9, 0.0]), (torch.tensor([1.0, 2.0, 0.5]), torch.tensor([4.0, 0.0, 1.0]))
    target, weight = mix_targets((soft_targets(mine, 4), soft_targets(theirs, 4)), weights, own)
    assert weight is not None
    each = [F.cross_entropy(logits, labels, reduction="none") for labels in (mine, theirs)]
    expected = own * weights[0] * each[0] + (1 - own) * weights[1] * each[1]
    assert torch.allclose(weight * F.cross_entropy(logits, target, reduction="none"), expected, atol=1e-6)
    plain, none = mix_targets((soft_targets(mine, 4), soft_targets(theirs, 4)), None, own)
    assert none is None
    assert torch.allclose(F.cross_entropy(logits, plain, reduction="none"), own * each[0] + (1 - own) * each[1])
