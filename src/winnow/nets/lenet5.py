"""LeNet-5, exactly: trained sub-sampling, a table of connections, and Euclidean units against drawn digits.

Source: LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition, Proceedings of the
IEEE 86(11), 1998, sections II-B and II-C, Table I, Eq. 9, Appendix A.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from winnow.nets.digit_bitmaps import class_codes
from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import load_published

CONNECTIONS: tuple[tuple[int, ...], ...] = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
"""Table I: which maps of S2 each of the 16 maps of C3 sees."""

_SLOPE, _AMPLITUDE = 2 / 3, 1.7159
_FOREGROUND, _BACKGROUND = 1.175, -0.1


class Squash(nn.Module):
    """f(a) = 1.7159 tanh(2a/3): f(1) = 1 and f(-1) = -1, where its curvature is largest (Appendix A)."""

    def forward(self, a: Tensor) -> Tensor:
        """The same shape, in -1.7159..1.7159."""
        return _AMPLITUDE * torch.tanh(_SLOPE * a)


class SubSampling(nn.Module):
    """Halves a map: the sum of four neighbours times one coefficient a map, plus one bias a map."""

    def __init__(self, n_maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(n_maps))
        self.bias = nn.Parameter(torch.empty(n_maps))

    def forward(self, x: Tensor) -> Tensor:
        """(N, maps, H, W) -> (N, maps, H / 2, W / 2)."""
        total = 4 * F.avg_pool2d(x, 2)
        return total * self.coefficient.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class PartlyConnected(nn.Module):
    """A 5x5 convolution in which each map sees only some of the maps below, and has weights for those alone."""

    def __init__(self, connections: tuple[tuple[int, ...], ...] = CONNECTIONS) -> None:
        super().__init__()
        n_below = 1 + max(max(row) for row in connections)
        n_weights = sum(len(row) for row in connections)
        self.weight = nn.Parameter(torch.empty(n_weights, 5, 5))
        self.bias = nn.Parameter(torch.empty(len(connections)))
        self.fan_ins = [25 * len(row) for row in connections]
        # Where each pair of maps finds its kernel; pairs without one take any, times 0. Written like this, an exported
        # graph holds finished kernels: OpenVINO 2026.4 at times answers wrongly where it has to put them together.
        table = torch.zeros(len(connections) * n_below, dtype=torch.int64)
        is_connected = torch.zeros(len(connections), n_below, 1, 1)
        pairs = [(above, below) for above, row in enumerate(connections) for below in row]
        for place, (above, below) in enumerate(pairs):
            table[above * n_below + below] = place
            is_connected[above, below] = 1
        self.register_buffer("table", table, persistent=False)
        self.register_buffer("is_connected", is_connected, persistent=False)
        self.table: Tensor
        self.is_connected: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(N, maps below, H, W) -> (N, maps, H - 4, W - 4)."""
        kernels = self.weight.index_select(0, self.table).unflatten(0, self.is_connected.shape[:2]) * self.is_connected
        return F.conv2d(x, kernels, self.bias)


class RadialBasisOutput(nn.Module):
    """One unit a class: minus the squared distance between F6 and the class's fixed code of 84 signs."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.tensor(class_codes(n_classes), dtype=torch.float32))
        self.codes: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(N, 84) -> (N, n_classes); 0 where F6 is the code itself, below 0 everywhere else."""
        # Not written out as a matrix product: autocast would do that in bf16, whose steps are 0.5 at distances of 84.
        return -(x[:, None] - self.codes).square().sum(2)


def lenet5(*, n_classes: int = 10, n_channels: int = 1, side_px: int = 32, state: State | None = None) -> Net:
    """LeNet-5 with the paper's initial weights; other inputs than 1 x 32 x 32 change C1's and C5's size.

    For 10 classes the head's codes are the drawn digits, in order; for other numbers, signs by seed (the paper
    argues for such codes in section II-B only where classes look alike; ours have no such meaning).
    """
    map_px = ((side_px - 4) // 2 - 4) // 2
    net = Net(
        {
            "c1": nn.Sequential(nn.Conv2d(n_channels, 6, 5), Squash()),
            "s2": nn.Sequential(SubSampling(6), Squash()),
            "c3": nn.Sequential(PartlyConnected(), Squash()),
            "s4": nn.Sequential(SubSampling(16), Squash()),
            "c5": nn.Sequential(nn.Conv2d(16, 120, map_px), Squash(), nn.Flatten()),
            "f6": nn.Sequential(nn.Linear(120, 84), Squash()),
        },
        RadialBasisOutput(n_classes),
        dim=84,
        n_classes=n_classes,
    )
    _initialise(net)
    if state is not None:
        load_published(net, state)
    return net


@torch.no_grad()
def _initialise(net: Net) -> None:
    """Uniform in +-2.4 / fan-in, the bias being one more weight of its unit (Appendix A)."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            _uniform(module.weight[0].numel(), module.weight, module.bias)
        elif isinstance(module, SubSampling):
            _uniform(4, module.coefficient, module.bias)
        elif isinstance(module, PartlyConnected):
            first = 0
            for above, fan_in in enumerate(module.fan_ins):
                last = first + fan_in // 25
                _uniform(fan_in, module.weight[first:last], module.bias[above])
                first = last


def _uniform(fan_in: int, *weights: Tensor | None) -> None:
    for weight in weights:
        if weight is not None:
            nn.init.uniform_(weight, -2.4 / fan_in, 2.4 / fan_in)


def map_loss(logits: Tensor, labels: Tensor, *, j: float = 0.1) -> Tensor:
    """The paper's discriminative criterion (Eq. 9), the mean of `map_losses` over pictures."""
    return map_losses(logits, labels, j=j).mean()


def map_losses(logits: Tensor, labels: Tensor, *, j: float = 0.1) -> Tensor:
    """Each picture's y_D + log(exp(-j) + sum_i exp(-y_i)), (N,).

    y are the distances, minus the logits. exp(-j) is the chance of a picture that is no digit: it keeps the
    distances of wrong classes from being pushed away without end. The paper leaves j > 0 open; we take 0.1.

    Args:
        logits: (N, C) of this network.
        labels: (N,) class ids.
        j: above 0.
    """
    rubbish = logits.new_full((len(logits), 1), -j)
    return torch.logsumexp(torch.cat([logits, rubbish], 1), 1) - logits.gather(1, labels[:, None])[:, 0]


ENTRY = NetEntry(
    name="lenet-5",
    title="LeNet-5",
    year=1998,
    paper="LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 86(11)",
    n_parameters=60_000,
    stages=("c1", "s2", "c3", "s4", "c5", "f6"),
    dim=84,
    make=lenet5,
    side_px=32,
    smallest_side_px=16,
    n_channels=1,
    n_classes=10,
    # Digits are white on black here: black is the background, -0.1, and white the ink, 1.175.
    mean=(-_BACKGROUND / (_FOREGROUND - _BACKGROUND),),
    std=(1 / (_FOREGROUND - _BACKGROUND),),
)
