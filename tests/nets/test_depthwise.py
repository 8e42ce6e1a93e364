"""Our depthwise convolution against torch's: answers and gradients, in both precisions and layouts."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from winnow.nets.depthwise import depthwise


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 0), (5, 1, 2), (5, 2, 0), (5, 2, 1)])
@pytest.mark.parametrize(("is_bf16", "tolerance"), [(False, 1e-5), (True, 0.02)])
def test_it_answers_and_learns_as_torchs_own(
    kernel: int, stride: int, padding: int, layout: torch.memory_format, is_bf16: bool, tolerance: float
):
    torch.manual_seed(0)
    x = torch.randn(2, 4, 11, 9).to(memory_format=layout).requires_grad_()
    weight, bias = torch.randn(4, 1, kernel, kernel, requires_grad=True), torch.randn(4, requires_grad=True)
    wanted = functional.conv2d(x, weight, bias, stride, padding, groups=4)
    pull = torch.randn_like(wanted)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
        given = depthwise(x, weight, bias, stride, padding)
    assert given.dtype == (torch.bfloat16 if is_bf16 else torch.float32)
    ours = torch.autograd.grad(given, (x, weight, bias), pull.to(given.dtype))
    theirs = torch.autograd.grad(wanted, (x, weight, bias), pull)
    for our, their in zip((given.detach(), *ours), (wanted.detach(), *theirs), strict=True):
        assert (our.float() - their).abs().max() <= tolerance * their.abs().max()


def test_without_a_bias_it_adds_nothing():
    x, weight = torch.randn(1, 2, 5, 5), torch.randn(2, 1, 5, 5)
    assert torch.equal(depthwise(x, weight, None, 1, 2), functional.conv2d(x, weight, None, 1, 2, groups=2))
