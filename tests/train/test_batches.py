"""A batch is a pure function of (seed, step), whoever reads it, however many share it."""

from __future__ import annotations

import itertools
import threading
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from winnow.errors import BadDataError, UserError
from winnow.train.augment.colour import Normalisation
from winnow.train.augment.recipe import Augmentation
from winnow.train.batch import Batch, Batches
from winnow.train.batches import PictureBatches, one_pass, rising_sides
from winnow.train.pictures import LabelledPictures

N, SIDE = 20, 12
MIXING = Augmentation(flip="random", shift_px=2, cutout_px=4, mixup_alpha=0.4, cutmix_alpha=1.0)


@dataclass
class OneOf:
    """A process of a group that never has to speak to the others."""

    rank: int
    size: int

    def mean(self, tensors):
        """Nothing is averaged here."""

    def any(self, flag):
        """Nobody else is asked."""
        return flag


@pytest.fixture
def pictures() -> LabelledPictures:
    """Twenty pictures of noise in three classes, each with its number in its first pixel."""
    pixels = np.random.default_rng(0).integers(0, 256, (N, SIDE, SIDE, 3), dtype=np.uint8)
    pixels[:, 0, 0] = np.arange(N)[:, None]
    keys = [f"picture-{i}" for i in range(N)]
    return LabelledPictures(pixels, np.arange(N) % 3, keys=keys, n_classes=3)


def same(one: Batch, other: Batch) -> bool:
    """Whether two batches are equal to the bit."""
    equal = [torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors]
    return all(equal) and one.tensors.keys() == other.tensors.keys() and one.keys == other.keys


def numbers(batch: Batch) -> list[int]:
    """Which pictures a batch shows, where they are not changed."""
    return (batch["image"][:, 0, 0, 0] * 255).round().int().tolist()


def test_a_batch_shows_its_pictures_with_their_labels_and_names(pictures):
    batch = PictureBatches(pictures, 6, seed=0).at(2)
    shown = numbers(batch)
    assert len(set(shown)) == 6
    assert batch["label"].tolist() == [i % 3 for i in shown]
    assert batch.keys == tuple(f"picture-{i}" for i in shown)
    expected = torch.from_numpy(pictures.pixels[shown]).permute(0, 3, 1, 2) / 255
    assert torch.allclose(batch["image"], expected)


def test_the_loop_can_take_them(pictures):
    batches: Batches = PictureBatches(pictures, 6, seed=0)
    assert len(batches) == 4


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_any_step_is_the_same_with_any_number_of_workers(pictures, workers):
    batches = PictureBatches(pictures, 6, seed=4, augmentation=MIXING, workers=workers)
    fresh = PictureBatches(pictures, 6, seed=4, augmentation=MIXING)
    for step, batch in zip(range(5, 11), batches.from_step(5), strict=False):
        assert same(batch, fresh.at(step))
    assert not same(fresh.at(5), fresh.at(6))


def test_workers_read_a_little_ahead_and_stop_when_closed(pictures):
    read = []
    batches = PictureBatches(pictures, 4, seed=0, workers=2)
    plain = batches._read
    batches._read = lambda step: read.append(step) or plain(step)
    before = threading.active_count()
    stream = batches.from_step(0)
    next(stream)
    stream.close()
    assert len(read) <= 5
    assert threading.active_count() <= before + 2  # those that were reading may still be on their way out


@pytest.mark.parametrize("augmentation", [Augmentation(flip="alternating", shift_px=2), MIXING])
@pytest.mark.parametrize("n_ranks", [2, 3])
def test_the_shares_of_all_processes_are_the_batch_of_one(pictures, augmentation, n_ranks):
    weighted = LabelledPictures(
        pictures.pixels, pictures.targets, None, np.linspace(0.1, 2, N), pictures.keys, n_classes=3
    )
    whole = PictureBatches(weighted, 8, seed=1, augmentation=augmentation).at(3)
    for rank in range(n_ranks):
        group = OneOf(rank, n_ranks)
        share = PictureBatches(weighted, 8, seed=1, augmentation=augmentation, group=group).at(3)
        assert share.keys == whole.keys[rank::n_ranks]
        assert share.weights == whole.weights[rank::n_ranks]
        for name in ("image", "label", "weight"):
            assert torch.allclose(share[name], whole[name][rank::n_ranks], atol=1e-6)


def test_mixing_is_what_it_says_for_each_picture(pictures):
    plain = PictureBatches(pictures, 8, seed=0).at(0)
    batches = PictureBatches(pictures, 8, seed=0, augmentation=Augmentation(mixup_alpha=1.0))
    batch, mix = batches.at(0), batches._read(0).drawn.mix
    for i, (partner, own) in enumerate(zip(mix.partners, mix.own.tolist(), strict=True)):
        expected = own * plain["image"][i] + (1 - own) * plain["image"][partner]
        assert torch.allclose(batch["image"][i], expected, atol=1e-6)
        target = torch.zeros(3)
        target[plain["label"][i]] += own
        target[plain["label"][partner]] += 1 - own
        assert torch.allclose(batch["label"][i], target, atol=1e-6)


def test_a_fold_shares_the_pictures_and_keeps_to_its_own(pictures):
    fold = pictures.subset(np.array([3, 5, 7, 11])).subset(np.array([1, 2, 3]))
    assert fold.pixels is pictures.pixels
    shown = {i for step in range(4) for i in numbers(PictureBatches(fold, 2, seed=0).at(step))}
    assert shown == {5, 7, 11}
    assert list(fold.keys) == ["picture-5", "picture-7", "picture-11"]


def test_weights_go_with_their_pictures(pictures):
    weights = np.arange(N) / 10
    weighted = LabelledPictures(pictures.pixels, pictures.targets, weights=weights)
    batch = PictureBatches(weighted, 5, seed=0).at(0)
    assert batch.weights == pytest.approx(weights[numbers(batch)])
    assert batch["weight"].tolist() == pytest.approx(weights[numbers(batch)])
    assert batch.weight == pytest.approx(weights[numbers(batch)].sum())


def test_several_labels_and_soft_labels_are_kept_as_they_are(pictures):
    targets = np.random.default_rng(0).random((N, 4)).astype(np.float32)
    batch = PictureBatches(LabelledPictures(pictures.pixels, targets), 5, seed=0).at(0)
    assert np.array_equal(batch["label"].numpy(), targets[numbers(batch)])


def test_pictures_grow_with_the_epochs(pictures):
    batches = PictureBatches(pictures, 10, seed=0, sides_px=(6, 8, 12), augmentation=MIXING)
    assert [batches.at(step)["image"].shape[-1] for step in range(8)] == [6, 6, 8, 8, 12, 12, 12, 12]


def test_rising_sides_end_at_the_last():
    assert rising_sides(128, 224, 8) == (128, 128, 160, 160, 192, 192, 224, 224)
    assert rising_sides(100, 224, 2) == (160, 224)
    assert rising_sides(96, 224, 1) == (224,)
    assert rising_sides(224, 224, 3) == (224, 224, 224)


def test_a_pass_shows_all_once_in_order(pictures):
    batches = list(one_pass(pictures, 8, normalisation=Normalisation()))
    assert [len(batch) for batch in batches] == [8, 8, 4]
    assert list(itertools.chain(*map(numbers, batches))) == list(range(N))
    assert [key for batch in batches for key in batch.keys] == list(pictures.keys)
    assert next(iter(one_pass(pictures, 8, side_px=6)))["image"].shape == (8, 3, 6, 6)


def test_only_a_batchs_own_rows_are_ever_in_memory(tmp_path):
    shape = (5_000, 32, 32, 3)
    pixels = np.lib.format.open_memmap(tmp_path / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
    batches = PictureBatches(LabelledPictures(pixels, np.zeros(5_000, dtype=np.int64)), 64, seed=0, workers=2)
    tracemalloc.start()
    try:
        for _ in zip(range(8), batches.from_step(0), strict=False):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000  # of 15 MB


def test_pictures_in_the_devices_memory_give_the_same_batches(pictures):
    held = pictures.on(torch.device("cpu"))
    assert isinstance(held.pixels, torch.Tensor)
    ours, theirs = (PictureBatches(one, 6, seed=0, augmentation=MIXING) for one in (held, pictures))
    assert same(ours.at(3), theirs.at(3))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pixels": np.zeros((4, 8, 8, 3), dtype=np.float32)}, "uint8"),
        ({"pixels": np.zeros((4, 8, 6, 3), dtype=np.uint8)}, "side, side"),
        ({"targets": np.zeros(5, dtype=np.int64)}, "as many"),
        ({"weights": np.ones(3)}, "as many"),
        ({"places": np.array([0, 1, 2, 4])}, "outside"),
        ({"targets": np.zeros(4)}, "integers"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, says):
    good = {"pixels": np.zeros((4, 8, 8, 3), dtype=np.uint8), "targets": np.zeros(4, dtype=np.int64)}
    with pytest.raises(BadDataError, match=says):
        LabelledPictures(**{**good, **change})


def test_mixing_without_knowing_the_classes_is_refused(pictures):
    unknown = LabelledPictures(pictures.pixels, pictures.targets)
    with pytest.raises(UserError, match="n_classes"):
        PictureBatches(unknown, 4, seed=0, augmentation=MIXING)


def test_a_batch_smaller_than_the_processes_is_refused(pictures):
    with pytest.raises(UserError, match="larger"):
        PictureBatches(pictures, 1, seed=0, group=OneOf(0, 2))
