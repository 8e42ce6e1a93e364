"""Winnow's own backbone: a narrow network of fused and separable inverted bottlenecks, distilled from a larger one.

The first stages are plain 3 x 3 convolutions (a fused inverted bottleneck), which processors run near their peak;
depthwise ones begin where maps are small. It is the shape of MobileNet-EdgeTPU (Xiong et al., MobileDets, CVPR 2021)
with narrower insides: every block keeps its teacher's width on the outside, so that the two can be compared block by
block. `recipes/embedded_backbone` makes the weights.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow.errors import UserError
from winnow.nets.depthwise import depthwise
from winnow.nets.net import Net

Kind = Literal["fused", "separable"]


@dataclass(frozen=True, slots=True)
class BlockShape:
    """One inverted bottleneck: inside -> hidden -> outside channels.

    Attributes:
        kind: "fused": a full k x k convolution widens; "separable": a 1 x 1 one widens, a depthwise k x k follows.
        skips: whether the input is added to the output (same width and stride 1 only).
    """

    kind: Kind
    inside: int
    hidden: int
    outside: int
    kernel: int = 3
    stride: int = 1
    skips: bool = False


@dataclass(frozen=True, slots=True)
class BackboneShape:
    """The widths of a whole network, as its JSON has them."""

    side_px: int
    """Side of the pictures that it was trained on."""
    stem: tuple[int, int]
    """Channels of the strided 3 x 3 convolution and of the 1 x 1 one behind it."""
    stages: tuple[tuple[BlockShape, ...], ...]
    dim: int
    """Width of the last 1 x 1 convolution: features of one picture."""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> BackboneShape:
        """Back from `to_json`.

        Raises:
            UserError: the values are not those of a backbone's shape.
        """
        try:
            stages = tuple(tuple(BlockShape(**block) for block in stage) for stage in values["stages"])
            first, second = values["stem"]
            return cls(int(values["side_px"]), (int(first), int(second)), stages, int(values["dim"]))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"These are not the widths of a Winnow backbone ({error}); take those beside its weights."
            ) from error


class ConvNorm(nn.Module):
    """Convolution, batch norm and, where `acts`, ReLU; padded as TensorFlow's SAME, which the teacher learned with."""

    def __init__(
        self, inside: int, outside: int, kernel: int = 1, stride: int = 1, *, groups: int = 1, acts: bool = True
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.acts = kernel, stride, acts
        self.padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inside, outside, kernel, stride, self.padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outside)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside, H, W) -> (B, outside, ceil(H / stride), ceil(W / stride))."""
        if self.stride > 1:
            across = same_padding(x.shape[3], self.kernel, self.stride)
            x = functional.pad(x, (*across, *same_padding(x.shape[2], self.kernel, self.stride)))
        is_folded = self.training and not self.norm.training
        x = self._folded(x) if is_folded else self.norm(self._convolved(x, self.conv.weight))
        return functional.relu(x, inplace=self.training) if self.acts else x

    def _folded(self, x: Tensor) -> Tensor:
        """Convolution and a norm that keeps its statistics as one convolution: a pass over the map less, both ways."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        bias = torch.addcmul(norm.bias, norm.running_mean, scale, value=-1)
        return self._convolved(x, self.conv.weight * scale[:, None, None, None], bias)

    def _convolved(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        groups = self.conv.groups
        is_slow = groups > 1 and (self.stride > 1 or self.kernel > 3)
        if self.training and is_slow and x.device.type == "cpu":
            return depthwise(x, weight, bias, self.stride, self.padding)
        return functional.conv2d(x, weight, bias, self.stride, self.padding, groups=groups)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side of `size`, so that the output has ceil(size / stride); the odd one goes after.

    >>> same_padding(128, 3, 2)
    (0, 1)
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Bottleneck(nn.Module):
    """One inverted bottleneck; its last convolution is linear (Sandler et al., MobileNetV2, CVPR 2018)."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        self.skips = shape.skips
        if shape.kind == "fused":
            widen = [ConvNorm(shape.inside, shape.hidden, shape.kernel, shape.stride)]
        else:
            depthwise = ConvNorm(shape.hidden, shape.hidden, shape.kernel, shape.stride, groups=shape.hidden)
            widen = [ConvNorm(shape.inside, shape.hidden), depthwise]
        self.widen = nn.Sequential(*widen)
        self.project = ConvNorm(shape.hidden, shape.outside, acts=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside, H, W) -> (B, outside, H / stride, W / stride)."""
        y = self.project(self.widen(x))
        return x + y if self.skips else y


class Pool(nn.Module):
    """The mean over positions: (B, C, H, W) -> (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C)."""
        return x.mean((2, 3))


def winnow_backbone(shape: BackboneShape, n_classes: int) -> Net:
    """The network of that shape with fresh weights: stages `stem`, `stage1`... and `top`, which gives the features.

    It takes pictures (N, 3, H, W) as (pixels / 255 - 0.5) / 0.5.
    """
    first, second = shape.stem
    stages: dict[str, nn.Module] = {
        "stem": nn.Sequential(ConvNorm(3, first, 3, 2), ConvNorm(first, second, acts=False))
    }
    for number, blocks in enumerate(shape.stages, 1):
        stages[f"stage{number}"] = nn.Sequential(*(Bottleneck(block) for block in blocks))
    stages["top"] = nn.Sequential(ConvNorm(shape.stages[-1][-1].outside, shape.dim), Pool())
    return Net(stages, nn.Linear(shape.dim, n_classes), dim=shape.dim, n_classes=n_classes)
