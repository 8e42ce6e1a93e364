"""The fast small network: as its paper has it, whitened, and starting as an identity."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from winnow.errors import UserError
from winnow.nets.fast_small import WIDTHS, fast_small, shifts_of, whiten
from winnow.nets.net import count_parameters


@pytest.fixture
def pictures() -> torch.Tensor:
    """Smooth noise, whose neighbouring pixels are alike as in photographs."""
    torch.manual_seed(0)
    return F.avg_pool2d(torch.randn(64, 3, 34, 34), 3, stride=1)


def test_it_has_the_papers_1_97_million_weights():
    assert round(count_parameters(fast_small()) / 1e6, 2) == 1.97


def test_its_maps_are_31_15_7_and_3_px_as_in_the_paper():
    net, x = fast_small(), torch.zeros(1, 3, 32, 32)
    shapes = [tuple(net.features(x, at=at, pooled=False).shape[1:]) for at in net.stage_names]
    assert shapes == [(24, 31, 31), (64, 15, 15), (256, 7, 7), (256, 3, 3), (256,)]


def test_what_the_whitened_layer_gives_is_uncorrelated_with_variance_one(pictures: torch.Tensor):
    net = fast_small()
    whiten(net, pictures, epsilon=0)
    given = net.get_submodule("stages.whiten.0")(pictures)[:, :12]
    given = given - net.get_parameter("stages.whiten.0.bias")[:12].view(1, -1, 1, 1)
    rows = given.transpose(0, 1).flatten(1)
    torch.testing.assert_close(rows @ rows.T / rows.shape[1], torch.eye(12), atol=1e-3, rtol=0)


def test_the_whitened_layer_gives_each_direction_with_both_signs_and_never_learns(pictures: torch.Tensor):
    net = fast_small()
    whiten(net, pictures)
    filters = net.get_parameter("stages.whiten.0.weight")
    assert torch.equal(filters[:12], -filters[12:])
    assert not filters.requires_grad
    net.freeze("whiten")
    assert not net.get_parameter("stages.whiten.0.bias").requires_grad
    net.freeze(None)
    assert net.get_parameter("stages.whiten.0.bias").requires_grad
    assert not filters.requires_grad


def test_the_whitened_layers_bias_starts_at_zero():
    assert not fast_small().get_parameter("stages.whiten.0.bias").any()


def test_directions_in_which_nothing_differs_stay_finite():
    net = fast_small(n_channels=1)
    whiten(net, torch.zeros(4, 1, 32, 32))
    assert net.get_parameter("stages.whiten.0.weight").isfinite().all()


def test_the_first_maps_of_a_fresh_convolution_hand_on_what_is_below():
    net = fast_small()
    x = torch.randn(1, 24, 31, 31)
    given = net.get_submodule("stages.block1.conv1")(x)
    torch.testing.assert_close(given[:, :24], x)
    assert not torch.allclose(given[:, 24:48], x)


def test_norms_learn_a_shift_and_no_scale():
    net = fast_small()
    assert sum(shift.numel() for shift in shifts_of(net)) == 2 * sum(WIDTHS)
    scales = [w for name, w in net.named_parameters() if "norm" in name and name.endswith("weight")]
    assert not any(scale.requires_grad for scale in scales)


@pytest.mark.parametrize("side_px", [9, 28, 32, 64, 33])
def test_it_takes_any_small_side(side_px: int):
    assert fast_small(side_px=side_px, widths=(8, 16, 16))(torch.zeros(2, 3, side_px, side_px)).shape == (2, 10)


def test_too_small_pictures_are_refused():
    with pytest.raises(UserError, match="8 px are too few, take 9 or more"):
        fast_small(side_px=8)
