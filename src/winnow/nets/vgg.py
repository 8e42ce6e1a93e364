"""VGG A to E: 11, 13, 16, 16 and 19 layers of small convolutions.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015, arXiv
1409.1556, Table 1. C is D with three of its 3x3 convolutions made 1x1. No batch norm, as in the paper.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import with_published

# Per block, the maps of each convolution; a negative number is a 1x1 convolution.
_CONFIGURATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "a": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "b": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "c": ((64, 64), (128, 128), (256, 256, -256), (512, 512, -512), (512, 512, -512)),
    "d": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "e": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}
_BLOCKS = tuple(f"block{number}" for number in range(1, 6))


def n_layers(configuration: str) -> int:
    """Layers with weights of configuration "a" to "e", the three fully connected ones included."""
    return sum(len(block) for block in _CONFIGURATIONS[configuration]) + 3


def vgg(
    configuration: str,
    *,
    n_classes: int = 1000,
    n_channels: int = 3,
    side_px: int = 224,
    state: State | None = None,
) -> Net:
    """Configuration "a" to "e"; pictures from 32 px, whose last maps are averaged or spread to 7 x 7.

    Args:
        state: weights under torchvision's names or timm's.

    Raises:
        UserError: the weights do not fit.
    """
    del side_px  # the last maps are brought to 7 x 7

    def make(classes: int) -> Net:
        net = Net(
            {
                **_convolutions(configuration, n_channels),
                "fc6": nn.Sequential(nn.AdaptiveAvgPool2d(7), nn.Flatten(), *_dense(512 * 7 * 7)),
                "fc7": nn.Sequential(*_dense(4096)),
            },
            nn.Linear(4096, classes),
            dim=4096,
            n_classes=classes,
        )
        if state is None:
            _initialise(net)
        return net

    renamed = None if state is None else _as_ours(configuration, state)
    return with_published(make, _as_it_is, head="head.weight", n_classes=n_classes, state=renamed)


def _as_it_is(net: nn.Module) -> Net:
    assert isinstance(net, Net)
    return net


def _convolutions(configuration: str, n_channels: int) -> dict[str, nn.Module]:
    stages: dict[str, nn.Module] = {}
    below = n_channels
    for name, block in zip(_BLOCKS, _CONFIGURATIONS[configuration], strict=True):
        layers: list[nn.Module] = []
        for maps in block:
            side = 3 if maps > 0 else 1
            layers += [nn.Conv2d(below, abs(maps), side, padding=side // 2), nn.ReLU(inplace=True)]
            below = abs(maps)
        stages[name] = nn.Sequential(*layers, nn.MaxPool2d(2))
    return stages


def _dense(n_inputs: int) -> list[nn.Module]:
    return [nn.Linear(n_inputs, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5)]


@torch.no_grad()
def _initialise(net: Net) -> None:
    """He's rule, by which all five learn from random weights; the paper started B to E from A's weights."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


_DENSE_NAMES = {  # ours: torchvision's, timm's (which writes fc6 and fc7 as convolutions of the same numbers)
    "stages.fc6.2": ("classifier.0", "pre_logits.fc1"),
    "stages.fc7.0": ("classifier.3", "pre_logits.fc2"),
    "head": ("classifier.6", "head.fc"),
}


def _as_ours(configuration: str, state: State) -> dict[str, torch.Tensor]:
    """Weights under torchvision's or timm's names, renamed; what has no place keeps its name and will be refused."""
    names: dict[str, str] = {}
    place = 0  # in the authors' one long list of convolutions, ReLUs and poolings
    for stage, block in zip(_BLOCKS, _CONFIGURATIONS[configuration], strict=True):
        for layer in range(len(block)):
            names[f"features.{place}"] = f"stages.{stage}.{2 * layer}"
            place += 2
        place += 1
    for ours, theirs in _DENSE_NAMES.items():
        names |= dict.fromkeys(theirs, ours)
    renamed: dict[str, torch.Tensor] = {}
    for name, weight in state.items():
        layer, _, kind = name.rpartition(".")
        ours = names.get(layer, layer)
        renamed[f"{ours}.{kind}"] = weight.flatten(1) if ours in _DENSE_NAMES and kind == "weight" else weight
    return renamed


def _entry(configuration: str, n_parameters: int) -> NetEntry:
    layers = n_layers(configuration)
    return NetEntry(
        name=f"vgg-{configuration}",
        title=f"VGG {configuration.upper()}, {layers} layers",
        year=2014,
        paper="Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015",
        n_parameters=n_parameters,
        stages=(*_BLOCKS, "fc6", "fc7"),
        dim=4096,
        make=partial(vgg, configuration),
        hub=None if configuration == "c" else f"vgg{layers}.tv_in1k",
        licence="no published weights" if configuration == "c" else "BSD-3-Clause",
    )


ENTRIES = (
    _entry("a", 132_863_336),
    _entry("b", 133_047_848),
    _entry("c", 133_638_952),
    _entry("d", 138_357_544),
    _entry("e", 143_667_240),
)
