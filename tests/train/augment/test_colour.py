"""Bytes to floats, colours and holes, compared with torchvision and with slow loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from winnow.train.augment.colour import Normalisation, cut_out, jitter


@pytest.fixture
def pixels() -> torch.Tensor:
    """(5, 3, 8, 8) bytes."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8))


def test_bytes_become_what_a_network_expects(pixels):
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    done = Normalisation(mean, std).of(pixels)
    assert torch.allclose(done, oracle.normalize(pixels.float() / 255, list(mean), list(std)), atol=1e-5)
    assert done.dtype == torch.float32
    assert done.is_contiguous(memory_format=torch.channels_last)


def test_one_channel_is_grey(pixels):
    done = Normalisation((0.5,), (0.25,)).of(pixels)
    assert done.shape == (5, 1, 8, 8)
    assert torch.allclose(done, (oracle.rgb_to_grayscale(pixels.float() / 255) - 0.5) / 0.25, atol=1e-3)


def test_the_bytes_themselves_stay_as_they_are(pixels):
    before = pixels.clone()
    Normalisation().of(pixels)
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("mean", [(0.5, 0.5), (0.5,)])
def test_channels_that_do_not_fit_are_refused(mean):
    with pytest.raises(ValueError, match="channels"):
        Normalisation(mean, (1.0, 1.0))


def test_each_picture_gets_its_own_brightness_contrast_and_saturation(pixels):
    x = pixels.float() / 255
    factors = torch.tensor([[1.0, 1.0, 1.0], [0.6, 1.0, 1.0], [1.0, 1.4, 1.0], [1.0, 1.0, 0.0], [1.3, 0.7, 1.5]])
    done = jitter(x, factors)
    for i, (brightness, contrast, saturation) in enumerate(factors.tolist()):
        one = oracle.adjust_brightness(x[i], brightness)
        one = oracle.adjust_saturation(oracle.adjust_contrast(one, contrast), saturation)
        assert torch.allclose(done[i], one, atol=2e-3)  # torchvision's luma has four digits: 0.2989
    assert torch.allclose(done[0], x[0], atol=1e-6)


def test_a_hole_is_a_square_around_its_centre_cut_off_at_the_edges():
    centres = torch.tensor([[4, 4], [0, 7], [7, 2]])
    done = cut_out(torch.ones(3, 2, 8, 8), centres, 4)
    for i, (row, column) in enumerate(centres.tolist()):
        expected = torch.ones(2, 8, 8)
        expected[:, max(row - 2, 0) : row + 2, max(column - 2, 0) : column + 2] = 0
        assert torch.equal(done[i], expected)
