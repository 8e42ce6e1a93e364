"""Turn a folder of weights that timm knows into a Winnow backbone: one graph and one small JSON.

    python recipes/timm_backbone.py WEIGHTS_FOLDER OUT_FOLDER --side 192

WEIGHTS_FOLDER holds `index.json` (name -> architecture, create_kwargs, fixup, mean, std, licence, source) and
one `<name>*.safetensors` per entry. The graph takes upright uint8 pictures (N, side, side, 3) and gives
pooled features (N, D) in float32; the normalisation is inside. Needs the extra `deep`. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np
import timm
import torch
from safetensors.torch import load_file

from winnow.data.inputs import InputSpec
from winnow.graph.backbone import write_backbone

# What index.json may ask for, spelled out: its "fixup" line is read as one of these, never executed.
_IDENTITY = re.compile(r"^model\.blocks\[(\d+)\]\[(\d+)\]\.(\w+)\.act = torch\.nn\.Identity\(\)$")


class PixelsToFeatures(torch.nn.Module):
    """uint8 (N, H, W, 3) -> float32 (N, D): what a graph of Winnow takes and gives."""

    def __init__(self, network: torch.nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.network = network
        # (x / 255 - mean) / std as one multiplication and one addition.
        self.register_buffer("scale", (1 / (255 * torch.tensor(std))).view(1, 3, 1, 1))
        self.register_buffer("shift", (-torch.tensor(mean) / torch.tensor(std)).view(1, 3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = pixels.permute(0, 3, 1, 2).to(torch.float32) * self.scale + self.shift
        return self.network(x)


def build_network(entry: dict, weights: Path) -> torch.nn.Module:
    """The network of one entry of `index.json` with its weights, without its classifier, in eval mode."""
    network = timm.create_model(entry["architecture"], pretrained=False, **entry.get("create_kwargs", {}))
    if fixup := entry.get("fixup"):
        match = _IDENTITY.match(fixup)
        if match is None:
            raise SystemExit(f"This recipe does not know the fix-up {fixup!r}; add it to timm_backbone.py.")
        stage, block, name = int(match[1]), int(match[2]), match[3]
        getattr(network.blocks[stage][block], name).act = torch.nn.Identity()
    state = {key: value.float() for key, value in load_file(weights).items()}
    network.load_state_dict(state)
    network.reset_classifier(0)
    return network.eval()


def export(network: torch.nn.Module, side_px: int) -> bytes:
    """The network as ONNX bytes with a free batch size, by torch's dynamo exporter."""
    example = torch.zeros((2, side_px, side_px, 3), dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1)
    program = torch.onnx.export(
        network,
        (example,),
        dynamo=True,
        input_names=["pixels"],
        output_names=["features"],
        dynamic_shapes={"pixels": {0: batch}},
        verbose=False,
    )
    program.optimize()
    model = program.model_proto
    # The exporter notes, node by node, where in which file it came from: no business of whoever gets the graph.
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    del model.metadata_props[:]
    return model.SerializeToString(deterministic=True)


def main() -> None:
    """Read the arguments, write the backbone, check the graph against torch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="folder with index.json and *.safetensors")
    parser.add_argument("out", type=Path, help="folder to write graph.onnx and backbone.json into")
    parser.add_argument("--name", help="entry of index.json (default: the only one)")
    parser.add_argument("--side", type=int, default=192, help="picture side in pixels (default 192)")
    asked = parser.parse_args()

    index = json.loads((asked.weights / "index.json").read_text(encoding="utf-8"))
    name = asked.name or next(iter(index))
    if name not in index:
        raise SystemExit(f"index.json has no entry '{name}'. It has: {', '.join(index)}.")
    weights = sorted(asked.weights.glob(f"{name}*.safetensors"))
    if not weights:
        raise SystemExit(f"No file {name}*.safetensors lies in {asked.weights}.")

    torch.manual_seed(0)
    network = PixelsToFeatures(build_network(index[name], weights[0]), index[name]["mean"], index[name]["std"]).eval()
    graph = export(network, asked.side)
    backbone = write_backbone(
        asked.out,
        graph,
        name=name.split(".")[0].replace("_", "-"),
        input_spec=InputSpec(side_px=asked.side),
        licence=index[name]["licence"],
        source=index[name]["source"],
    )
    pixels = np.random.default_rng(0).integers(0, 256, (2, asked.side, asked.side, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels)).numpy()
    opened = backbone.open("fp32")
    given = np.concatenate([opened.run(picture[None]) for picture in pixels])
    difference = float(np.abs(given - expected).max())
    if difference > 1e-3:
        raise SystemExit(
            f"The graph and torch differ by {difference:.2g}; the backbone in {asked.out} is not to be used."
        )
    print(f"{backbone.name}: {backbone.dim} features at {asked.side} px, graph and torch agree to {difference:.1g}")


if __name__ == "__main__":
    main()
