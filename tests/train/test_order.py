"""Which examples a step learns from: nothing but the seed and the step decides."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.errors import UserError
from winnow.train.order import Order, class_balanced_rates


def epoch_of(order: Order, epoch: int) -> np.ndarray:
    """All examples of an epoch, in order, where batches fill epochs exactly or drop the rest."""
    steps = order.steps_per_epoch
    return np.concatenate([order.at(step).indices for step in range(epoch * steps, (epoch + 1) * steps)])


def test_every_example_is_seen_once_an_epoch_in_an_order_that_changes():
    order = Order(12, 4, seed=0)
    first, second = epoch_of(order, 0), epoch_of(order, 1)
    assert sorted(first) == sorted(second) == list(range(12))
    assert not np.array_equal(first, second)


def test_any_step_can_be_asked_for_first():
    straight = Order(10, 4, seed=7)
    batches = [straight.at(step).indices for step in range(30)]
    for step in (29, 3, 17, 0):
        assert np.array_equal(Order(10, 4, seed=7).at(step).indices, batches[step])


def test_another_seed_gives_another_order():
    assert not np.array_equal(epoch_of(Order(50, 10, seed=0), 0), epoch_of(Order(50, 10, seed=1), 0))


def test_a_wrapping_batch_goes_on_with_the_next_epoch():
    order = Order(10, 4, seed=0, last="wrap")
    assert order.steps_per_epoch == 3
    stream = np.concatenate([order.at(step).indices for step in range(5)])
    assert sorted(stream[:10]) == sorted(stream[10:]) == list(range(10))
    assert order.at(2).epochs.tolist() == [0, 0, 1, 1]


def test_dropping_leaves_out_other_examples_in_other_epochs():
    order = Order(10, 4, seed=0, last="drop")
    assert order.steps_per_epoch == 2
    left_out = {frozenset(range(10)) - frozenset(epoch_of(order, epoch).tolist()) for epoch in range(6)}
    assert all(len(two) == 2 for two in left_out)
    assert len(left_out) > 1


def test_a_batch_may_be_larger_than_all_examples():
    order = Order(3, 8, seed=0)
    assert order.steps_per_epoch == 1
    assert np.bincount(order.at(0).indices).tolist() in ([3, 3, 2], [3, 2, 3], [2, 3, 3])


def test_rates_are_kept_to_within_one_draw():
    rates = np.array([1.0, 2.0, 4.0, 0.0, 1.5, 3.5])
    expected = rates / rates.sum() * 6
    order = Order(6, 6, seed=0, rates=rates)
    counts = np.array([np.bincount(epoch_of(order, epoch), minlength=6) for epoch in range(400)])
    assert (counts >= np.floor(expected)).all()
    assert (counts <= np.ceil(expected)).all()
    assert counts.mean(0) == pytest.approx(expected, abs=0.1)


def test_balanced_classes_are_drawn_equally_often():
    labels = np.repeat([0, 1, 2], [80, 15, 5])
    order = Order(100, 100, seed=0, rates=class_balanced_rates(labels))
    drawn = np.bincount(labels[np.concatenate([epoch_of(order, epoch) for epoch in range(30)])])
    assert drawn / 3000 == pytest.approx([1 / 3] * 3, abs=0.01)


def test_half_the_strength_draws_by_the_square_root_of_a_class():
    rates = class_balanced_rates(np.repeat([0, 1], [90, 10]), strength=0.5)
    assert rates[:90].sum() / rates[90:].sum() == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"n_examples": 0, "batch_size": 4}, "at least one"),
        ({"n_examples": 3, "batch_size": 4, "last": "drop"}, "smaller batches"),
        ({"n_examples": 2, "batch_size": 1, "rates": np.array([1.0])}, "one finite number"),
        ({"n_examples": 2, "batch_size": 1, "rates": np.array([0.0, 0.0])}, "not all 0"),
    ],
)
def test_what_makes_no_batches_is_refused_with_advice(given, says):
    with pytest.raises(UserError, match=says):
        Order(**given, seed=0)
