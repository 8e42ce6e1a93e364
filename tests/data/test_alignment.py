"""Laying pictures upon each other: what a step explains, and who is given up."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.data.alignment import aligned_similarity
from winnow.data.canvas import canvas_of_whole, canvas_within
from winnow.data.phash import FREQUENCIES, LENGTH
from winnow.data.template import Template, normalised


def photographs(n: int, seed: int = 0) -> np.ndarray:
    """Hashes such as natural pictures have: all waves about equally large."""
    return np.random.default_rng(seed).normal(0, 25, (n, LENGTH)).clip(-127, 127).astype(np.int8)


@pytest.mark.parametrize("canvas", [canvas_within(8.0, 8), canvas_of_whole(4.0, 12)])
def test_a_step_goes_where_the_least_squares_are(canvas):
    template = Template(canvas, photographs(20).astype(np.float32))
    error = np.random.default_rng(1).normal(0, 0.02, (20, canvas.points)).astype(np.float32)
    moves = template.step(error.copy())
    directions = np.stack(
        [template.change(np.eye(8, dtype=np.float32)[:, k : k + 1].repeat(20, 1)) for k in range(8)], 1
    )
    # How much the fit is held back: unusual warps cost, contrast and brightness next to nothing.
    stretch, shift = 0.5 * (0.15 / 0.04) ** 2, (0.15 / 0.04) ** 2
    held = np.array([stretch, stretch, shift, stretch, stretch, shift, 0, 0]) + 1e-6
    for picture in range(20):
        across = directions[picture].astype(float)
        expected = np.linalg.solve(across @ across.T + np.diag(held), across @ error[picture])
        assert moves[:, picture] == pytest.approx(expected, abs=1e-5)


def test_a_step_explains_most_of_a_small_change():
    canvas = canvas_within(8.0, 8)
    template = Template(canvas, photographs(50).astype(np.float32))
    moves = np.zeros((8, 50), dtype=np.float32)
    moves[2], moves[5], moves[6] = 0.01, -0.01, 0.1
    error = template.change(moves)
    left = error - template.change(template.step(error))
    assert (left**2).sum() < 0.1 * (error**2).sum()


def test_points_of_a_canvas_lie_in_16_equal_parts_off_the_edge():
    for canvas in (canvas_within(8.0, 8), canvas_within(10.0, 12)):
        assert canvas.parts.sum(0).tolist() == [canvas.points / 16] * 16
        assert np.abs(canvas.grid[:2]).max() < 0.44
    assert canvas_of_whole(10.0, 24).points == 22**2


def test_normalised_pictures_have_no_mean_and_length_1():
    rows = np.random.default_rng(0).normal(3, 2, (5, 40)).astype(np.float32)
    weights = (np.arange(40) % 3 > 0).astype(np.float32) * np.ones((5, 1), dtype=np.float32)
    for plain, weight in ((normalised(rows), np.ones_like(rows)), (normalised(rows, weights), weights)):
        assert (plain * weight).sum(1) == pytest.approx(0, abs=1e-5)
        assert (plain**2 * weight).sum(1) == pytest.approx(1, abs=1e-5)


def test_strangers_are_given_up_and_copies_are_not_however_little_they_may_stray():
    first, noise = photographs(300), np.random.default_rng(2).integers(-1, 2, (300, LENGTH))
    copies = (first + noise).clip(-127, 127).astype(np.int8)
    tolerance = np.full(300, 0.05)
    assert (aligned_similarity(first, photographs(300, seed=3), tolerance) == 0).all()
    assert (aligned_similarity(first, copies, tolerance) > 0.98).all()
    assert (aligned_similarity(first, copies, np.full(300, 0.002)) > 0.98).all()


def test_fine_waves_that_one_picture_lacks_do_not_count():
    first = photographs(100)
    tiny = np.where(FREQUENCIES < 7, first, 0).astype(np.int8)
    tiny_waves = aligned_similarity(first, tiny, np.full(100, 0.05))
    assert np.median(tiny_waves) > 0.95
