from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from winnow.train.muon import orthogonal
from winnow.train.optimisers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Muon,
    Nesterov,
    Optimiser,
    RMSprop,
    Weights,
)

ALL: tuple[Optimiser, ...] = (
    SGD(0.1),
    Momentum(0.02),
    Nesterov(0.02),
    Adagrad(0.5),
    RMSprop(0.05),
    Adam(0.05),
    AdamW(0.05),
    Muon(0.05, others=Adam(0.05)),
)


def path(optimiser: Optimiser, gradients: list[float]) -> list[float]:
    """Where a weight that starts at 1 goes when it meets these gradients."""
    weight = nn.Parameter(torch.ones(1, 1))
    built = optimiser.build([Weights((weight,))])
    found: list[float] = []
    for gradient in gradients:
        weight.grad = torch.full_like(weight, gradient)
        for one in built:
            one.step()
        found.append(weight.item())
    return found


G = [0.5, -0.2, 0.3, 0.1]


def test_sgd_steps_against_the_gradient() -> None:
    assert path(SGD(0.1), G) == pytest.approx([1 - 0.1 * sum(G[: n + 1]) for n in range(4)])


def test_momentum_steps_along_the_decayed_sum_of_gradients() -> None:
    velocities = list(itertools.accumulate(G, lambda v, g: 0.9 * v + g))
    assert path(Momentum(0.1, 0.9), G) == pytest.approx([1 - 0.1 * sum(velocities[: n + 1]) for n in range(4)])


def test_nesterov_adds_the_velocity_to_come() -> None:
    velocities = list(itertools.accumulate(G, lambda v, g: 0.9 * v + g))
    steps = [g + 0.9 * v for g, v in zip(G, velocities, strict=True)]
    assert path(Nesterov(0.1, 0.9), G) == pytest.approx([1 - 0.1 * sum(steps[: n + 1]) for n in range(4)])


def test_adagrad_divides_by_the_root_of_all_squares() -> None:
    steps = [g / sum(h * h for h in G[: n + 1]) ** 0.5 for n, g in enumerate(G)]
    assert path(Adagrad(0.1), G) == pytest.approx([1 - 0.1 * sum(steps[: n + 1]) for n in range(4)])


def test_rmsprop_divides_by_the_root_of_the_running_mean_of_squares() -> None:
    means = list(itertools.accumulate((0.01 * g * g for g in G), lambda m, s: 0.99 * m + s))
    steps = [g / m**0.5 for g, m in zip(G, means, strict=True)]
    assert path(RMSprop(0.1), G) == pytest.approx([1 - 0.1 * sum(steps[: n + 1]) for n in range(4)], rel=1e-5, abs=1e-6)


def test_adam_divides_unbiased_means() -> None:
    first = list(itertools.accumulate((0.1 * g for g in G), lambda m, s: 0.9 * m + s))
    second = list(itertools.accumulate((0.001 * g * g for g in G), lambda m, s: 0.999 * m + s))
    steps = [
        (m / (1 - 0.9**t)) / (v / (1 - 0.999**t)) ** 0.5
        for t, (m, v) in enumerate(zip(first, second, strict=True), start=1)
    ]
    assert path(Adam(0.1), G) == pytest.approx([1 - 0.1 * sum(steps[: n + 1]) for n in range(4)], rel=1e-5)


def test_adamw_shrinks_the_weight_itself() -> None:
    assert path(AdamW(0.1, weight_decay=0.5), [0.0]) == pytest.approx([1 - 0.1 * 0.5])
    assert path(Adam(0.1, weight_decay=0.5), [0.0]) == pytest.approx([1 - 0.1])  # decay as a gradient: a full step


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_muon_is_torchs_on_matrices(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Parameter(torch.randn(shape)), nn.Parameter(torch.empty(shape))
    theirs.data.copy_(ours)
    mine = Muon(0.02, 0.95, weight_decay=0.1).build([Weights((ours,))])[0]
    reference = torch.optim.Muon([theirs], lr=0.02, momentum=0.95, weight_decay=0.1)
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        mine.step()
        reference.step()
    # torch orthogonalises in bfloat16, which has three digits
    assert (ours - theirs).abs().max().item() < 2e-3


def test_muon_moves_filters_as_the_matrices_they_flatten_to() -> None:
    torch.manual_seed(0)
    filters = nn.Parameter(torch.randn(8, 3, 3, 3).contiguous(memory_format=torch.channels_last))
    matrix = nn.Parameter(filters.detach().flatten(1).clone())
    for parameter in (filters, matrix):
        torch.manual_seed(1)
        parameter.grad = torch.randn(8, 27).view_as(parameter)
        Muon(0.1).build([Weights((parameter,))])[0].step()
    assert torch.allclose(filters.flatten(1), matrix, atol=1e-6)


def test_normalised_muon_sets_each_filter_bank_to_the_root_of_its_filters() -> None:
    filters = nn.Parameter(torch.randn(16, 3, 3, 3))
    filters.grad = torch.randn_like(filters)
    Muon(lr=1e-9, is_normalised=True).build([Weights((filters,))])[0].step()
    assert filters.norm().item() == pytest.approx(4.0, rel=1e-5)


def test_newton_schulz_brings_all_singular_values_near_one() -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(20, 50)))
    assert 0.6 < values.min() < values.max() < 1.3


def test_muon_leaves_biases_to_the_others() -> None:
    layer = nn.Linear(3, 2)
    muon, others = Muon(0.1, others=SGD(0.5)).build([Weights.of(layer)])
    assert [p.ndim for group in muon.param_groups for p in group["params"]] == [2]
    assert [group["lr"] for group in others.param_groups] == [0.5]


@pytest.mark.parametrize("optimiser", ALL, ids=lambda one: type(one).__name__)
def test_every_optimiser_goes_down_a_bowl(optimiser: Optimiser) -> None:
    torch.manual_seed(0)
    net = nn.Linear(4, 3)
    target = torch.randn(3, 4)
    built = optimiser.build([Weights.of(net)])

    def loss() -> Tensor:
        return (net.weight - target).square().mean() + (net.bias - 1).square().mean()

    start = loss().item()
    for _ in range(60):
        for one in built:
            one.zero_grad()
        loss().backward()
        for one in built:
            one.step()
    assert loss().item() < 0.6 * start


@pytest.mark.parametrize("optimiser", ALL, ids=lambda one: type(one).__name__)
def test_lower_layers_go_slower_and_norms_and_biases_never_decay(optimiser: Optimiser) -> None:
    body, head = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), nn.Linear(4, 2)
    built = optimiser.build([Weights.of(body, lr_factor=0.1), Weights.of(head)])
    rate = {p: group["initial_lr"] for one in built for group in one.param_groups for p in group["params"]}
    decay = {p: group["weight_decay"] for one in built for group in one.param_groups for p in group["params"]}
    assert rate.keys() == {*body.parameters(), *head.parameters()}
    assert rate[body[0].weight] == pytest.approx(0.1 * rate[head.weight])
    assert all(decay[p] == 0 for p in rate if p.ndim < 2)
