"""A backbone of anybody's published weights: the graph to look through, and the weights to learn on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from winnow.data.inputs import InputSpec
from winnow.errors import UserError
from winnow.graph.backbone import Backbone, write_backbone
from winnow.nets.backbone_weights import write_weights
from winnow.nets.export import Normalise, as_graph, from_pixels, parity
from winnow.nets.weights import Weights, open_net

SIDE_PX = 192
"""Of pictures, where a network takes any: most of what 224 px give, a quarter cheaper."""
_MOST_DIFFERENCE = 1e-3


def backbone_name(weights: Weights) -> str:
    """What a backbone of these weights is called: the network, without what it was trained on."""
    return weights.name.split(".")[0].replace("_", "-")


def make_backbone(weights: Weights, folder: Path, *, side_px: int | None = None) -> Backbone:
    """Write a backbone into a folder; its graph gives pooled features (N, D) of uint8 pictures (N, side, side, 3).

    Args:
        weights: from a folder or the hub.
        folder: is made; what lies there is overwritten.
        side_px: of the pictures; default: 192, or what the network needs at least.

    Raises:
        UserError: the weights do not fit their network, or its graph does not answer as it does.
    """
    if side_px is None:
        side_px = max(SIDE_PX, weights.entry().smallest_side_px)
    net = open_net(weights, side_px=side_px).eval()
    network = from_pixels(net, Normalise(weights.mean, weights.std), "features").eval()
    graph = as_graph(network, side_px)
    pixels = np.random.default_rng(0).integers(0, 256, (2, side_px, side_px, 3), dtype=np.uint8)
    difference = parity(network, graph, pixels).largest_difference
    if difference > _MOST_DIFFERENCE:
        raise UserError(
            f"The graph of '{weights.name}' differs from its network by {difference:.2g} and is not to be used; "
            "take another network."
        )
    spec, source = InputSpec(side_px=side_px), weights.source
    name = backbone_name(weights)
    written = write_backbone(folder, graph, name=name, input_spec=spec, licence=weights.licence, source=source)
    facts = {"name": weights.architecture, "mean": list(weights.mean), "std": list(weights.std)}
    if weights.create or weights.fixup:
        facts |= {"create": dict(weights.create), "fixup": weights.fixup}
    return write_weights(written, net, facts)
