"""Near-duplicates: copies are found whatever was done to them, different pictures are left apart."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from winnow.data.alignment import aligned_similarity
from winnow.data.hash_rows import HashRows
from winnow.data.near_duplicates import near_duplicate_pairs
from winnow.data.neighbours import Neighbourhood
from winnow.data.phash import LENGTH, phash
from winnow.data.splits import clusters
from winnow.data.strangeness import strangeness

from .pictures import noise

Change = Callable[[Image.Image], Image.Image]


def as_jpeg(image: Image.Image, quality: int, kind: str = "JPEG") -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


def framed(image: Image.Image) -> Image.Image:
    frame = Image.new("RGB", (image.width + 6, image.height + 6), (255, 255, 255))
    frame.paste(image, (3, 3))
    return frame


def with_logo(image: Image.Image) -> Image.Image:
    image = image.copy()
    width, height = image.size
    ImageDraw.Draw(image).rectangle((0.83 * width, 0.85 * height, 0.96 * width, 0.94 * height), fill=(255, 255, 255))
    return image


CHANGES: dict[str, Change] = {
    "jpeg": lambda image: as_jpeg(image, 30),
    "webp": lambda image: as_jpeg(image, 50, "WEBP"),
    "half": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC),
    "double": lambda image: image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC),
    "crop": lambda image: cropped(image, 0.04, 0.01, 0.02, 0.03),
    "brightness": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.6),
    "gamma": lambda image: image.point([round(255 * (i / 255) ** 0.7) for i in range(256)] * 3),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "frame": framed,
    "logo": with_logo,
    "turn": lambda image: image.rotate(1.5, Image.Resampling.BICUBIC),
    "mirror": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "mirrored crop": lambda image: cropped(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 0.02, 0.03, 0.01, 0.02),
}


def hashes(images: list[Image.Image]) -> list[bytes]:
    return [phash(np.asarray(image)) for image in images]


def random_hashes(n: int, seed: int = 0) -> list[bytes]:
    values = np.random.default_rng(seed).normal(0, 12, (n, LENGTH))
    return [row.tobytes() for row in np.rint(values).clip(-127, 127).astype(np.int8)]


@pytest.fixture(scope="module")
def photographs(test_data: Path) -> list[Image.Image]:
    """Of animals, odd ones of those that the thresholds were not chosen on."""
    files = sorted((test_data / "cats-dogs/test").glob("*/*.jpg"))[1::8]
    return [Image.open(file).convert("RGB") for file in files]


@pytest.fixture(scope="module")
def originals(photographs: list[Image.Image]) -> list[bytes]:
    return hashes(photographs)


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_of_photographs_are_found_and_nothing_else(change, photographs, originals):
    n = len(photographs)
    found = near_duplicate_pairs([*originals, *hashes([CHANGES[change](image) for image in photographs])])
    pairs = {tuple(pair) for pair in found.pairs.tolist()}
    assert len(pairs & {(i, n + i) for i in range(n)}) >= 0.95 * n
    assert all(j - i == n for i, j in pairs)
    assert (found.is_mirrored.mean() > 0.9) == ("mirror" in change)


def test_different_photographs_are_no_near_duplicates(originals):
    assert len(near_duplicate_pairs(originals)) == 0


def test_digits_of_different_hands_are_different_pictures(test_data):
    data = gzip.decompress(next((test_data / "mnist").glob("train-images*")).read_bytes())
    digits = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28)[:3000]
    found = near_duplicate_pairs([phash(np.repeat(digit[..., None], 3, 2)) for digit in digits])
    _, sizes = np.unique(clusters([str(i) for i in range(3000)], [None] * 3000, found.pairs), return_counts=True)
    assert sizes.max() <= 3
    assert len(found) <= 30


def test_two_horizons_are_not_one_picture():
    # Sky above, ground below, and different clouds: as wholes they agree.
    views = []
    for seed in range(40):
        clouds = np.asarray(Image.fromarray(noise(seed, 8, 8)).resize((64, 64), Image.Resampling.BICUBIC), float)
        ground = np.where(np.arange(64) < 32, 190, 60)[:, None, None]
        views.append(Image.fromarray((ground + 0.2 * (clouds - 128)).clip(0, 255).astype(np.uint8)))
    a, b = (np.asarray(view, float).ravel() - np.asarray(view).mean() for view in views[:2])
    assert a @ b / np.sqrt(a @ a * (b @ b)) > 0.7
    assert len(near_duplicate_pairs(hashes(views))) == 0


def test_blank_pictures_are_like_nothing():
    found = near_duplicate_pairs([b"", *random_hashes(2), b"", b""])
    assert len(found) == 0


def test_equal_hashes_are_pairs_with_the_first_of_them():
    one, other = random_hashes(2)
    found = near_duplicate_pairs([b"", one, other, one, b"", one])
    assert found.pairs.tolist() == [[1, 3], [1, 5]]
    assert found.similarities.tolist() == [1, 1]
    assert not found.is_mirrored.any()


@pytest.mark.parametrize("few", [[], [b""], random_hashes(1)])
def test_there_is_no_pair_in_fewer_than_two(few):
    assert near_duplicate_pairs(few).pairs.shape == (0, 2)


def test_many_copies_of_one_picture_are_all_connected():
    image = Image.fromarray(noise(7, 9, 9)).resize((96, 96), Image.Resampling.BICUBIC)
    copies = hashes([as_jpeg(image, quality) for quality in range(30, 70)])
    both = [*random_hashes(400), *copies]
    ids = clusters([str(i) for i in range(440)], [None] * 440, near_duplicate_pairs(both).pairs)
    assert len(set(ids[400:].tolist())) == 1
    assert len(set(ids.tolist())) == 401


def test_the_same_pictures_give_the_same_pairs():
    some = [*random_hashes(5000), *random_hashes(50)]
    first, second = near_duplicate_pairs(some), near_duplicate_pairs(some)
    assert np.array_equal(first.pairs, second.pairs)
    assert np.array_equal(first.similarities, second.similarities)
    assert len(first) == 50


def test_a_picture_laid_upon_its_crop_agrees_and_upon_another_does_not():
    image = Image.fromarray(noise(3, 9, 9)).resize((96, 96), Image.Resampling.BICUBIC)
    other = Image.fromarray(noise(4, 9, 9)).resize((96, 96), Image.Resampling.BICUBIC)
    three = [np.frombuffer(one, np.int8) for one in hashes([image, cropped(image, 0.04, 0, 0, 0.04), other])]
    tolerance = np.full(3, 0.05)
    alike = aligned_similarity(np.array([three[0]] * 3), np.array(three), tolerance)
    assert alike[0] == pytest.approx(1, abs=1e-3)
    assert alike[1] > 0.97
    assert alike[2] == 0
    assert three[0] @ three[1].astype(float) < 0.9 * (three[0] @ three[0].astype(float))  # without laying upon


def unit_rows(n: int, dim: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_neighbours_of_few_rows_are_those_that_a_plain_loop_finds():
    rows, signs = unit_rows(200, 8), np.array([1, -1] * 4, np.float32)
    near = Neighbourhood(rows, signs).nearest(np.full(200, 0.5, np.float32), 3)
    expected = []
    for i in range(200):
        likeness = np.concatenate([rows @ rows[i], (rows * signs) @ rows[i]])
        likeness[[i, 200 + i]] = -1
        best = np.argsort(-likeness, kind="stable")[:3]
        expected += [(i, j % 200, j >= 200) for j in best.tolist() if likeness[j] > 0.5]
    assert list(zip(near.rows.tolist(), near.others.tolist(), near.is_mirrored.tolist(), strict=True)) == expected


def test_the_neighbours_of_some_rows_are_those_that_they_have_among_all():
    rows, signs, floors = unit_rows(5000, 6), np.array([1, -1] * 3, np.float32), np.full(5000, 0.9, np.float32)
    near = Neighbourhood(rows, signs).nearest(floors, 3)
    some = np.arange(0, 5000, 7)
    near_some, expected = Neighbourhood(rows, signs).nearest(floors, 3, some), near[np.isin(near.rows, some)]
    assert len(expected.rows) > 1000
    assert np.array_equal(near_some.rows, expected.rows)
    assert np.array_equal(near_some.others, expected.others)
    assert np.array_equal(near_some.is_mirrored, expected.is_mirrored)


def test_strangers_are_as_strange_as_the_sixth_nearest_of_the_cohort_mirrored_or_not():
    rows, signs = unit_rows(3000, 8), np.array([1, -1] * 4, np.float32)
    cohort = rows[np.random.default_rng(0).permutation(3000)[:2000]]
    likeness = np.maximum(rows @ cohort.T, (rows * signs) @ cohort.T)
    assert strangeness(rows, signs) == pytest.approx(1 - np.sort(likeness, axis=1)[:, -6], abs=1e-6)


def test_copies_in_the_cohort_are_no_strangers():
    rows = unit_rows(1000, 8)
    rows[:20] = rows[0]
    signs = np.ones(8, np.float32)
    likeness = np.sort(rows @ rows[0])
    assert strangeness(rows, signs)[0] == pytest.approx(1 - likeness[-21], abs=1e-6)


def test_hashes_are_read_from_a_column_in_pieces_as_from_a_list():
    some = [b"", *random_hashes(3), b"", random_hashes(1)[0], *random_hashes(2, seed=1)]
    pieces = pa.chunked_array([pa.array(some[:2], pa.binary()), pa.array(some, pa.binary()).slice(2)])
    rows = HashRows(pieces)
    assert rows.places.tolist() == HashRows(some).places.tolist() == [1, 2, 3, 5, 6, 7]
    ids = np.array([4, 0, 3])
    assert [row.tobytes() for row in rows.of(ids)] == [some[6], some[1], some[5]]
    assert [row.tobytes() for row in rows.chosen(ids).of(np.array([2]))] == [some[5]]
    first, copies = rows.equal()
    assert (first.tolist(), copies.tolist()) == ([0, 1, 2, 4, 5], [[0, 3]])


def test_neighbours_of_many_rows_are_nearly_all_found():
    rows = unit_rows(10_000, 36)
    moved = rows[:500] + 0.05 * np.random.default_rng(1).normal(size=(500, 36)).astype(np.float32)
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    signs = np.ones(36, np.float32)
    everything = np.concatenate([rows, moved])
    near = Neighbourhood(everything, signs).nearest(np.full(len(everything), 0.8, np.float32), 4)
    pairs = {tuple(sorted(pair)) for pair in zip(near.rows.tolist(), near.others.tolist(), strict=True)}
    assert sum((i, 10_000 + i) in pairs for i in range(500)) >= 490
