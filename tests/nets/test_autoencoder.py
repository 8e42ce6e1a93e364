"""Pre-training without labels: pictures rebuilt from damaged ones, by weights that a classifier then has."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from winnow.errors import UserError
from winnow.nets.autoencoder import DenoisingAutoencoder, damage, reconstruction_loss
from winnow.nets.fast_small import fast_small
from winnow.nets.mlp import mlp
from winnow.nets.registry import build


def smooth(n: int) -> torch.Tensor:
    """Pictures whose lost pixels can be guessed from their neighbours."""
    torch.manual_seed(0)
    return F.interpolate(torch.randn(n, 3, 4, 4), size=(16, 16), mode="bilinear")


def test_pictures_come_back_in_their_own_shape():
    for name, n_channels, side_px in (("fast-small", 3, 32), ("lenet-5", 1, 32)):
        net = build(name, n_channels=n_channels, side_px=side_px)
        whole = DenoisingAutoencoder(net, n_channels=n_channels, side_px=side_px)
        x = torch.randn(2, n_channels, side_px, side_px)
        assert whole(x).shape == x.shape


def test_the_code_is_the_last_stage_that_gives_maps():
    assert DenoisingAutoencoder(fast_small(), n_channels=3, side_px=32).code == "block3"
    assert DenoisingAutoencoder(build("lenet-5"), n_channels=1, side_px=32).code == "s4"


def test_what_it_learns_is_in_the_network_and_brings_pictures_back():
    torch.manual_seed(0)
    net, x = fast_small(widths=(16, 16, 16), side_px=16), smooth(16)
    whole = DenoisingAutoencoder(net, n_channels=3, side_px=16)
    before = net.get_parameter("stages.block2.conv1.weight").clone()
    optimiser = torch.optim.Adam([w for w in whole.parameters() if w.requires_grad], lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    losses: list[float] = []
    for _ in range(25):
        optimiser.zero_grad()
        loss = reconstruction_loss(whole(damage(x, 0.25, generator)), x)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert not torch.equal(net.get_parameter("stages.block2.conv1.weight"), before)


def test_damage_takes_whole_pixels_and_the_share_that_was_asked_for():
    x = torch.ones(8, 3, 50, 50)
    damaged = damage(x, 0.25, torch.Generator().manual_seed(0))
    assert damaged.unique().tolist() == [0, 1]
    assert torch.equal(damaged[:, 0], damaged[:, 2])
    assert (1 - damaged.mean().item()) == pytest.approx(0.25, abs=0.02)
    assert torch.equal(damage(x, 0.25, torch.Generator().manual_seed(0)), damaged)
    assert torch.equal(damage(x, 0, torch.Generator()), x)


def test_a_share_that_is_none_is_refused():
    with pytest.raises(UserError, match=r"1\.0 is not a share of pixels"):
        damage(torch.ones(1, 1, 2, 2), 1.0, torch.Generator())


def test_rebuilding_all_as_zero_costs_the_variance():
    x = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    assert reconstruction_loss(torch.zeros(2, 2), x).item() == 1


def test_a_network_without_maps_is_refused():
    with pytest.raises(UserError, match="needs a network whose stages give maps; here inputs, hidden1 give rows"):
        DenoisingAutoencoder(mlp(n_classes=10), n_channels=1, side_px=28)


def test_looking_at_shapes_leaves_the_norms_as_they_were():
    net = fast_small()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    DenoisingAutoencoder(net, n_channels=3, side_px=32)
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
