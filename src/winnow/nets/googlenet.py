"""GoogLeNet, as torchvision builds it: with batch norm, and 3x3 convolutions where the paper has 5x5.

Source: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, arXiv 1409.4842, Table 1. The two auxiliary
classifiers, which the paper uses only while it trains, are left out: torchvision counts 13.0 M parameters with them.
"""

from __future__ import annotations

import warnings

from torch import nn
from torchvision.models import googlenet as torchvision_googlenet

from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import with_published

_HALF = (0.5, 0.5, 0.5)
_STAGES = {
    "conv1": ("conv1", "maxpool1"),
    "conv2": ("conv2", "conv3", "maxpool2"),
    "inception3a": ("inception3a",),
    "inception3b": ("inception3b", "maxpool3"),
    "inception4a": ("inception4a",),
    "inception4b": ("inception4b",),
    "inception4c": ("inception4c",),
    "inception4d": ("inception4d",),
    "inception4e": ("inception4e", "maxpool4"),
    "inception5a": ("inception5a",),
    "inception5b": ("inception5b",),
}


def googlenet(*, n_classes: int = 1000, n_channels: int = 3, side_px: int = 224, state: State | None = None) -> Net:
    """GoogLeNet without auxiliary classifiers; pictures from 32 px."""
    del side_px  # its pooling takes any
    if state is not None:
        state = {name: weight for name, weight in state.items() if not name.startswith(("aux1.", "aux2."))}

    def make(classes: int) -> nn.Module:
        with warnings.catch_warnings():  # torchvision warns that its way of initialising is slow; we want it
            warnings.simplefilter("ignore")
            module = torchvision_googlenet(weights=None, num_classes=classes, aux_logits=False, init_weights=True)
        if n_channels != 3:
            module.conv1.conv = nn.Conv2d(n_channels, 64, 7, stride=2, padding=3, bias=False)
            nn.init.trunc_normal_(module.conv1.conv.weight, 0, 0.01, -2, 2)
        return module

    return with_published(make, _staged, head="fc.weight", n_classes=n_classes, state=state)


def _staged(module: nn.Module) -> Net:
    head = module.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    stages: dict[str, nn.Module] = {
        name: nn.Sequential(*(module.get_submodule(part) for part in parts)) for name, parts in _STAGES.items()
    }
    stages["pool"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), module.get_submodule("dropout"))
    return Net(stages, head, dim=head.in_features, n_classes=head.out_features)


ENTRY = NetEntry(
    name="googlenet",
    title="GoogLeNet (Inception v1)",
    year=2014,
    paper="Szegedy et al.: Going Deeper with Convolutions, arXiv 1409.4842",
    n_parameters=6_624_904,
    stages=(*_STAGES, "pool"),
    dim=1024,
    make=googlenet,
    # torchvision's weights were ported from a network that takes -1..1; torchvision converts inside, we do not.
    mean=_HALF,
    std=_HALF,
)
