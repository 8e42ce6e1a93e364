"""ResNet-18, 34, 50, 101 and 152, as torchvision builds them.

Source: He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016, arXiv 1512.03385, Table 1.
torchvision strides in the 3x3 convolution of a bottleneck, the paper in its first 1x1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn
from torchvision.models import resnet as torchvision_resnet

from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import with_published

_LAYERS = ("layer1", "layer2", "layer3", "layer4")


def resnet(
    depth: int, *, n_classes: int = 1000, n_channels: int = 3, side_px: int = 224, state: State | None = None
) -> Net:
    """A residual network of 18, 34, 50, 101 or 152 layers; pictures of any size from 32 px."""
    del side_px  # its pooling takes any
    build: Callable[..., torchvision_resnet.ResNet] = getattr(torchvision_resnet, f"resnet{depth}")

    def make(classes: int) -> nn.Module:
        module = build(weights=None, num_classes=classes)
        if n_channels != 3:
            module.conv1 = nn.Conv2d(n_channels, 64, 7, stride=2, padding=3, bias=False)
            nn.init.kaiming_normal_(module.conv1.weight, mode="fan_out", nonlinearity="relu")
        return module

    return with_published(make, _staged, head="fc.weight", n_classes=n_classes, state=state)


def _staged(module: nn.Module) -> Net:
    part = module.get_submodule
    head = part("fc")
    assert isinstance(head, nn.Linear)
    return Net(
        {
            "stem": nn.Sequential(part("conv1"), part("bn1"), part("relu"), part("maxpool")),
            **{name: part(name) for name in _LAYERS},
            "pool": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        },
        head,
        dim=head.in_features,
        n_classes=head.out_features,
    )


def _entry(depth: int, n_parameters: int) -> NetEntry:
    return NetEntry(
        name=f"resnet-{depth}",
        title=f"ResNet-{depth}",
        year=2015,
        paper="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, arXiv 1512.03385",
        n_parameters=n_parameters,
        stages=("stem", *_LAYERS, "pool"),
        dim=512 if depth < 50 else 2048,
        make=partial(resnet, depth),
        hub=f"resnet{depth}.tv_in1k",
        licence="BSD-3-Clause",
    )


ENTRIES = (
    _entry(18, 11_689_512),
    _entry(34, 21_797_672),
    _entry(50, 25_557_032),
    _entry(101, 44_549_160),
    _entry(152, 60_192_808),
)
