"""Two convolutions, two poolings and one hidden layer: what weight sharing saves against a multilayer perceptron.

Source: LeCun et al., Backpropagation Applied to Handwritten Zip Code Recognition, Neural Computation 1(4), 1989, for
the idea; the sizes are those of the textbook comparison: 32,970 weights where the dense network has 66,696.
"""

from __future__ import annotations

from torch import nn

from winnow.errors import UserError
from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.published import load_published

_SMALLEST_PX = 16


def small_convnet(*, n_classes: int = 10, n_channels: int = 1, side_px: int = 28, state: State | None = None) -> Net:
    """5x5 convolutions with 10 and 20 maps, each halved by max pooling, 84 hidden units; no biases anywhere.

    Raises:
        UserError: pictures under 16 px.
    """
    if side_px < _SMALLEST_PX:
        raise UserError(f"Two 5x5 convolutions with pooling need 16 px or more, not {side_px} px.")
    map_px = ((side_px - 4) // 2 - 4) // 2
    net = Net(
        {
            "conv1": nn.Sequential(nn.Conv2d(n_channels, 10, 5, bias=False), nn.ReLU(), nn.MaxPool2d(2)),
            "conv2": nn.Sequential(nn.Conv2d(10, 20, 5, bias=False), nn.ReLU(), nn.MaxPool2d(2)),
            "hidden": nn.Sequential(nn.Flatten(), nn.Linear(20 * map_px**2, 84, bias=False), nn.ReLU()),
        },
        nn.Linear(84, n_classes, bias=False),
        dim=84,
        n_classes=n_classes,
    )
    if state is not None:
        load_published(net, state)
    return net


ENTRY = NetEntry(
    name="small-convnet",
    title="Small convolutional network",
    year=1989,
    paper="LeCun et al.: Backpropagation Applied to Handwritten Zip Code Recognition, Neural Computation 1(4)",
    n_parameters=32_970,
    stages=("conv1", "conv2", "hidden"),
    dim=84,
    make=small_convnet,
    side_px=28,
    smallest_side_px=_SMALLEST_PX,
    n_channels=1,
    n_classes=10,
    mean=(0.5,),
    std=(0.5,),
)
