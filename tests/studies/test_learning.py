"""What studies learn from, and how."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from winnow.errors import BadDataError
from winnow.nets.mlp import dense_net
from winnow.studies.learning import Dealt, Fitted, accuracy, deal, fit
from winnow.studies.pictures import StudyPictures, digits
from winnow.studies.plain_nets import deep_mlp, plain_convnet, with_dropout
from winnow.studies.two_halves import begun, fresh, halves, teach
from winnow.train.optimisers import SGD


def test_a_third_of_each_digit_is_judged_and_the_rest_is_learned_from():
    pictures = digits()
    judged = np.bincount(pictures.labels[pictures.is_judged])
    assert judged == pytest.approx(np.bincount(pictures.labels) / 3, abs=1)
    assert (pictures.pixels.shape, pictures.pixels.max()) == ((1797, 8, 8, 1), 255)


def test_pixels_are_normalised_by_those_that_are_learned_from(few_digits: StudyPictures):
    data = deal(few_digits)
    assert float(data.learned.image.mean()) == pytest.approx(0, abs=1e-5)
    assert float(data.learned.image.std()) == pytest.approx(1, abs=1e-3)
    assert len(data.learned) + len(data.judged) == 300


def test_a_class_of_too_few_pictures_is_refused_with_a_way_out():
    pixels, labels = np.zeros((9, 8, 8, 1), dtype=np.uint8), np.array([0] * 8 + [1], dtype=np.int64)
    with pytest.raises(BadDataError, match="6 pictures of each"):
        StudyPictures("mine", pixels, labels, 2, np.arange(9) % 3 == 0)


def test_a_smaller_draw_is_part_of_a_larger_one_and_fair_to_all_classes(few_digits: StudyPictures):
    learned = deal(few_digits).learned
    small, large = learned.few(2, seed=0), learned.few(5, seed=0)
    assert small.label.bincount().tolist() == [2] * 10
    rows = {tuple(picture.flatten().tolist()) for picture in large.image}
    assert all(tuple(picture.flatten().tolist()) in rows for picture in small.image)


def test_the_two_halves_share_no_class_and_no_picture(few_digits: StudyPictures):
    data = deal(few_digits)
    tasks = halves(data, seed=0)
    assert len(tasks.a.learned) + len(tasks.b.learned) == len(data.learned)
    assert tasks.a.learned.label.unique().tolist() == tasks.b.judged.label.unique().tolist() == [0, 1, 2, 3, 4]


def test_two_tasks_cannot_be_made_out_of_two_classes(few_digits: StudyPictures):
    learned = deal(few_digits).learned.of_classes(np.array([3, 8]))
    assert learned.label.unique().tolist() == [0, 1]
    with pytest.raises(BadDataError, match="4 classes or more"):
        halves(Dealt(learned, learned, 2), seed=0)


def test_a_training_that_breaks_down_counts_as_guessing(few_digits: StudyPictures):
    data = deal(few_digits)
    net = deep_mlp(64, 10, 3, 16)
    fitted = fit(net, data.learned, data.judged, seed=0, n_epochs=2, optimiser=SGD(lr=1e30))
    assert fitted == Fitted((math.log(10),) * 2, (0.1, 0.1))


def test_a_fit_learns_and_says_so(few_digits: StudyPictures):
    data = deal(few_digits)
    torch.manual_seed(0)
    net = dense_net(64, 10, (32,))
    fitted = fit(net, data.learned, data.judged, seed=0, n_epochs=5)
    assert fitted.losses[-1] < fitted.losses[0]
    assert fitted.accuracy == accuracy(net, data.judged) > 0.6


def test_epochs_to_a_loss_are_one_more_than_there_were_if_it_is_not_reached():
    fitted = Fitted((2.0, 1.0, 0.5), (0.1, 0.5, 0.7))
    assert [fitted.epochs_to(loss) for loss in (3.0, 1.0, 0.1)] == [1, 2, 4]


def test_frozen_stages_do_not_move_and_the_others_do(few_digits: StudyPictures):
    tasks = halves(deal(few_digits), seed=0)
    source = fresh(tasks.a, 0)
    net = begun(tasks.b, 1, source, 2)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    teach(net, tasks.b, 1, 0, frozen=2)
    same = {name for name, tensor in net.state_dict().items() if torch.equal(tensor, before[name])}
    assert same == {name for name in before if name.startswith(("stages.conv1", "stages.conv2"))}
    assert all(torch.equal(before[name], source.state_dict()[name]) for name in same)


def test_dropout_changes_nothing_where_it_is_not_learning():
    torch.manual_seed(0)
    net = dense_net(6, 3, (5, 4)).eval()
    x = torch.randn(2, 6)
    before = net(x)
    assert torch.equal(with_dropout(net, 0.5, 0.2).eval()(x), before)
    assert not torch.equal(net.train()(x), before)


@pytest.mark.parametrize(("n_channels", "side_px"), [(1, 8), (3, 32), (3, 5)])
def test_the_plain_net_takes_small_and_larger_pictures(n_channels: int, side_px: int):
    net = plain_convnet(n_channels, side_px, 7, pooling="average")
    assert net(torch.zeros(2, n_channels, side_px, side_px)).shape == (2, 7)
