"""Bytes to floats, colours and holes, compared with torchvision and with slow loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from winnow.train.augment import colour
from winnow.train.augment.colour import Normalisation, cut_out


@pytest.fixture
def pixels() -> torch.Tensor:
    """(5, 8, 8, 3) bytes, none so bright or dark that brightness times 1.3 would leave the range."""
    return torch.from_numpy(np.random.default_rng(0).integers(60, 150, (5, 8, 8, 3), dtype=np.uint8))


def planes(pixels: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) in 0..1."""
    return pixels.permute(0, 3, 1, 2).float() / 255


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_bytes_become_what_a_network_expects(pixels):
    done = Normalisation(MEAN, STD).of(pixels)
    assert torch.allclose(done, oracle.normalize(planes(pixels), list(MEAN), list(STD)), atol=1e-5)
    assert done.dtype == torch.float32


@pytest.mark.parametrize("factors", [None, torch.rand(5, 3, generator=torch.Generator().manual_seed(0))])
def test_a_few_at_once_are_as_all_at_once(pixels, factors, monkeypatch):
    expected = Normalisation(MEAN, STD).of(pixels, factors)
    monkeypatch.setattr(colour, "_CACHED_PIXELS", 2 * 64)
    assert torch.allclose(Normalisation(MEAN, STD).of(pixels, factors), expected, atol=1e-6)


def test_one_channel_is_grey(pixels):
    done = Normalisation((0.5,), (0.25,)).of(pixels)
    assert done.shape == (5, 1, 8, 8)
    assert torch.allclose(done, (oracle.rgb_to_grayscale(planes(pixels)) - 0.5) / 0.25, atol=2e-3)


def test_the_bytes_themselves_stay_as_they_are(pixels):
    before = pixels.clone()
    floats = pixels.float()
    for x in (pixels, floats):
        Normalisation().of(x)
        assert torch.equal(x, before.to(x.dtype))


@pytest.mark.parametrize("mean", [(0.5, 0.5), (0.5,)])
def test_channels_that_do_not_fit_are_refused(mean):
    with pytest.raises(ValueError, match="channels"):
        Normalisation(mean, (1.0, 1.0))


@pytest.mark.parametrize("is_grey", [False, True])
def test_each_picture_gets_its_own_brightness_contrast_and_saturation(pixels, is_grey):
    normal = Normalisation((0.5,), (0.25,)) if is_grey else Normalisation(MEAN, STD)
    factors = torch.tensor([[1.0, 1.0, 1.0], [0.6, 1.0, 1.0], [1.0, 1.4, 1.0], [1.0, 1.0, 0.0], [1.3, 0.7, 1.5]])
    done = normal.of(pixels, factors)
    for i, (brightness, contrast, saturation) in enumerate(factors.tolist()):
        one = oracle.adjust_brightness(planes(pixels)[i], brightness)
        one = oracle.adjust_saturation(oracle.adjust_contrast(one, contrast), saturation)
        one = oracle.rgb_to_grayscale(one) if is_grey else one
        # torchvision's luma has four digits: 0.2989.
        assert torch.allclose(done[i], oracle.normalize(one, list(normal.mean), list(normal.std)), atol=5e-3)
    assert torch.allclose(done[0], normal.of(pixels)[0], atol=1e-5)


def test_a_hole_is_a_square_around_its_centre_cut_off_at_the_edges():
    centres = torch.tensor([[4, 4], [0, 7], [7, 2]])
    done = cut_out(torch.ones(3, 2, 8, 8), centres, 4)
    for i, (row, column) in enumerate(centres.tolist()):
        expected = torch.ones(2, 8, 8)
        expected[:, max(row - 2, 0) : row + 2, max(column - 2, 0) : column + 2] = 0
        assert torch.equal(done[i], expected)
