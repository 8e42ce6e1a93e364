"""The fast network for small pictures: a whitened first layer that never learns, and six convolutions behind it.

Source: Keller Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv 2404.00498, sections 3.1 to 3.3 (the
architecture descends from tysam-code's hlb-CIFAR10 and David Page's DAWNBench entry). Written anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from winnow.errors import UserError
from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import load_published

WIDTHS = (64, 256, 256)
_KERNEL_PX = 2
_MEAN, _STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10's training pictures
_SMALLEST_PX = 9  # 8 positions behind the first layer, halved three times


class ShiftingNorm(nn.BatchNorm2d):
    """Batch norm that learns a shift and no scale, and forgets old statistics fast (momentum 0.6 in the paper's words).

    The paper lets the shift learn with 64 times the rate of the other weights: `shifts_of` gives them.
    """

    def __init__(self, n_maps: int) -> None:
        super().__init__(n_maps, eps=1e-12, momentum=0.4)
        self.weight.requires_grad_(False)


class Block(nn.Module):
    """Convolution, pooling, norm, GELU; convolution, norm, GELU: half the side, `n_maps` maps."""

    def __init__(self, n_below: int, n_maps: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_below, n_maps, 3, padding=1, bias=False)
        self.norm1 = ShiftingNorm(n_maps)
        self.conv2 = nn.Conv2d(n_maps, n_maps, 3, padding=1, bias=False)
        self.norm2 = ShiftingNorm(n_maps)
        for conv in (self.conv1, self.conv2):
            # The first maps hand on what is below; the others start as torch starts every convolution.
            nn.init.dirac_(conv.weight.data[: conv.in_channels])

    def forward(self, x: Tensor) -> Tensor:
        """(N, below, H, W) -> (N, maps, H // 2, W // 2)."""
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class GlobalMax(nn.Module):
    """The largest value of each map; on the 3 x 3 positions that 32 px leave, the paper's pooling."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C)."""
        return F.max_pool2d(x, x.shape[2:]).flatten(1)


class Scale(nn.Module):
    """Multiplies by a fixed number: logits are made small, so that large rates do no harm at the start."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * self.factor


def fast_small(
    *,
    n_classes: int = 10,
    n_channels: int = 3,
    side_px: int = 32,
    state: State | None = None,
    widths: Sequence[int] = WIDTHS,
    output_scale: float = 1 / 9,
) -> Net:
    """The network with dirac-initialised convolutions; call `whiten` before its first step.

    Args:
        widths: maps of the three blocks; (64, 256, 256) is the paper's for 94 % on CIFAR-10.
        output_scale: what the logits are multiplied by (1/9 in the paper).

    Raises:
        UserError: pictures under 9 px.
    """
    if side_px < _SMALLEST_PX:
        raise UserError(
            f"The fast small network halves the side three times: {side_px} px are too few, take 9 or more."
        )
    n_whitened = 2 * n_channels * _KERNEL_PX**2
    first = nn.Conv2d(n_channels, n_whitened, _KERNEL_PX)
    first.weight.requires_grad_(False)
    assert first.bias is not None
    nn.init.zeros_(first.bias)
    net = Net(
        {
            "whiten": nn.Sequential(first, nn.GELU()),
            "block1": Block(n_whitened, widths[0]),
            "block2": Block(widths[0], widths[1]),
            "block3": Block(widths[1], widths[2]),
            "pool": GlobalMax(),
        },
        nn.Sequential(nn.Linear(widths[2], n_classes, bias=False), Scale(output_scale)),
        dim=widths[2],
        n_classes=n_classes,
    )
    if state is not None:
        load_published(net, state)
    return net


@torch.no_grad()
def whiten(net: Net, pictures: Tensor, *, epsilon: float = 5e-4) -> None:
    """Set the first layer so that what it gives of 2 x 2 patches is uncorrelated, each once with either sign.

    Its weights are the eigenvectors of the patches' second moments over the root of their eigenvalues.

    Args:
        net: made by `fast_small`.
        pictures: (N, C, H, W) training pictures, normalised; the paper takes 5,000.
        epsilon: added to the eigenvalues, so that directions in which pictures hardly differ do not blow up.

    Source: arXiv 2404.00498, section 3.2, after Page (2019).
    """
    first = net.get_submodule("stages.whiten.0").get_parameter("weight")
    patches = F.unfold(pictures.float(), _KERNEL_PX).transpose(1, 2).flatten(0, 1)  # (all patches, C * 2 * 2)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / torch.sqrt(values + epsilon)).T.reshape(-1, *first.shape[1:])
    first.copy_(torch.cat([filters, -filters]))


def shifts_of(net: Net) -> list[nn.Parameter]:
    """The shifts of all norms, which the paper lets learn at 64 times the rate of the other weights."""
    return [module.bias for module in net.modules() if isinstance(module, ShiftingNorm)]


ENTRY = NetEntry(
    name="fast-small",
    title="Fast small network (airbench94)",
    year=2024,
    paper="Jordan: 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv 2404.00498",
    n_parameters=1_971_352,
    stages=("whiten", "block1", "block2", "block3", "pool"),
    dim=256,
    make=fast_small,
    side_px=32,
    smallest_side_px=_SMALLEST_PX,
    n_classes=10,
    mean=_MEAN,
    std=_STD,
)
