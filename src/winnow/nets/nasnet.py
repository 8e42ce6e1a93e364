"""NASNet-A (6 @ 4032), with timm's cells.

Source: Zoph, Vasudevan, Shlens, Le, Learning Transferable Architectures for Scalable Image Recognition, CVPR 2018,
arXiv 1707.07012. A cell sees the two before it, so what is handed on at a cut is both, one after the other in
channels: first the newer.
"""

from __future__ import annotations

from collections.abc import Sequence

import timm
import torch
from torch import Tensor, nn

from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import with_published

_HALF = (0.5, 0.5, 0.5)


class _Chain(nn.Module):
    """Cells one after the other, each of which takes the two tensors before it."""

    def __init__(self, cells: Sequence[nn.Module]) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)

    def forward(self, newer: Tensor, older: Tensor) -> Tensor:
        for cell in self.cells:
            newer, older = cell(newer, older), newer
        return torch.cat([newer, older], 1)


class _Stem(nn.Module):
    """The first convolution, two halving cells and the first chain."""

    def __init__(self, first: nn.Module, halving: Sequence[nn.Module], cells: Sequence[nn.Module]) -> None:
        super().__init__()
        self.first = first
        self.halving = nn.ModuleList(halving)
        self.chain = _Chain(cells)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        older = self.halving[0](x)
        return self.chain(self.halving[1](x, older), older)


class _Reducing(nn.Module):
    """A reduction cell and the chain behind it, whose first cell sees what the reduction cell saw as the older."""

    def __init__(self, reduction: nn.Module, first: nn.Module, cells: Sequence[nn.Module]) -> None:
        super().__init__()
        self.reduction = reduction
        self.first = first
        self.chain = _Chain(cells)

    def forward(self, x: Tensor) -> Tensor:
        newer, older = x.chunk(2, 1)
        reduced = self.reduction(newer, older)
        return self.chain(self.first(reduced, older), reduced)


class _Newer(nn.Module):
    """The newer half of a pair, with what is negative cut off."""

    def forward(self, x: Tensor) -> Tensor:
        return x.chunk(2, 1)[0].relu()


def nasnet(*, n_classes: int = 1000, n_channels: int = 3, side_px: int = 331, state: State | None = None) -> Net:
    """NASNet-A large; pictures from 32 px."""
    del side_px  # its pooling takes any

    def make(classes: int) -> nn.Module:
        return timm.create_model("nasnetalarge", num_classes=classes, in_chans=n_channels)

    return with_published(make, _staged, head="last_linear.weight", n_classes=n_classes, state=state)


def _staged(module: nn.Module) -> Net:
    def cells(first: int, last: int) -> list[nn.Module]:
        return [module.get_submodule(f"cell_{number}") for number in range(first, last + 1)]

    part, head = module.get_submodule, module.get_submodule("last_linear")
    assert isinstance(head, nn.Linear)
    return Net(
        {
            "cells1": _Stem(part("conv0"), [part("cell_stem_0"), part("cell_stem_1")], cells(0, 5)),
            "cells2": _Reducing(part("reduction_cell_0"), part("cell_6"), cells(7, 11)),
            "cells3": _Reducing(part("reduction_cell_1"), part("cell_12"), cells(13, 17)),
            "pool": nn.Sequential(_Newer(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        },
        head,
        dim=head.in_features,
        n_classes=head.out_features,
    )


ENTRY = NetEntry(
    name="nasnet-a-large",
    title="NASNet-A (6 @ 4032)",
    year=2017,
    paper="Zoph et al.: Learning Transferable Architectures for Scalable Image Recognition, arXiv 1707.07012",
    n_parameters=88_753_150,
    stages=("cells1", "cells2", "cells3", "pool"),
    dim=4032,
    make=nasnet,
    side_px=331,
    mean=_HALF,
    std=_HALF,
    hub="nasnetalarge.tf_in1k",
    licence="Apache-2.0",
)
