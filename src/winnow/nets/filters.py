"""Convolution, pooling and the filters with names, one picture at a time: what a layer does, to look at.

Source: Dumoulin and Visin, A Guide to Convolution Arithmetic for Deep Learning, arXiv 1603.07285; Gonzalez and Woods,
Digital Image Processing, for the kernels.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from winnow.errors import NotFoundError, UserError, did_you_mean

Pooling = Literal["max", "average", "sum", "min", "median"]

FILTERS: dict[str, Tensor] = {
    "identity": torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "edge": torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "sharpen": torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "box": torch.full((3, 3), 1 / 9),
    "gaussian-blur": torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
}
"""Name -> kernel (3, 3). All but "edge", which sums to 0, sum to 1 and so keep the brightness."""


def find_filter(name: str) -> Tensor:
    """The kernel (3, 3) of that name.

    Raises:
        NotFoundError: no filter is called so.
    """
    if name in FILTERS:
        return FILTERS[name]
    hint = did_you_mean(name, FILTERS, otherwise=f"Known are {', '.join(FILTERS)}.")
    raise NotFoundError(f"No filter is called '{name}'. {hint}")


def convolve(picture: Tensor, kernel: Tensor, *, stride: int = 1, padding_px: int = 0) -> Tensor:
    """The kernel laid on every place of a picture, products summed; the kernel is not flipped, as in networks.

    Args:
        picture: (H, W).
        kernel: (h, w).
        stride: pixels between places.
        padding_px: zeros put around the picture.

    Returns:
        (H', W') with H' = (H + 2 padding - h) // stride + 1.

    Raises:
        UserError: the kernel is larger than the padded picture, or the stride is below 1.
    """
    _check(picture, kernel.shape[0], kernel.shape[1], stride, padding_px)
    return F.conv2d(picture[None, None].float(), kernel[None, None].float(), stride=stride, padding=padding_px)[0, 0]


def pool(picture: Tensor, kind: Pooling, *, size_px: int = 2, stride: int | None = None, padding_px: int = 0) -> Tensor:
    """Each window of a picture as one number.

    Args:
        picture: (H, W).
        kind: "max", "average", "sum", "min" or "median" (of an even count, the mean of the middle two).
        size_px: the window's side.
        stride: pixels between windows; by default they touch.
        padding_px: zeros put around the picture.

    Returns:
        (H', W') as in `convolve`.

    Raises:
        UserError: the window is larger than the padded picture, the stride is below 1, or the kind is unknown.
    """
    stride = size_px if stride is None else stride
    _check(picture, size_px, size_px, stride, padding_px)
    padded = F.pad(picture.float(), (padding_px,) * 4)
    windows = padded.unfold(0, size_px, stride).unfold(1, size_px, stride).flatten(2)  # (H', W', size * size)
    match kind:
        case "max":
            return windows.amax(2)
        case "min":
            return windows.amin(2)
        case "sum":
            return windows.sum(2)
        case "average":
            return windows.mean(2)
        case "median":
            return torch.quantile(windows, 0.5, dim=2)
        case _:
            raise UserError(f"No pooling is called '{kind}': take max, average, sum, min or median.")


def _check(picture: Tensor, height: int, width: int, stride: int, padding_px: int) -> None:
    if picture.ndim != 2:
        raise UserError(f"A picture here is (H, W), one channel at a time, not of shape {tuple(picture.shape)}.")
    if stride < 1 or padding_px < 0:
        raise UserError(f"A stride of {stride} with {padding_px} px of padding is not possible: take 1 and 0 or more.")
    if height > picture.shape[0] + 2 * padding_px or width > picture.shape[1] + 2 * padding_px:
        raise UserError(
            f"A window of {height} x {width} does not fit a picture of {picture.shape[0]} x {picture.shape[1]} "
            f"with {padding_px} px of padding: take a smaller window or more padding."
        )
