"""AlexNet, in two forms: the paper's with its two towers, and the one-tower form for which weights are published.

Source: Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012, for
`alexnet-2012`; Krizhevsky, One Weird Trick for Parallelizing Convolutional Neural Networks, arXiv 1404.5997, as
torchvision builds it, for `alexnet`.
"""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models.alexnet import AlexNet

from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import load_published, with_published

_STAGES = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")


def alexnet(*, n_classes: int = 1000, n_channels: int = 3, side_px: int = 224, state: State | None = None) -> Net:
    """The one-tower form; pictures from 63 px."""
    del side_px  # the last maps are brought to 6 x 6

    def make(classes: int) -> nn.Module:
        module = AlexNet(num_classes=classes)
        if n_channels != 3:
            module.features[0] = nn.Conv2d(n_channels, 64, 11, stride=4, padding=2)
        return module

    return with_published(make, _staged, head="classifier.6.weight", n_classes=n_classes, state=state)


def _staged(module: nn.Module) -> Net:
    maps, dense = (list(module.get_submodule(part).children()) for part in ("features", "classifier"))
    head = dense[6]
    assert isinstance(head, nn.Linear)
    return Net(
        {
            "conv1": nn.Sequential(*maps[0:3]),
            "conv2": nn.Sequential(*maps[3:6]),
            "conv3": nn.Sequential(*maps[6:8]),
            "conv4": nn.Sequential(*maps[8:10]),
            "conv5": nn.Sequential(*maps[10:13]),
            "fc6": nn.Sequential(nn.AdaptiveAvgPool2d(6), nn.Flatten(), *dense[0:3]),
            "fc7": nn.Sequential(*dense[3:6]),
        },
        head,
        dim=head.in_features,
        n_classes=head.out_features,
    )


def alexnet_2012(*, n_classes: int = 1000, n_channels: int = 3, side_px: int = 227, state: State | None = None) -> Net:
    """The paper's eight layers: conv2, conv4 and conv5 see half the maps below, as on its two GPUs.

    The paper says 224 px, its arithmetic (55 positions of an 11 px kernel with stride 4) needs 227. Pictures from
    67 px; their last maps are brought to 6 x 6.
    """
    del side_px
    net = Net(
        {
            "conv1": nn.Sequential(
                nn.Conv2d(n_channels, 96, 11, stride=4), nn.ReLU(), _response_norm(), _overlapping()
            ),
            "conv2": nn.Sequential(
                nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), _response_norm(), _overlapping()
            ),
            "conv3": nn.Sequential(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
            "conv4": nn.Sequential(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
            "conv5": nn.Sequential(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), _overlapping()),
            "fc6": nn.Sequential(
                nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(256 * 36, 4096), nn.ReLU(), nn.Dropout(0.5)
            ),
            "fc7": nn.Sequential(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
        },
        nn.Linear(4096, n_classes),
        dim=4096,
        n_classes=n_classes,
    )
    _initialise(net)
    if state is not None:
        load_published(net, state)
    return net


def _response_norm() -> nn.Module:
    # Section 3.3. torch divides alpha by the number of maps it sums over, the paper does not: hence 5 alpha.
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


def _overlapping() -> nn.Module:
    return nn.MaxPool2d(3, stride=2)


@torch.no_grad()
def _initialise(net: Net) -> None:
    """Section 5: normal with 0.01; biases 1 in conv2, conv4, conv5 and the hidden dense layers, else 0."""
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            nn.init.normal_(module.weight, 0, 0.01)
            starts_at_one = any(stage in name for stage in ("conv2", "conv4", "conv5", "fc6", "fc7"))
            nn.init.constant_(module.bias, 1.0 if starts_at_one else 0.0)


ENTRY_2012 = NetEntry(
    name="alexnet-2012",
    title="AlexNet, two towers",
    year=2012,
    paper="Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 25",
    n_parameters=60_965_224,
    stages=_STAGES,
    dim=4096,
    make=alexnet_2012,
    side_px=227,
    smallest_side_px=67,
)

ENTRY = NetEntry(
    name="alexnet",
    title="AlexNet, one tower",
    year=2014,
    paper="Krizhevsky: One Weird Trick for Parallelizing Convolutional Neural Networks, arXiv 1404.5997",
    n_parameters=61_100_840,
    stages=_STAGES,
    dim=4096,
    make=alexnet,
    smallest_side_px=63,
)
