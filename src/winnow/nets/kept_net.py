"""A trained network as one file of safetensors: its weights, and in the header how to build it again.

The header holds one entry, `winnow`, a JSON: "name", a network of the registry (or "winnow-backbone" with its "shape"),
with the "create" and "fixup" of an index of weights where it has them; "side_px", "n_channels", "n_classes"; and
"has_new_head", whether a plain linear layer stands in place of the network's own head. What else a course says of it
(mean and deviation of the pictures, black around them, mirror images, the temperature of the calibration) lies beside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from safetensors.torch import load, save
from torch import nn

from winnow.graph.safe_opening import checked_weights
from winnow.graph.safe_weights import metadata_of
from winnow.graph.unsafe_files import UnsafeModelError
from winnow.nets.backbone_weights import fresh_network
from winnow.nets.net import Net
from winnow.nets.published import load_published

ABOUT = "winnow"


def net_file(net: Net, about: Mapping[str, Any]) -> bytes:
    """The bytes of a network's file; the same for the same weights.

    Args:
        net: in evaluation mode, on any device.
        about: "name" and "side_px", and what else is known of it as JSON can say it.
    """
    has_new_head = type(net.head) is nn.Linear and "bias" in dict(net.head.named_parameters())
    said = {**about, "n_classes": net.n_classes, "has_new_head": has_new_head}
    # Sharing memory (tied weights) and other layouts are not for files: each tensor is written by itself, in rows.
    state = {name: weight.detach().cpu().contiguous().clone() for name, weight in net.state_dict().items()}
    # One entry only: the library writes several in an order of its own, another one each time.
    return save(state, {ABOUT: json.dumps(said, sort_keys=True)})


def read_net(data: bytes, name: str) -> tuple[Net, dict[str, Any]]:
    """The network of a file, in evaluation mode, and what the file says of it.

    Args:
        data: the file's content.
        name: what it is called in an error.

    Raises:
        UnsafeModelError: it is no such file, is damaged, or its weights are not those of the network that it names.
        UserError: this Winnow cannot build that network.
    """
    checked_weights(data, name)
    about = _about(data, name)
    net = fresh_network(about, about["n_classes"], side_px=about["side_px"])
    if about.get("has_new_head"):
        net.replace_head(about["n_classes"])
    checked_weights(data, name, layers=net.state_dict().keys(), must_be_finite=False)
    load_published(net, load(data))
    return net.eval(), about


def _about(data: bytes, name: str) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(metadata_of(data, name)[ABOUT])
        if isinstance(about["name"], str) and 0 < about["n_classes"] < 1 << 20 and 0 < about["side_px"] <= 4096:
            return about
    except (KeyError, TypeError, ValueError):
        pass
    raise UnsafeModelError(
        "E_MODEL_FORMAT", f"{name} does not say of which network its weights are; give one that Winnow wrote."
    )
