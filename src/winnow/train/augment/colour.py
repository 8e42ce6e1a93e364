"""What a pixel is: bytes to normalised floats, changed colours, holes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# What Pillow, and torchvision, make grey of red, green and blue with (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What a network wants numbers to be: (pixels / 255 - mean) / std, by channel. One channel: grey.

    The network's graph does the same with the pixels that it is given, so both take it from one place (`NetEntry`).
    """

    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or len(self.mean) not in (1, 3) or min(self.std) <= 0:
            raise ValueError(f"mean {self.mean} and std {self.std} are not of 1 or 3 channels, std above 0")

    def of(self, x: Tensor, largest: float = 255.0) -> Tensor:
        """(N, 3, H, W) in 0..`largest`, of any type, as normalised float32 (N, 3 or 1, H, W), in channels_last.

        A float32 `x` of three channels in channels_last is changed in place.
        """
        x = x.to(torch.float32, memory_format=torch.channels_last)
        if len(self.mean) == 1:
            x = _grey(x)
        std = torch.tensor(self.std, device=x.device)[:, None, None]
        mean = torch.tensor(self.mean, device=x.device)[:, None, None]
        return x.mul_(1 / (largest * std)).sub_(mean / std)


def jitter(x: Tensor, factors: Tensor) -> Tensor:
    """Brightness, contrast and saturation times their factors, in this order, each clamped to 0..1.

    Args:
        x: (N, 3, H, W) float in 0..1.
        factors: (N, 3), 1 changes nothing.

    Source: Pillow's ImageEnhance, which blends with black, with the mean grey and with the grey picture.
    """
    brightness, contrast, saturation = factors[:, :, None, None, None].to(x.dtype).unbind(1)
    x = (x * brightness).clamp_(0, 1)
    x = torch.lerp(_grey(x).mean((1, 2, 3), keepdim=True).expand_as(x), x, contrast).clamp_(0, 1)
    return torch.lerp(_grey(x).expand_as(x), x, saturation).clamp_(0, 1)


def cut_out(x: Tensor, centres: Tensor, hole_px: int) -> Tensor:
    """Zeros, in place, in a square hole around each picture's centre; the part that lies outside is lost.

    Args:
        x: (N, C, H, W), normalised: zero is the mean colour.
        centres: (N, 2) int64 row and column.

    Source: DeVries and Taylor, Improved Regularization of CNNs with Cutout, 2017.
    """
    start = centres - hole_px // 2
    hole = inside(torch.cat([start, start + hole_px], 1), x.shape[2], x.shape[3])
    return x.masked_fill_(hole[:, None], 0)


def inside(boxes: Tensor, height: int, width: int) -> Tensor:
    """(N, H, W) bool: which pixels lie in each picture's box (N, 4): top, left, bottom, right (exclusive)."""
    rows = torch.arange(height, device=boxes.device)
    columns = torch.arange(width, device=boxes.device)
    top, left, bottom, right = boxes[:, :, None].unbind(1)
    is_row = (rows >= top) & (rows < bottom)
    is_column = (columns >= left) & (columns < right)
    return is_row[:, :, None] & is_column[:, None, :]


def _grey(x: Tensor) -> Tensor:
    luma = torch.tensor(_LUMA, dtype=x.dtype, device=x.device)[:, None, None]
    return (x * luma).sum(1, keepdim=True)
