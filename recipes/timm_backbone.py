"""Turn a folder of weights that timm knows into a Winnow backbone: one graph and one small JSON.

    python recipes/timm_backbone.py WEIGHTS_FOLDER OUT_FOLDER --side 192

WEIGHTS_FOLDER holds `index.json` (name -> architecture, create_kwargs, fixup, mean, std, licence, source) and
one `<name>*.safetensors` per entry. The graph takes upright uint8 pictures (N, side, side, 3) and gives
pooled features (N, D) in float32; the normalisation is inside. Needs the extra `deep`. Nothing is fetched.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from winnow.data.inputs import InputSpec
from winnow.errors import UserError
from winnow.graph.backbone import write_backbone
from winnow.nets.export import Normalise, as_graph, from_pixels, parity
from winnow.nets.weights import find_weights, open_net


def main() -> None:
    """Read the arguments, write the backbone, check the graph against torch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="folder with index.json and *.safetensors")
    parser.add_argument("out", type=Path, help="folder to write graph.onnx and backbone.json into")
    parser.add_argument("--name", help="entry of index.json (default: the only one)")
    parser.add_argument("--side", type=int, default=192, help="picture side in pixels (default 192)")
    asked = parser.parse_args()

    try:
        weights = find_weights(asked.weights, asked.name)
        net = open_net(weights, side_px=asked.side)
    except UserError as error:
        raise SystemExit(str(error)) from error
    network = from_pixels(net, Normalise(weights.mean, weights.std), "features").eval()
    graph = as_graph(network, asked.side)
    backbone = write_backbone(
        asked.out,
        graph,
        name=weights.name.split(".")[0].replace("_", "-"),
        input_spec=InputSpec(side_px=asked.side),
        licence=weights.licence,
        source=weights.source,
    )
    pixels = np.random.default_rng(0).integers(0, 256, (2, asked.side, asked.side, 3), dtype=np.uint8)
    difference = parity(network, graph, pixels).largest_difference
    if difference > 1e-3:
        raise SystemExit(
            f"The graph and torch differ by {difference:.2g}; the backbone in {asked.out} is not to be used."
        )
    print(f"{backbone.name}: {backbone.dim} features at {asked.side} px, graph and torch agree to {difference:.1g}")


if __name__ == "__main__":
    main()
