"""What is shipped: the graph, and the weights beside it that can learn on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pictures import Views
from prune import STUDENT
from safetensors.torch import load_file
from teacher import N_CLASSES

from winnow.data.inputs import InputSpec
from winnow.graph.backbone import Backbone, write_backbone
from winnow.nets.backbone_weights import OURS, open_network, write_weights
from winnow.nets.export import Normalise, as_graph, from_pixels, parity
from winnow.nets.net import Net
from winnow.nets.winnow_backbone import ConvNorm, winnow_backbone

NAME = "winnow-small"
SOURCE = "recipes/embedded_backbone: distilled from mobilenet_edgetpu_224_1.0 of mlcommons/mobile_models (Apache-2.0)"
_MEAN = _STD = (0.5, 0.5, 0.5)
_LARGEST_DIFFERENCE = 1e-4


def write_package(student: Path, out: Path, data: Path) -> Backbone:
    """Write the backbone's folder; the graph is made from the very weights that lie beside it.

    Filters are stored in half precision. Norms stay in single precision and unfolded: a network learns on with them.

    Raises:
        SystemExit: graph and torch disagree on real pictures.
    """
    net = winnow_backbone(STUDENT, N_CLASSES)
    net.stages.load_state_dict(load_file(student))
    _halve_filters(net)
    spec = InputSpec(side_px=STUDENT.side_px)
    graph = _graph(net.float())
    backbone = write_backbone(out, graph, name=NAME, input_spec=spec, licence="Apache-2.0", source=SOURCE)
    network = {"name": OURS, "shape": STUDENT.to_json(), "mean": list(_MEAN), "std": list(_STD)}
    _halve_filters(net)
    backbone = write_weights(backbone, net, network)
    views = Views(data)
    pixels = np.stack([views.held(number) for number in range(50)])
    stored = open_network(backbone, N_CLASSES).eval()
    compared = parity(from_pixels(stored, Normalise(_MEAN, _STD), "features"), graph, pixels)
    if compared.largest_difference > _LARGEST_DIFFERENCE:
        raise SystemExit(f"Graph and weights differ by {compared.largest_difference:.2g}; {out} is not to be used.")
    megabytes = sum(file.stat().st_size for file in out.iterdir()) / 1e6
    print(f"{NAME}: {backbone.dim} features at {STUDENT.side_px} px, {megabytes:.1f} MB; graph and weights agree to "
          f"{compared.largest_difference:.1g}")  # fmt: skip
    return backbone


def _graph(net: Net) -> bytes:
    return as_graph(from_pixels(net, Normalise(_MEAN, _STD), "features"), STUDENT.side_px)


def _halve_filters(net: Net) -> None:
    for part in net.modules():
        if isinstance(part, ConvNorm):
            part.conv.half()
