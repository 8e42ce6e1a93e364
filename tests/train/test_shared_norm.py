"""Batch norm over several processes is the batch norm of one that sees all their pictures."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from winnow.errors import UserError
from winnow.train.shared_norm import shared_batch_norms

from .threads import Threads, together


def small_net() -> nn.Sequential:
    """Convolution, norm, ReLU, norm without weights, mean: two classes."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.BatchNorm2d(4, affine=False, momentum=None),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.BatchNorm1d(4),
        nn.Linear(4, 2),
    )


X = torch.randn(9, 3, 6, 6, generator=torch.Generator().manual_seed(1)) * 2 + 1
LABELS = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1])


def step_of(group: Threads, net: nn.Module, n_steps: int = 2) -> tuple[torch.Tensor, nn.Module]:
    """Logits and, in the net, gradients of the mean loss over all; the threads' shares differ in size."""
    with shared_batch_norms(net, group):
        for _ in range(n_steps):
            net.zero_grad()
            logits = net(X[group.rank :: group.size])
            F.cross_entropy(logits, LABELS[group.rank :: group.size], reduction="sum").backward()
    gradients = [parameter.grad for parameter in net.parameters()]
    group.mean(gradients)
    for gradient in gradients:
        gradient *= group.size / len(X)
    return logits.detach(), net


@pytest.mark.parametrize("size", [2, 4])
def test_outputs_gradients_and_running_statistics_are_those_of_one_process(size):
    alone = small_net()
    for _ in range(2):
        alone.zero_grad()
        expected = alone(X)
        F.cross_entropy(expected, LABELS).backward()
    nets = [copy.deepcopy(small_net()) for _ in range(size)]
    results = together(size, lambda group: step_of(group, nets[group.rank]))
    for rank, (logits, net) in enumerate(results):
        assert torch.allclose(logits, expected[rank::size], atol=1e-5)
        for ours, theirs in zip(net.parameters(), alone.parameters(), strict=True):
            assert torch.allclose(ours.grad, theirs.grad, atol=1e-5)
        for (name, ours), theirs in zip(net.named_buffers(), alone.buffers(), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5), name


def test_afterwards_the_network_is_as_it_was():
    net = small_net().eval()
    expected, names = net(X), list(net.state_dict())
    together(1, lambda group: step_of(group, small_net().eval()))
    with shared_batch_norms(net, Threads(0, 1, None, [None])):
        assert torch.equal(net(X), expected)  # in eval mode nobody is asked
        assert list(net.state_dict()) == names
    assert all("forward" not in module.__dict__ for module in net.modules())


def test_without_a_group_nothing_changes():
    net = small_net()
    with shared_batch_norms(net, None):
        assert all("forward" not in module.__dict__ for module in net.modules())


def test_a_norm_that_does_more_is_refused():
    class NormAndReLU(nn.BatchNorm2d):
        def forward(self, x):
            return super().forward(x).relu()

    with (
        pytest.raises(UserError, match="NormAndReLU cannot share"),
        shared_batch_norms(nn.Sequential(NormAndReLU(3)), Threads(0, 1, None, [None])),
    ):
        pass
