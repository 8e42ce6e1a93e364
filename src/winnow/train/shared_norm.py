"""Batch norm over the batches of all processes: the same statistics, and gradients, as in one process.

Torch's own `SyncBatchNorm` needs a GPU and another class of module; this one runs everywhere and leaves the network as
it was.
"""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from winnow.errors import UserError
from winnow.train.group import Group

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


@contextmanager
def shared_batch_norms(net: nn.Module, group: Group | None) -> Generator[None]:
    """While this lasts, the network's batch norms in training mode use the statistics of all processes.

    Without it each process normalises by its own share, which is cheaper and usual where shares are large (32 or more
    a process), but not what one process would do; the running statistics are averaged by the loop either way.

    It costs two small messages a norm and pass, and memory for two more activations a norm than torch's fused one.
    All processes must run the network equally often, so a process that runs out of memory cannot go on alone with
    smaller micro-batches: give a `micro_batch` that fits.

    Args:
        net: stays the same object, with the same weights and names.
        group: None: nothing is changed.

    Raises:
        UserError: a batch norm does more than normalise (timm's `BatchNormAct2d`).
    """
    shared = [] if group is None else [module for module in net.modules() if isinstance(module, BatchNorm)]
    for norm in shared:
        if type(norm).forward is not nn.BatchNorm2d.forward:
            raise UserError(
                f"A {type(norm).__name__} cannot share its statistics between processes, for it does more than "
                "normalise: train in one process, or without shared batch norms."
            )
        norm.__dict__["forward"] = functools.partial(_normalise, norm, group)
    try:
        yield
    finally:
        for norm in shared:
            del norm.__dict__["forward"]


class _Sum(torch.autograd.Function):
    """A tensor's sum over the processes; its gradient is the sum of theirs, for each feels every share."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, group: Group) -> Tensor:
        ctx.group = group
        return _sum(x, group)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _sum(gradients[0], ctx.group), None


def _sum(x: Tensor, group: Group) -> Tensor:
    x = x.clone(memory_format=torch.contiguous_format)
    group.mean([x])
    return x * group.size


def _normalise(norm: BatchNorm, group: Group | None, x: Tensor) -> Tensor:
    """Source: Ioffe and Szegedy, Batch Normalization, ICML 2015; variance by a second pass, as torch computes it."""
    if not norm.training or group is None:
        own = norm.running_mean is None
        return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, own, 0.0, norm.eps)
    places = [0, *range(2, x.ndim)]
    shape = (1, -1, *[1] * (x.ndim - 2))
    values = x.float()
    own = torch.tensor([values.numel() / values.shape[1]], device=x.device)
    sums = _Sum.apply(torch.cat([values.sum(places), own]), group)
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = values - mean.view(shape)
    variance = _Sum.apply(centred.square().sum(places), group) / count
    _follow(norm, mean.detach(), variance.detach() * count / (count - 1))
    scale = torch.rsqrt(variance + norm.eps)
    if not norm.affine:
        return (centred * scale.view(shape)).to(x.dtype)
    return (centred * (scale * norm.weight).view(shape) + norm.bias.view(shape)).to(x.dtype)


@torch.no_grad()
def _follow(norm: BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move the running statistics as torch does."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked += 1
    momentum = norm.momentum if norm.momentum is not None else 1 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean, momentum)
    norm.running_var.lerp_(variance, momentum)
