"""Where a pixel goes: mirrored, shifted, cropped and resized, each picture of a batch in its own way.

Pictures are squares, (N, S, S, 3) uint8; what says how is (N, ...) on the same device.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def flip_and_shift(pixels: Tensor, flips: Tensor | None, shifts: Tensor | None) -> Tensor:
    """Mirrored left to right where `flips`, and moved; what comes in from outside is the picture, reflected.

    The picture is as if padded by reflection (without repeating the edge) and cropped at another place. One gather
    does all: its index is the reflected, shifted, mirrored coordinate.

    Args:
        flips: (N,) bool; None: nowhere.
        shifts: (N, 2) int64, rows and columns that the window moves down and right (the content moves up and left),
            each less than S; None: not at all. The shift is made before the mirroring.
    """
    if flips is None and shifts is None:
        return pixels
    side = pixels.shape[1]
    along = torch.arange(side, device=pixels.device)
    n = len(pixels)
    columns = along.expand(n, side)
    if flips is not None:
        columns = torch.where(flips[:, None], side - 1 - columns, columns)
    rows = along.expand(n, side)
    if shifts is not None:
        rows = _reflected(rows + shifts[:, :1], side)
        columns = _reflected(columns + shifts[:, 1:], side)
    which = torch.arange(n, device=pixels.device)
    return pixels[which[:, None, None], rows[:, :, None], columns[:, None, :]]


def crop_and_resize(pixels: Tensor, boxes: Tensor, side_px: int, flips: Tensor | None = None) -> Tensor:
    """Each picture's box, resized to (N, side, side, 3), antialiased bilinear: uint8 on a CPU, else float32 in 0..255.

    Args:
        boxes: (N, 4) int64: top, left, height, width.
        flips: (N,) bool, which are mirrored as well.
    """
    crop = _crop_one_by_one if pixels.device.type == "cpu" else _crop_by_products
    return crop(pixels, boxes, side_px, flips)


def _crop_one_by_one(pixels: Tensor, boxes: Tensor, side_px: int, flips: Tensor | None) -> Tensor:
    """For a CPU: its instructions for bytes resize a picture 10 times as fast as products of matrices do."""
    done = pixels.new_empty((len(pixels), side_px, side_px, 3))
    for i, (top, left, height, width) in enumerate(boxes.tolist()):
        done[i] = resize(pixels[i : i + 1, top : top + height, left : left + width], side_px)[0]
    return flip_and_shift(done, flips, None)


def _crop_by_products(pixels: Tensor, boxes: Tensor, side_px: int, flips: Tensor | None) -> Tensor:
    """For an accelerator: resizing is linear and separable, hence two products with weights that differ by picture."""
    n, size = pixels.shape[:2]
    rows = _resizing(boxes[:, 0], boxes[:, 2], size, side_px)
    columns = _resizing(boxes[:, 1], boxes[:, 3], size, side_px)
    if flips is not None:
        columns = torch.where(flips[:, None, None], columns.flip(1), columns)
    x = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    x = torch.bmm(x.view(n, 3 * size, size), columns.transpose(1, 2)).view(n, 3, size, side_px)
    return torch.matmul(rows[:, None], x).permute(0, 2, 3, 1)


def resize(pixels: Tensor, side_px: int) -> Tensor:
    """Pictures (N, H, W, 3) as (N, side, side, 3) uint8, antialiased bilinear, as Pillow does it, within 1 of 255."""
    if pixels.shape[1:3] == (side_px, side_px):
        return pixels
    x = pixels.permute(0, 3, 1, 2)
    if pixels.device.type != "cpu":  # torch resizes bytes on the CPU only
        x = x.float()
    x = F.interpolate(x, size=(side_px, side_px), mode="bilinear", antialias=True)
    return (x.round().to(torch.uint8) if x.is_floating_point() else x).permute(0, 2, 3, 1)


def _reflected(places: Tensor, side: int) -> Tensor:
    """Places in -side < p < 2 side - 1, reflected into 0..side - 1."""
    return (side - 1) - ((side - 1) - places.abs()).abs()


def _resizing(start: Tensor, length: Tensor, size: int, out: int) -> Tensor:
    """(N, out, size) weights that resize `length` pixels from `start` to `out`: triangles as wide as the reduction.

    Source: Pillow's `Resample.c`, bilinear; the crop comes first, so no weight lies outside of it.
    """
    device = start.device
    scale = (length.float() / out)[:, None, None]
    centres = start[:, None, None] + (torch.arange(out, device=device) + 0.5)[None, :, None] * scale
    places = torch.arange(size, device=device)[None, None, :]
    weights = (1 - (places + 0.5 - centres).abs() / scale.clamp(min=1)).clamp(min=0)
    is_inside = (places >= start[:, None, None]) & (places < (start + length)[:, None, None])
    weights = weights * is_inside
    return weights / weights.sum(2, keepdim=True)
