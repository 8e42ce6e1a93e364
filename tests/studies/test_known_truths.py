"""Where a formula says what a study must measure, it does."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from winnow.nets.mlp import dense_net
from winnow.studies.gradients import gradients_by_stage, powers_of_ten_lost
from winnow.studies.initialisation import start
from winnow.studies.learning import Examples, deal
from winnow.studies.momentum import measured_rate
from winnow.studies.pictures import StudyPictures
from winnow.studies.plain_nets import deep_mlp, hidden_of
from winnow.studies.ravine import RATES, Ravine, best_descent, best_momentum, descend, descent_rate, distances
from winnow.studies.xor import teach
from winnow.train.optimisers import SGD


def test_no_perceptron_beats_ln_2_at_exclusive_or_and_one_comes_there():
    taught = teach(dense_net(2, 2, ()), 300, seed=0)
    assert min(taught.losses) >= math.log(2) - 1e-6
    assert taught.losses[-1] == pytest.approx(math.log(2), abs=1e-3)
    assert taught.n_right <= 3


def test_one_hidden_layer_learns_exclusive_or():
    torch.manual_seed(0)
    assert teach(dense_net(2, 2, (8,), "tanh"), 300, seed=0).n_right == 4


@pytest.mark.parametrize("condition", [5.0, 50.0])
def test_gradient_descent_shrinks_by_its_rate_at_every_step(condition: float):
    far = distances(descend(Ravine(condition, (2,), 0), best_descent(condition), 20))
    ratios = np.array(far[1:]) / np.array(far[:-1])
    assert ratios == pytest.approx(np.full(20, descent_rate(condition)))


def test_a_turned_ravine_has_the_same_slopes_in_another_direction():
    ravine = Ravine(30.0, (2, 2), 0, is_turned=True)
    hessian = torch.autograd.functional.hessian(lambda x: _height(ravine, x), torch.zeros(4, dtype=torch.float64))
    assert torch.linalg.eigvalsh(hessian).tolist() == pytest.approx([1, 30 ** (1 / 3), 30 ** (2 / 3), 30])
    assert float((hessian - hessian.diag().diag()).abs().max()) > 1


def _height(ravine: Ravine, x: torch.Tensor) -> torch.Tensor:
    return torch.func.functional_call(ravine, {"x": x.reshape(2, 2)}, ())


def test_a_rate_that_is_too_high_leads_to_infinity_and_not_to_an_error():
    path = descend(Ravine(100.0, (2,), 0), SGD(lr=1.0), 60)
    assert np.isfinite(path[0]).all()
    assert path[-1] == (math.inf, math.inf)
    assert len(path) == 61


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("condition", [10.0, 100.0])
def test_both_converge_in_the_long_run_as_theory_says(name: str, condition: float):
    best, rate = RATES[name]
    path = descend(Ravine(condition, (2,), 1), best(condition), round(30 * math.sqrt(condition)))
    assert math.log(measured_rate(path)) == pytest.approx(math.log(rate(condition)), rel=0.05)


def test_momentum_is_the_heavy_ball_step_by_step():
    ravine, ball = Ravine(10.0, (2,), 0), best_momentum(10.0)
    x, velocity = ravine.x.detach().numpy().copy(), np.zeros(2)
    expected = [tuple(x)]
    for _ in range(5):
        velocity = ball.momentum * velocity + np.array([1.0, 10.0]) * x
        x = x - ball.lr * velocity
        expected.append(tuple(x))
    assert np.array(descend(ravine, ball, 5)) == pytest.approx(np.array(expected))


def test_the_gradient_behind_one_hidden_layer_is_that_of_the_formula():
    torch.manual_seed(0)
    net = dense_net(3, 4, (5,), "tanh")
    examples = Examples(torch.randn(7, 3), torch.arange(7) % 4)
    error = torch.softmax(net(examples.image), 1) - torch.nn.functional.one_hot(examples.label, 4)
    expected = torch.linalg.vector_norm(error / 7 @ net.head.get_parameter("weight"))
    assert gradients_by_stage(net, examples) == [pytest.approx(float(expected.detach()), rel=1e-5)]


def test_half_the_weights_lose_half_of_the_gradient_at_every_layer(few_digits: StudyPictures):
    """Masks of ReLUs do not change when all weights are halved, so that the product of layers is halved 19 times."""
    learned = deal(few_digits).learned
    lost = {
        name: powers_of_ten_lost(gradients_by_stage(start(64, 10, name, seed=0), learned))
        for name in ("half of He", "Xavier", "He", "twice He")
    }
    assert lost["half of He"] - lost["He"] == pytest.approx(19 * math.log10(2), abs=0.3)
    assert lost["Xavier"] - lost["He"] == pytest.approx(19 * math.log10(2) / 2, abs=0.3)
    assert lost["twice He"] - lost["He"] == pytest.approx(-19 * math.log10(2), abs=0.3)


def test_a_sigmoid_passes_at_most_a_quarter_of_what_its_weights_do(few_digits: StudyPictures):
    torch.manual_seed(0)
    net = deep_mlp(64, 10, 4, 32, activation="sigmoid")
    norms = gradients_by_stage(net, deal(few_digits).learned)
    for below, above, stage in zip(norms, norms[1:], hidden_of(net)[1:], strict=False):
        weight = stage[0].get_parameter("weight").detach()
        assert below <= above * float(torch.linalg.matrix_norm(weight, 2)) / 4


def test_looking_at_gradients_leaves_the_net_as_it_was(few_digits: StudyPictures):
    net = deep_mlp(64, 10, 2, 16, is_normed=True)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    gradients_by_stage(net, deal(few_digits).learned)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(weight.grad is None for weight in net.parameters())
