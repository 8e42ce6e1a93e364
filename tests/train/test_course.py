"""A network is taught, and what is left of it says the same."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from winnow.graph.runtime import open_graph
from winnow.nets.lenet5 import lenet5
from winnow.nets.net import Net
from winnow.train.augment.colour import Normalisation
from winnow.train.course import (
    Course,
    Lesson,
    ParityError,
    TimeUpError,
    cross_entropy,
    fresh,
    linear_head,
    padded,
    set_linear_head,
    teach,
)
from winnow.train.maps import MapBatches
from winnow.train.optimisers import SGD
from winnow.train.pictures import LabelledPictures
from winnow.train.plan import Plan
from winnow.train.pretraining import pretrain
from winnow.train.schedule import Constant

SIDE_PX = 8


def tiny_net() -> Net:
    stages = {
        "conv": nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU()),
        "pool": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    }
    return Net(stages, nn.Linear(4, 2), dim=4, n_classes=2)


def pictures(n: int = 12) -> LabelledPictures:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    pixels = rng.integers(0, 100, (n, SIDE_PX, SIDE_PX, 3)) + 100 * labels[:, None, None, None]
    return LabelledPictures(pixels.astype(np.uint8), labels.astype(np.int64), n_classes=2)


def course(**changes: object) -> Course:
    plan = Plan(n_epochs=4, optimiser=SGD(lr=0.1), schedule=Constant())
    given = {"net": tiny_net, "plan": plan, "batch_size": 4, "normalisation": Normalisation((0.5,) * 3, (0.5,) * 3)}
    return Course(**{**given, **changes})  # type: ignore[arg-type]


def test_the_graph_tells_what_was_taught():
    given = pictures()
    pixels = np.asarray(given.pixels)
    taught = teach(course(), Lesson(given, seed=0), side_px=SIDE_PX, check=pixels)
    logits = open_graph(taught.graph).run(pixels) @ taught.weights + taught.bias
    assert (logits.argmax(axis=1) == given.targets).all()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    def graph(seed: int) -> bytes:
        given = pictures()
        return teach(course(), Lesson(given, seed), side_px=SIDE_PX, check=np.asarray(given.pixels)).graph

    assert graph(0) == graph(0) != graph(1)


def test_it_takes_the_cores_it_is_allowed_and_gives_them_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.modules[teach.__module__], "cores", lambda: 1)
    taken: list[int] = []
    before = torch.get_num_threads()
    watching = course(prepare=lambda net, lesson: taken.append(torch.get_num_threads()))
    teach(watching, Lesson(pictures(), 0), side_px=SIDE_PX, check=np.asarray(pictures().pixels))
    assert taken == [1]
    assert torch.get_num_threads() == before


def test_no_time_is_no_network():
    with pytest.raises(TimeUpError):
        teach(course(), Lesson(pictures(), 0, left_s=lambda: 0.0), side_px=SIDE_PX, check=np.asarray(pictures().pixels))


def test_both_sides_of_a_picture_answer_alike():
    mirrored = course(is_mirrored=True)
    net = fresh(mirrored, Lesson(pictures(), 0))
    features = mirrored.from_pixels(net.eval())
    seen = torch.from_numpy(np.asarray(pictures().pixels))
    assert torch.allclose(features(seen), features(seen.flip(2)), atol=1e-6)


def test_an_example_of_weight_zero_teaches_nothing():
    given = pictures()
    weights = np.array([1.0] * 4 + [0.0] * 8)
    only_four = LabelledPictures(given.pixels, given.targets, weights=weights, n_classes=2)
    lesson = Lesson(only_four, 0)
    taken = course(batch_size=12)
    net = fresh(taken, lesson).eval()
    (player,) = taken.learner(net).players
    batch = taken.batches(net, lesson).at(0)
    (loss,) = player.losses(batch).values()
    is_kept = batch["weight"] > 0
    assert is_kept.sum() == 4
    expected = cross_entropy()(net(batch["image"][is_kept]), batch["label"][is_kept]).mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_lenets_distances_are_linear_in_what_softmax_sees():
    torch.manual_seed(0)
    net = lenet5().eval()
    x = torch.rand(5, 84) * 3 - 1.5
    weights, bias = linear_head(net)
    with torch.no_grad():
        expected = net.head(x).softmax(1).numpy()
    assert torch.from_numpy(x.numpy() @ weights + bias).softmax(1).numpy() == pytest.approx(expected, abs=1e-5)


def test_a_head_that_is_not_linear_is_refused():
    net = tiny_net()
    net.head = nn.Sequential(nn.Linear(4, 2), nn.Tanh())
    with pytest.raises(ParityError, match="not linear"):
        linear_head(net)


def test_a_head_starts_where_it_is_told():
    net = tiny_net()
    weights, bias = np.arange(8, dtype=np.float32).reshape(2, 4), np.array([1, -1], dtype=np.float32)
    set_linear_head(net, weights, bias)
    assert net.head(torch.ones(1, 4)).tolist() == [[0 + 1 + 2 + 3 + 1, 4 + 5 + 6 + 7 - 1]]


def test_a_padded_picture_has_black_around():
    x = torch.full((1, 1, 2, 2), 5.0)
    assert padded(x, 1, [-0.5])[0, 0].tolist() == [[-0.5] * 4, [-0.5, 5, 5, -0.5], [-0.5, 5, 5, -0.5], [-0.5] * 4]


def test_maps_come_with_their_labels_in_an_order_of_the_seed():
    given = pictures()
    maps = given.targets[:, None].astype(np.float32)
    batches = MapBatches(maps, given, 4, seed=0, device=torch.device("cpu"))
    assert len(batches) == 3
    batch = batches.at(5)
    assert batch["image"][:, 0].tolist() == batch["label"].tolist()
    ahead = batches.from_step(5)
    assert torch.equal(next(ahead)["label"], batch["label"])
    ahead.close()


def test_pre_training_changes_the_stages_and_goes_on_to_the_same_bits(tmp_path: Path):
    def stages(folder: Path | None, **changes: object) -> dict[str, torch.Tensor]:
        lesson = Lesson(pictures(), 0, folder, **changes)  # type: ignore[arg-type]
        net = fresh(course(), lesson)
        pretrain(course(), net, lesson, n_epochs=2)
        return {name: weight.clone() for name, weight in net.state_dict().items()}

    before = fresh(course(), Lesson(pictures(), 0)).state_dict()
    whole = stages(None)
    assert not torch.equal(whole["stages.conv.0.weight"], before["stages.conv.0.weight"])
    assert torch.equal(whole["head.weight"], before["head.weight"])
    left = iter([1.0] * 4 + [0.0] * 100)
    with pytest.raises(TimeUpError):
        stages(tmp_path, left_s=lambda: next(left))
    resumed = stages(tmp_path)
    assert all(torch.equal(resumed[name], weight) for name, weight in whole.items())
