"""Perceptrons: what one cannot do and a hidden layer can; and what weight sharing saves."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import linprog

from winnow.errors import NotFoundError
from winnow.nets.activations import ACTIVATIONS, find_activation
from winnow.nets.mlp import dense_net, mlp
from winnow.nets.net import Net, count_parameters
from winnow.nets.small_convnet import small_convnet

INPUTS = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
XOR = torch.tensor([0, 1, 1, 0])


def right_answers(net: Net) -> int:
    """How many of the four rows of exclusive or a network answers rightly."""
    return int((net(INPUTS).argmax(1) == XOR).sum())


def xor_by_hand() -> Net:
    """Two hidden ReLU units that compute exclusive or of (N, 2) inputs: logits (N, 2) whose larger one is the answer.

    The first unit adds the inputs, the second fires only for both: x + y - 2 max(x + y - 1, 0).
    """
    net = dense_net(2, 2, (2,), "relu")
    with torch.no_grad():
        first, head = net.get_submodule("stages.hidden1.0"), net.head
        first.get_parameter("weight").copy_(torch.ones(2, 2))
        first.get_parameter("bias").copy_(torch.tensor([0.0, -1.0]))
        head.get_parameter("weight").copy_(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
        head.get_parameter("bias").copy_(torch.tensor([0.5, 0.0]))
    return net


def learn_xor(net: Net, steps: int) -> None:
    """Plain full-batch gradient descent with momentum on cross-entropy."""
    optimiser = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(net(INPUTS), XOR).backward()
        optimiser.step()


def test_no_weights_let_a_perceptron_do_xor():
    """The four inequalities have no solution: for any three rows there is one, for all four none."""
    signs = 2 * XOR.numpy() - 1
    rows = -signs[:, None] * np.column_stack([INPUTS.numpy(), np.ones(4)])  # sign * (w x + b) >= 1

    def has_solution(kept: tuple[int, ...]) -> bool:
        chosen = list(kept)
        answer = linprog(np.zeros(3), A_ub=rows[chosen], b_ub=-np.ones(len(chosen)), bounds=[(None, None)] * 3)
        return bool(answer.success)

    assert not has_solution((0, 1, 2, 3))
    assert all(has_solution(three) for three in itertools.combinations(range(4), 3))


def test_a_perceptron_that_learns_xor_gets_three_of_four_at_most():
    for seed in range(5):
        torch.manual_seed(seed)
        net = dense_net(2, 2)
        learn_xor(net, 50)
        assert right_answers(net) <= 3


def test_one_hidden_layer_can_do_xor():
    assert right_answers(xor_by_hand()) == 4


def test_one_hidden_layer_learns_xor():
    torch.manual_seed(0)
    net = dense_net(2, 2, (8,), "tanh")
    learn_xor(net, 100)
    assert right_answers(net) == 4


def test_a_dense_network_for_digits_has_66_696_weights_and_a_convolutional_one_32_970():
    """784 x 84 + 84 x 10, against 10 x 25 + 20 x 10 x 25 + (20 x 16 x 84 + 84 x 10)."""
    assert count_parameters(mlp(n_classes=10, widths=(84,), has_bias=False)) == 66_696
    net = small_convnet()
    assert count_parameters(net) == 32_970
    parts = [count_parameters(net.stages["conv1"]), count_parameters(net.stages["conv2"])]
    parts.append(count_parameters(net.stages["hidden"]) + count_parameters(net.head))
    assert parts == [250, 5_000, 27_720]


def test_biases_can_be_left_out():
    assert count_parameters(dense_net(3, 2, (4,))) == 3 * 4 + 4 + 4 * 2 + 2
    assert count_parameters(dense_net(3, 2, (4,), has_bias=False)) == 3 * 4 + 4 * 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("identity", lambda a: a),
        ("sigmoid", lambda a: 1 / (1 + math.exp(-a))),
        ("tanh", math.tanh),
        ("relu", lambda a: max(a, 0)),
        ("leaky-relu", lambda a: a if a > 0 else 0.01 * a),
        ("elu", lambda a: a if a > 0 else math.exp(a) - 1),
        ("gaussian", lambda a: math.exp(-(a**2))),
    ],
)
def test_activations_are_their_formulas(name: str, expected):
    given = find_activation(name)()(torch.tensor([-1.5, 0.0, 0.7]))
    assert given.tolist() == pytest.approx([expected(a) for a in (-1.5, 0.0, 0.7)], rel=1e-5)


def test_every_activation_has_its_formula_tested():
    assert list(ACTIVATIONS) == ["identity", "sigmoid", "tanh", "relu", "leaky-relu", "elu", "gaussian"]


def test_a_mistyped_activation_gets_a_hint():
    with pytest.raises(NotFoundError, match=r"No activation is called 'sigmoit'\. Did you mean sigmoid"):
        find_activation("sigmoit")


def test_hidden_layers_are_stages():
    net = dense_net(4, 3, (5, 6))
    assert net.stage_names == ("inputs", "hidden1", "hidden2")
    assert net.features(torch.zeros(2, 4), at="hidden1").shape == (2, 5)
