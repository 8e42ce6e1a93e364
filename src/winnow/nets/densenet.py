"""DenseNet-121, as torchvision builds it.

Source: Huang, Liu, van der Maaten, Weinberger, Densely Connected Convolutional Networks, CVPR 2017, arXiv 1608.06993,
Table 1.
"""

from __future__ import annotations

from torch import nn
from torchvision.models import densenet121 as torchvision_densenet121

from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import with_published

_STAGES = {
    "stem": ("conv0", "norm0", "relu0", "pool0"),
    "block1": ("denseblock1", "transition1"),
    "block2": ("denseblock2", "transition2"),
    "block3": ("denseblock3", "transition3"),
    "block4": ("denseblock4", "norm5"),
}


def densenet121(*, n_classes: int = 1000, n_channels: int = 3, side_px: int = 224, state: State | None = None) -> Net:
    """DenseNet-121; pictures from 32 px."""
    del side_px  # its pooling takes any

    def make(classes: int) -> nn.Module:
        module = torchvision_densenet121(weights=None, num_classes=classes)
        if n_channels != 3:
            module.features.conv0 = nn.Conv2d(n_channels, 64, 7, stride=2, padding=3, bias=False)
            nn.init.kaiming_normal_(module.features.conv0.weight)
        return module

    return with_published(make, _staged, head="classifier.weight", n_classes=n_classes, state=state)


def _staged(module: nn.Module) -> Net:
    head = module.get_submodule("classifier")
    assert isinstance(head, nn.Linear)
    stages = {
        name: nn.Sequential(*(module.get_submodule(f"features.{part}") for part in parts))
        for name, parts in _STAGES.items()
    }
    stages["block4"].append(nn.ReLU(inplace=True))
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Net({**stages, "pool": pool}, head, dim=head.in_features, n_classes=head.out_features)


ENTRY = NetEntry(
    name="densenet-121",
    title="DenseNet-121",
    year=2016,
    paper="Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, arXiv 1608.06993",
    n_parameters=7_978_856,
    stages=(*_STAGES, "pool"),
    dim=1024,
    make=densenet121,
    hub="densenet121.tv_in1k",
    licence="Apache-2.0",
)
