"""A network as a graph of the house: uint8 pixels in, features or logits out, normalisation inside."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from winnow.errors import UserError
from winnow.graph.join import FEATURES, PIXELS
from winnow.graph.pictures import run_on_pictures
from winnow.graph.runtime import open_graph
from winnow.nets.entry import NetEntry
from winnow.nets.net import Net

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow turns colours into grey
_CHUNK = 64  # pictures that torch sees at once in `parity`


class Normalise(nn.Module):
    """uint8 pixels (N, H, W, 3) -> what a network takes, float32 (N, C, H, W): (pixels / 255 - mean) / std.

    With one channel, colours become grey first. `pad_px` puts black around the picture, as LeNet-5 wants around
    digits of 28 px.
    """

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], *, pad_px: int = 0) -> None:
        super().__init__()
        if len(mean) != len(std) or len(mean) not in (1, 3):
            raise UserError(
                f"Pictures have 1 or 3 channels; {len(mean)} means and {len(std)} deviations were given: "
                "give one or three of each."
            )
        # One multiplication and one addition instead of three steps.
        self.register_buffer("scale", (1 / (255 * torch.tensor(std))).view(1, -1, 1, 1))
        self.register_buffer("shift", (-torch.tensor(mean) / torch.tensor(std)).view(1, -1, 1, 1))
        self.register_buffer("luma", torch.tensor(_LUMA))
        self.scale: Tensor
        self.shift: Tensor
        self.luma: Tensor
        self.pad_px = pad_px

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised pictures; black (0) is what stands around a padded one."""
        if self.scale.shape[1] == 1:
            x = (pixels.to(torch.float32) @ self.luma)[:, None]
        else:
            x = pixels.permute(0, 3, 1, 2).to(torch.float32)
        if self.pad_px:
            x = F.pad(x, (self.pad_px,) * 4)
        return x * self.scale + self.shift


def normalise_for(entry: NetEntry, n_channels: int = 3, *, pad_px: int = 0) -> Normalise:
    """How the pictures of an entry are normalised when it is built for `n_channels`, 1 or 3."""
    if len(entry.mean) == n_channels:
        return Normalise(entry.mean, entry.std, pad_px=pad_px)
    mean, std = float(np.mean(entry.mean)), float(np.mean(entry.std))
    return Normalise((mean,) * n_channels, (std,) * n_channels, pad_px=pad_px)


class FromPixels(nn.Module):
    """A network behind its normalisation: uint8 pixels (N, H, W, 3) -> what the network gives."""

    def __init__(self, normalise: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.normalise = normalise
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """One row a picture."""
        return self.network(self.normalise(pixels))


def from_pixels(net: Net, normalise: nn.Module, gives: Literal["features", "logits"] = "logits") -> FromPixels:
    """The net, or the net without its head, from pixels on; it shares the net's weights."""
    parts = list(net.stages.values())
    return FromPixels(normalise, nn.Sequential(*(parts if gives == "features" else [*parts, net.head])))


def as_graph(network: nn.Module, side_px: int, *, output_name: str = FEATURES) -> bytes:
    """A network from pixels to rows of numbers as ONNX bytes, with a free batch size; the network is left as it is.

    Args:
        network: takes uint8 (N, side, side, 3) and gives float32 (N, D), such as `from_pixels` makes.
        side_px: the pictures' side.
        output_name: what the output is called. A head is joined at "features", be it a head over features or a
            calibration over logits.

    Returns:
        The same bytes each time for the same network and versions of torch and onnxscript.
    """
    example = torch.zeros((2, side_px, side_px, 3), dtype=torch.uint8)
    program = torch.onnx.export(
        copy.deepcopy(network).cpu().float().eval(),
        (example,),
        dynamo=True,
        input_names=[PIXELS],
        output_names=[output_name],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        verbose=False,
    )
    assert program is not None
    program.optimize()
    model = program.model_proto
    # The exporter notes, node by node, where in which file it came from: no business of whoever gets the graph.
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    del model.metadata_props[:]
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a graph's answers lie from its network's."""

    largest_difference: float
    """The largest absolute difference of two numbers."""
    flips: int
    """Pictures whose largest number stands in another place."""
    pictures: int

    def holds(self, at_most: float = 1e-4) -> bool:
        """Whether no number differs by more, and no answer at all."""
        return self.largest_difference <= at_most and self.flips == 0


@torch.inference_mode()
def parity(network: nn.Module, graph: bytes, pixels: NDArray[np.uint8]) -> Parity:
    """Compare a network with the graph made of it, which runs as it will for users: fp32, one picture at a time.

    Args:
        network: as `as_graph` takes it, in evaluation mode, on any device.
        graph: what `as_graph` gave.
        pixels: (N, side, side, 3).

    Raises:
        UserError: there are no pictures.
    """
    if len(pixels) == 0:
        raise UserError("A network and its graph cannot be compared on no pictures: give some.")
    opened = open_graph(graph, "fp32", one_at_a_time=True)
    given = run_on_pictures(opened, lambda index: pixels[index], len(pixels))
    device = next(network.buffers()).device
    largest, flips = 0.0, 0
    for start in range(0, len(pixels), _CHUNK):
        chunk = torch.from_numpy(np.ascontiguousarray(pixels[start : start + _CHUNK]))
        expected = network(chunk.to(device)).float().cpu().numpy()
        rows = np.stack([next(given) for _ in range(len(chunk))])
        largest = max(largest, float(np.abs(rows - expected).max()))
        flips += int((rows.argmax(1) != expected.argmax(1)).sum())
    return Parity(largest, flips, len(pixels))
