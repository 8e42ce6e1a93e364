"""Turn a folder of weights that timm knows into a Winnow backbone in a folder of your choice.

    python recipes/timm_backbone.py WEIGHTS_FOLDER OUT_FOLDER --side 192

WEIGHTS_FOLDER holds `index.json` (name -> architecture, create_kwargs, fixup, mean, std, licence, source) and
one `<name>*.safetensors` per entry. `winnow backbones add NAME --weights WEIGHTS_FOLDER` does the same and puts the
backbone where every climb finds it. Needs the extra `deep`. Nothing is fetched.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from winnow.errors import UserError
from winnow.nets.new_backbone import make_backbone
from winnow.nets.weights import find_weights


def main() -> None:
    """Read the arguments, write the backbone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="folder with index.json and *.safetensors")
    parser.add_argument("out", type=Path, help="folder to write the backbone into")
    parser.add_argument("--name", help="entry of index.json (default: the only one)")
    parser.add_argument("--side", type=int, help="picture side in pixels (default 192)")
    asked = parser.parse_args()
    try:
        backbone = make_backbone(find_weights(asked.weights, asked.name), asked.out, side_px=asked.side)
    except UserError as error:
        raise SystemExit(str(error)) from error
    print(f"{backbone.name}: {backbone.dim} features at {backbone.input_spec.side_px} px")


if __name__ == "__main__":
    main()
