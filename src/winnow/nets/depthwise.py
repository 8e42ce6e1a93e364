"""A depthwise convolution whose way back is as fast on CPUs as its way there.

oneDNN has no fast kernel for some gradients of depthwise convolutions and takes a plain loop (measured with torch 2.15
on an AMD EPYC 9004 core, 32 maps): the input's gradient in bf16 where the stride is 2 (80 ms for 256 channels of 17 x
17 and a 3 x 3 kernel; 1.5 ms in fp32), and the weights' gradient of 5 x 5 kernels (3 ms for 320 channels of 4 x 4 in
fp32, 8 ms in bf16; 1.1 ms as below). Together they were half of a step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def depthwise(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """`conv2d` with one filter a channel, in the precision that autocast asks for.

    Args:
        x: (N, C, H, W).
        weight: (C, 1, K, K).
        bias: (C,).
        stride: of both sides.
        padding: zeros around.
    """
    device = x.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
    kept = torch.zeros_like(weight[:, 0, 0, 0]) if bias is None else bias
    return _Depthwise.apply(x.to(dtype), weight, kept, stride, padding)  # pyright: ignore[reportReturnType]


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight.to(x.dtype), bias.to(x.dtype), stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (given,) = gradients
        x, weight = ctx.saved_tensors
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            blank = torch.empty_like(x, dtype=weight.dtype)  # its values do not matter, only its shape and layout
            of_x = _back(given.to(weight.dtype), blank, weight, ctx.stride, ctx.padding, 0).to(x.dtype)
        if ctx.needs_input_grad[1]:
            is_small = weight.shape[-1] <= 3
            of_weight = (
                _back(given, x, weight.to(x.dtype), ctx.stride, ctx.padding, 1)
                if is_small
                else _of_weight_by_taps(given, x, weight.shape[-1], ctx.stride, ctx.padding)
            ).to(weight.dtype)
        if ctx.needs_input_grad[2]:
            of_bias = given.sum((0, 2, 3), dtype=weight.dtype)
        return of_x, of_weight, of_bias, None, None


def _back(given: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, which: int) -> Tensor:
    """Torch's own gradient, of the input (0) or of the weights (1)."""
    sides, mask = ([stride] * 2, [padding] * 2, [1, 1]), [which == 0, which == 1, False]
    both = torch.ops.aten.convolution_backward(given, x, weight, None, *sides, False, [0, 0], len(weight), mask)
    return both[which]


def _of_weight_by_taps(given: Tensor, x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """(C, 1, K, K): what each place of the kernel saw, times the gradient there."""
    rows, columns = (stride * side for side in given.shape[2:])
    seen = functional.pad(x, (padding,) * 4).permute(0, 2, 3, 1)
    given = given.permute(0, 2, 3, 1)
    taps = [
        (seen[:, i : i + rows : stride, j : j + columns : stride] * given).sum((0, 1, 2))
        for i in range(kernel)
        for j in range(kernel)
    ]
    return torch.stack(taps, dim=1).view(-1, 1, kernel, kernel)
