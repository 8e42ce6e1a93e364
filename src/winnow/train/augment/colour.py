"""What a pixel is: bytes to normalised floats, changed colours, holes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# What Pillow, and torchvision, make grey of red, green and blue with (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)
_CACHED_PIXELS = 2**16


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

    def of(self, x: Tensor, factors: Tensor | None = None) -> Tensor:
        """Pictures as a network wants them: (N, C, H, W) float32, laid out in memory as was quickest.

        Args:
            x: (N, H, W, 3) in 0..255, uint8 or float32.
            factors: (N, 3) of brightness, contrast and saturation, 1 changes nothing: Pillow's ImageEnhance, which
                blends with black, with the mean grey and with the grey picture, in this order. All that is linear, so
                it is one product with the normalisation; unlike Pillow's, values are never clamped to 0..255.
        """
        n, height, width = x.shape[:3]
        std, mean = torch.tensor(self.std, device=x.device), torch.tensor(self.mean, device=x.device)
        is_plain = factors is None and len(mean) == 3
        shape = (n, height * width, 3) if is_plain else (n, len(mean), height * width)
        done = torch.empty(shape, device=x.device)
        for few in _few_at_once(x):
            pixels = x[few].float().view(-1, height * width, 3)
            if is_plain:
                torch.mul(pixels, 1 / (255 * std), out=done[few]).sub_(mean / std)
            else:
                matrix, offset = _enhancing(pixels, None if factors is None else factors[few], is_grey=len(mean) == 1)
                scale = (255 * std)[:, None]
                offset = (offset - 255 * mean[:, None]) / scale
                torch.baddbmm(offset, matrix / scale, pixels.transpose(1, 2), out=done[few])
        return done.view(n, height, width, 3).permute(0, 3, 1, 2) if is_plain else done.view(n, -1, height, width)


def _few_at_once(x: Tensor) -> Iterator[slice]:
    """On a CPU, as many pictures as its cache holds as floats, which halves the time; on an accelerator, all."""
    n, height, width = x.shape[:3]
    few = max(1, _CACHED_PIXELS // (height * width)) if x.device.type == "cpu" else max(n, 1)
    return (slice(start, start + few) for start in range(0, n, few))


def _enhancing(x: Tensor, factors: Tensor | None, *, is_grey: bool) -> tuple[Tensor, Tensor]:
    """What pixels x (N, P, 3), each a column, are multiplied by, (N, C, 3), and then get added, (N, 1, 1)."""
    luma = torch.tensor([_LUMA], device=x.device)
    if factors is None:
        return luma.expand(len(x), 1, 3), luma.new_zeros(1, 1, 1)
    brightness, contrast, saturation = factors[:, :, None, None].unbind(1)
    colours = saturation * torch.eye(3, device=x.device) + (1 - saturation) * luma.expand(3, 3)
    matrix = brightness * contrast * (luma @ colours if is_grey else colours)
    n_pixels = x.shape[1]
    mean = torch.bmm(x.new_full((1, 1, n_pixels), 1 / n_pixels).expand(len(x), 1, n_pixels), x)
    return matrix, (1 - contrast) * brightness * (mean @ luma.T)


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
