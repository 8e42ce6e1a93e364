"""The teacher: MobileNet-EdgeTPU 1.0 as a network of our own blocks, and what it says of every view."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pictures import SIDE_PX, Views
from safetensors.torch import load_file
from torch import Tensor, nn

from winnow.graph.runtime import open_graph
from winnow.machine import cores
from winnow.nets.net import Net
from winnow.nets.winnow_backbone import BackboneShape, BlockShape, Kind, winnow_backbone

_CHUNK = 2048
N_CLASSES = 1000
MIDDLE, N_MIDDLE, N_LAST = (96, 8, 8), 96 * 8 * 8, 192 * 4 * 4
"""What is kept of an answer: the map behind `stage4` and its numbers, and those of the map behind `stage6`."""


def stages_of(
    first: int, plan: list[tuple[Kind, int, int, int, tuple[int, ...]]]
) -> tuple[tuple[BlockShape, ...], ...]:
    """Stages from (kind, width, kernel, stride of the first block, hidden widths); all blocks but the first skip."""
    stages: list[tuple[BlockShape, ...]] = []
    inside = first
    for kind, outside, kernel, stride, hidden in plan:
        blocks: list[BlockShape] = []
        for number, width in enumerate(hidden):
            step = stride if number == 0 else 1
            blocks.append(BlockShape(kind, inside, width, outside, kernel, step, skips=number > 0))
            inside = outside
        stages.append(tuple(blocks))
    return tuple(stages)


TEACHER = BackboneShape(
    side_px=SIDE_PX,
    stem=(32, 16),
    stages=stages_of(
        16,
        [
            ("fused", 32, 3, 2, (128, 128, 128, 128)),
            ("fused", 48, 3, 2, (256, 192, 192, 192)),
            ("separable", 96, 3, 2, (384, 384, 384, 384)),
            ("separable", 96, 3, 1, (768, 384, 384, 384)),
            ("separable", 160, 5, 2, (768, 640, 640, 640)),
            ("separable", 192, 3, 1, (1280,)),
        ],
    ),
    dim=1280,
)


def load_teacher(weights: Path) -> Net:
    """The teacher with its weights, in eval mode."""
    name, entry = next(iter(json.loads((weights / "index.json").read_text(encoding="utf-8")).items()))
    if entry["architecture"] != "mobilenet_edgetpu_100":
        raise SystemExit(f"{weights} holds {entry['architecture']}; this recipe prunes a mobilenet_edgetpu_100.")
    published = load_file(next(weights.glob(f"{name}*.safetensors")))
    net = winnow_backbone(TEACHER, N_CLASSES)
    net.load_state_dict({_our_name(key): value.float() for key, value in published.items()})
    return net.eval()


def _our_name(published: str) -> str:
    """`blocks.3.1.conv_dw.weight` -> `stages.stage3.1.widen.1.conv.weight`, and so on."""
    *path, value = published.split(".")
    if path == ["classifier"]:
        return f"head.{value}"
    fixed = {"conv_stem": "stem.0.conv", "bn1": "stem.0.norm", "conv_head": "top.0.conv", "bn2": "top.0.norm"}
    if path[0] in fixed:
        return f"stages.{fixed[path[0]]}.{value}"
    stage, block, layer = int(path[1]), int(path[2]), path[3]
    if stage == 0:
        return f"stages.stem.1.{'norm' if layer == 'bn1' else 'conv'}.{value}"
    places: Mapping[str, str] = (
        {"conv_exp": "widen.0", "bn1": "widen.0", "conv_pwl": "project", "bn2": "project"}
        if stage < 3
        else {
            "conv_pw": "widen.0",
            "bn1": "widen.0",
            "conv_dw": "widen.1",
            "bn2": "widen.1",
            "conv_pwl": "project",
            "bn3": "project",
        }
    )
    kind = "norm" if re.fullmatch(r"bn\d", layer) else "conv"
    return f"stages.stage{stage}.{block}.{places[layer]}.{kind}.{value}"


class Said(nn.Module):
    """What is kept of the teacher's answer: its maps behind `stage4` (96, 8, 8) and `stage6` (192, 4, 4), flat."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.middle, self.last = net.lower("stage4"), net.lower("stage6")[len(net.lower("stage4")) :]

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 (N, 128, 128, 3) -> (N, 6144 + 3072)."""
        x = pixels.permute(0, 3, 1, 2).to(torch.float32) * (1 / 127.5) - 1
        middle = self.middle(x)
        return torch.cat([middle.flatten(1), self.last(middle).flatten(1)], 1)


def answers(graph: bytes, views: Views, file: Path) -> npt.NDArray[np.float16]:
    """What the teacher says of every view, (views, 9216), memory-mapped; made in pieces, resumed where it stopped."""
    done = file.with_suffix(".done")
    kept = np.lib.format.open_memmap(
        file, mode="r+" if done.exists() else "w+", dtype=np.float16, shape=(len(views), N_MIDDLE + N_LAST)
    )
    start = int(done.read_text()) if done.exists() else 0
    opened = open_graph(graph, "bf16", one_at_a_time=True)
    with ThreadPoolExecutor(cores()) as pool:
        for begin in range(start, len(views), _CHUNK):
            end = min(begin + _CHUNK, len(views))
            kept[begin:end] = np.concatenate(list(pool.map(lambda n: opened.run(views[n][None]), range(begin, end))))
            kept.flush()
            partial = done.with_suffix(".partial")
            partial.write_text(str(end))
            partial.replace(done)
            print(f"teacher: {end} of {len(views)} views", flush=True)
    return np.load(file, mmap_mode="r")
