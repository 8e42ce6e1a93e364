"""LeNet-5 as the paper counts it: 156 + 12 + 1,516 + 32 + 48,120 + 10,164 = 60,000."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from winnow.nets.digit_bitmaps import class_codes, digit_bitmaps
from winnow.nets.export import normalise_for
from winnow.nets.lenet5 import CONNECTIONS, ENTRY, PartlyConnected, RadialBasisOutput, Squash, lenet5, map_loss
from winnow.nets.net import Net, count_parameters


@pytest.fixture
def net() -> Net:
    """With fresh weights by seed 0."""
    torch.manual_seed(0)
    return lenet5()


@pytest.mark.parametrize(
    ("stage", "parameters"), [("c1", 156), ("s2", 12), ("c3", 1516), ("s4", 32), ("c5", 48_120), ("f6", 10_164)]
)
def test_each_layer_has_the_papers_count_of_trainable_parameters(net: Net, stage: str, parameters: int):
    assert count_parameters(net.stages[stage]) == parameters


@pytest.mark.parametrize(
    ("stage", "shape"),
    [("c1", (6, 28, 28)), ("s2", (6, 14, 14)), ("c3", (16, 10, 10)), ("s4", (16, 5, 5)), ("c5", (120,)), ("f6", (84,))],
)
def test_each_layer_has_the_papers_maps(net: Net, stage: str, shape: tuple[int, ...]):
    assert net.features(torch.zeros(1, 1, 32, 32), at=stage, pooled=False).shape == (1, *shape)


def test_the_table_of_connections_is_table_one():
    """Six maps of three contiguous maps below, six of four, three of four in two pairs, one of all: 60 pairs."""
    assert [len(row) for row in CONNECTIONS] == [3] * 6 + [4] * 9 + [6]
    assert sum(map(len, CONNECTIONS)) == 60
    # Each column of Table I has ten crosses.
    assert [sum(below in row for row in CONNECTIONS) for below in range(6)] == [10] * 6
    assert len(set(map(frozenset, CONNECTIONS))) == 16


def test_a_map_of_c3_sees_only_the_maps_below_that_the_table_gives_it():
    torch.manual_seed(0)
    layer = PartlyConnected()
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    for below in range(6):
        x = torch.zeros(1, 6, 14, 14)
        x[:, below] = torch.randn(14, 14)
        answers = layer(x)[0].abs().amax((1, 2)) > 0
        assert answers.tolist() == [below in row for row in CONNECTIONS]


def test_partly_connected_is_a_convolution_whose_other_kernels_are_zero():
    torch.manual_seed(0)
    layer = PartlyConnected()
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    dense, place = torch.zeros(16, 6, 5, 5), 0
    for above, row in enumerate(CONNECTIONS):
        for below in row:
            dense[above, below] = layer.weight[place]
            place += 1
    x = torch.randn(2, 6, 14, 14)
    torch.testing.assert_close(layer(x), F.conv2d(x, dense, layer.bias))


def test_sub_sampling_adds_four_neighbours_times_a_coefficient_plus_a_bias(net: Net):
    layer = net.get_submodule("stages.s2.0")
    x = torch.arange(16.0).view(1, 1, 4, 4).repeat(1, 6, 1, 1)
    sums = torch.tensor([[0.0 + 1 + 4 + 5, 2 + 3 + 6 + 7], [8 + 9 + 12 + 13, 10 + 11 + 14 + 15]])
    coefficient, bias = layer.get_parameter("coefficient"), layer.get_parameter("bias")
    expected = sums * coefficient.view(6, 1, 1) + bias.view(6, 1, 1)
    torch.testing.assert_close(layer(x)[0], expected)


def test_the_squashing_function_goes_through_one_at_one():
    """Appendix A: f(1) = 1 and f(-1) = -1, amplitude 1.7159."""
    squash = Squash()
    torch.testing.assert_close(
        squash(torch.tensor([1.0, -1.0, 0.0])), torch.tensor([1.0, -1.0, 0.0]), atol=1e-4, rtol=0
    )
    assert squash(torch.tensor(1e3)).item() == pytest.approx(1.7159)


def test_initial_weights_are_uniform_within_the_fan_ins_bounds(net: Net):
    """+-2.4 / fan-in: 25 for C1, 4 for S2 and S4, 75 to 150 for C3, 400 for C5, 120 for F6."""
    c3 = net.get_submodule("stages.c3.0").get_parameter("weight")
    bounds = {
        "stages.c1.0.weight": 2.4 / 25,
        "stages.s2.0.coefficient": 2.4 / 4,
        "stages.s4.0.bias": 2.4 / 4,
        "stages.c5.0.weight": 2.4 / 400,
        "stages.f6.0.weight": 2.4 / 120,
    }
    for name, bound in bounds.items():
        largest = net.get_parameter(name).abs().max().item()
        assert 0.5 * bound < largest <= bound
    assert c3[:3].abs().max() <= 2.4 / 75
    assert c3[-6:].abs().max() <= 2.4 / 150
    assert c3[:18].abs().max() > 2.4 / 150


def test_an_output_is_minus_the_squared_distance_from_its_digit():
    torch.manual_seed(0)
    output, x = RadialBasisOutput(10), torch.randn(3, 84)
    codes = torch.from_numpy(digit_bitmaps().reshape(10, 84).astype(np.float32))
    torch.testing.assert_close(output(x), -((x[:, None] - codes[None]) ** 2).sum(2))
    assert output(codes).diagonal().abs().max() < 1e-4


def test_the_codes_are_84_signs_that_differ_from_class_to_class():
    for n_classes in (2, 10, 100):
        codes = class_codes(n_classes)
        assert codes.shape == (n_classes, 84)
        assert set(np.unique(codes)) == {-1, 1}
        assert len(np.unique(codes, axis=0)) == n_classes
    assert np.array_equal(class_codes(37), class_codes(37))


def test_a_zero_has_ink_around_and_none_inside():
    zero = digit_bitmaps()[0]
    assert zero.shape == (12, 7)
    assert zero[5, 3] == -1
    assert zero[5, 0] == zero[5, 6] == zero[0, 3] == 1


def test_the_criterion_is_equation_nine():
    """Distances 1, 2 and 3, truth the first, j = 0.5: 1 + log(e^-0.5 + e^-1 + e^-2 + e^-3)."""
    loss = map_loss(torch.tensor([[-1.0, -2.0, -3.0]]), torch.tensor([0]), j=0.5)
    expected = 1 + math.log(math.exp(-0.5) + math.exp(-1) + math.exp(-2) + math.exp(-3))
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_white_paper_is_a_little_below_zero_and_ink_above_one():
    """Section II-B: background -0.1, foreground 1.175; digits here are white on black."""
    normalise = normalise_for(ENTRY, 1)
    black, white = torch.zeros(1, 1, 1, 3, dtype=torch.uint8), torch.full((1, 1, 1, 3), 255, dtype=torch.uint8)
    assert normalise(black).item() == pytest.approx(-0.1, abs=1e-6)
    assert normalise(white).item() == pytest.approx(1.175, abs=1e-5)
