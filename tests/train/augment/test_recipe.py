"""What is drawn for a step depends on the seed and the step, and has the distribution that it promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import RandomResizedCrop

from winnow.train.augment.colour import Normalisation
from winnow.train.augment.recipe import Augmentation, change, draw, photographs, small_pictures
from winnow.train.order import Chosen

EVERYTHING = Augmentation(
    flip="random", crop_area=(0.3, 1), brightness=0.2, contrast=0.2, saturation=0.2, cutout_px=4, cutmix_alpha=1.0
)


def chosen(n: int, epoch: int = 0) -> Chosen:
    """Examples 0..n - 1, all of one epoch."""
    return Chosen(np.arange(n), np.full(n, epoch))


def test_half_of_the_pictures_are_flipped_by_chance():
    drawn = draw(Augmentation(flip="random"), chosen(4000), 32, 32, seed=0, step=0)
    assert drawn.flips is not None
    assert drawn.flips.mean() == pytest.approx(0.5, abs=0.03)


def test_alternating_flips_show_both_sides_of_every_picture_in_two_epochs():
    flips = [draw(Augmentation(flip="alternating"), chosen(4000, e), 32, 32, seed=3, step=e).flips for e in range(4)]
    assert np.array_equal(flips[0], ~flips[1])
    assert np.array_equal(flips[0], flips[2])
    assert np.array_equal(flips[1], flips[3])
    assert flips[0].mean() == pytest.approx(0.5, abs=0.03)
    # Neighbours are independent: equal sides half of the time, at any distance.
    assert [(flips[0][d:] == flips[0][:-d]).mean() for d in (1, 2, 8)] == pytest.approx([0.5] * 3, abs=0.03)


def test_shifts_reach_every_place_equally_often():
    shifts = draw(Augmentation(shift_px=2), chosen(25_000), 32, 32, seed=0, step=0).shifts
    assert shifts is not None
    counts = np.unique(shifts, axis=0, return_counts=True)[1]
    assert len(counts) == 25
    assert counts == pytest.approx(np.full(25, 1000), abs=130)  # four standard deviations


def test_boxes_are_distributed_like_torchvisions():
    boxes = draw(Augmentation(crop_area=(0.08, 1.0)), chosen(3000), 64, 64, seed=0, step=0).boxes
    assert boxes is not None
    torch.manual_seed(0)
    theirs = RandomResizedCrop(64)
    picture = torch.zeros(3, 64, 64)
    drawn = [theirs.make_params([picture]) for _ in range(3000)]
    expected = np.array([[one["top"], one["left"], one["height"], one["width"]] for one in drawn])
    for quantile in (0.1, 0.5, 0.9):
        assert np.quantile(boxes, quantile, axis=0) == pytest.approx(np.quantile(expected, quantile, axis=0), abs=3)
    assert (boxes[:, :2] + boxes[:, 2:]).max() <= 64
    assert boxes[:, 2:].min() >= 1


def test_a_step_is_drawn_alike_every_time_and_unlike_the_next():
    first, again, other = (draw(EVERYTHING, chosen(8), 32, 32, seed=1, step=step) for step in (5, 5, 6))
    assert first.boxes is not None
    assert np.array_equal(first.boxes, again.boxes)
    assert np.array_equal(first.mix.partners, again.mix.partners)
    assert not np.array_equal(first.boxes, other.boxes)


@pytest.mark.parametrize("augmentation", [EVERYTHING, Augmentation(flip="alternating", shift_px=3, cutout_px=4)])
def test_some_pictures_of_a_batch_change_as_they_do_among_all(augmentation):
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8))
    drawn = draw(augmentation, chosen(8), 16, 12, seed=0, step=0)
    whole = change(augmentation, pixels, drawn, np.arange(8), 12, Normalisation())
    rows = np.array([6, 1, 3])
    part = change(augmentation, pixels[rows], drawn, rows, 12, Normalisation())
    assert torch.allclose(part, whole[rows], atol=1e-6)
    assert whole.shape == (8, 3, 12, 12)


def test_no_augmentation_is_normalisation_alone():
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8))
    drawn = draw(Augmentation(), chosen(3), 8, 8, seed=0, step=0)
    done = change(Augmentation(), pixels, drawn, np.arange(3), 8, Normalisation())
    assert torch.allclose(done, pixels.permute(0, 3, 1, 2) / 255)


def test_colours_stay_within_the_strength():
    factors = draw(Augmentation(brightness=0.2, saturation=0.5), chosen(3000), 8, 8, seed=0, step=0).factors
    assert factors is not None
    assert factors.min(0) == pytest.approx([0.8, 1.0, 0.5], abs=0.01)
    assert factors.max(0) == pytest.approx([1.2, 1.0, 1.5], abs=0.01)


def test_what_reads_from_left_to_right_is_never_mirrored():
    assert small_pictures(28, flip=False).flip == photographs(flip=False).flip == "none"
    assert small_pictures(32, flip=True) == Augmentation(flip="alternating", shift_px=2)


@pytest.mark.parametrize(
    "settings", [{"shift_px": 2, "crop_area": (0.5, 1)}, {"crop_area": (0.0, 1.0)}, {"cutout_px": -1}, {"contrast": 2}]
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"give one|no range|strength"):
        Augmentation(**settings)
