"""Each picture goes its own way, and just as it would go alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as oracle

from winnow.train.augment.geometry import _crop_by_products, _crop_one_by_one, flip_and_shift, resize

N, SIDE = 6, 12


@pytest.fixture
def pixels() -> torch.Tensor:
    """(6, 12, 12, 3) bytes."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (N, SIDE, SIDE, 3), dtype=np.uint8))


def test_flipping_and_shifting_is_padding_cropping_and_mirroring_one_by_one(pixels):
    chance, reach = np.random.default_rng(1), 4
    flips, shifts = chance.random(N) < 0.5, chance.integers(-reach, reach + 1, (N, 2))
    done = flip_and_shift(pixels, torch.from_numpy(flips), torch.from_numpy(shifts)).numpy()
    for i in range(N):
        padded = np.pad(pixels[i].numpy(), ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
        top, left = reach + shifts[i]
        expected = padded[top : top + SIDE, left : left + SIDE]
        assert np.array_equal(done[i], expected[:, ::-1] if flips[i] else expected)


def test_flips_alone_mirror_and_shifts_alone_do_not(pixels):
    flips = torch.tensor([True, False] * (N // 2))
    flipped = flip_and_shift(pixels, flips, None)
    assert torch.equal(flipped[0], pixels[0].flip(1))
    assert torch.equal(flipped[1], pixels[1])
    assert torch.equal(flip_and_shift(pixels, None, torch.zeros(N, 2, dtype=torch.int64)), pixels)
    assert flip_and_shift(pixels, None, None) is pixels


@pytest.mark.parametrize("side_px", [5, 12, 20])
@pytest.mark.parametrize(("crop", "rounding"), [(_crop_by_products, 1e-3), (_crop_one_by_one, 1.0)])
def test_a_crop_of_a_batch_is_the_crop_of_each_picture(pixels, side_px, crop, rounding):
    boxes = torch.tensor([[0, 0, 12, 12], [3, 2, 9, 5], [0, 7, 4, 5], [6, 6, 6, 6], [2, 1, 10, 11], [11, 11, 1, 1]])
    done = crop(pixels, boxes, side_px, None)
    for i, (top, left, height, width) in enumerate(boxes.tolist()):
        one = pixels[i].permute(2, 0, 1).float()
        expected = oracle.resized_crop(one, top, left, height, width, [side_px, side_px], antialias=True)
        assert torch.allclose(done[i].permute(2, 0, 1).float(), expected, rtol=0, atol=rounding)


@pytest.mark.parametrize("crop", [_crop_by_products, _crop_one_by_one])
def test_a_cropped_picture_may_be_mirrored_too(pixels, crop):
    boxes = torch.tensor([[1, 2, 8, 9]] * N)
    flips = torch.tensor([True, False] * (N // 2))
    plain, mirrored = crop(pixels, boxes, 7, None), crop(pixels, boxes, 7, flips)
    assert torch.allclose(mirrored[0], plain[0].flip(1), atol=1e-4)
    assert torch.equal(mirrored[1], plain[1])


@pytest.mark.parametrize("side_px", [5, 8, 18])
def test_a_batch_is_resized_as_pillow_resizes_each_picture(pixels, side_px):
    done = resize(pixels, side_px).numpy()
    for i in range(N):
        expected = Image.fromarray(pixels[i].numpy()).resize((side_px, side_px), Image.Resampling.BILINEAR)
        assert np.abs(done[i].astype(int) - np.asarray(expected).astype(int)).max() <= 1


def test_a_picture_of_the_right_size_is_left_alone(pixels):
    assert resize(pixels, SIDE) is pixels
