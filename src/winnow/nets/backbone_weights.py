"""A backbone's weights beside its graph: with them its network can learn on, not only be looked through.

Optional files of a backbone's folder: `weights.safetensors`, under our own names (`Net.state_dict`, without the head),
and in `backbone.json` an entry `network`: {"name": a network of the registry, with the "create" and "fixup" of an index
of weights where it has them, or "winnow-backbone" with its "shape"; "mean": ..., "std": ... of the pictures it takes;
"sha256": of the weights}.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from safetensors.torch import save_file

from winnow.data.whole_files import disk_errors, write_whole
from winnow.errors import UserError
from winnow.graph.backbone import FACTS, WEIGHTS, Backbone, open_backbone
from winnow.nets.net import Net
from winnow.nets.weights import build_as, read_state

OURS = "winnow-backbone"


def write_weights(backbone: Backbone, net: Net, network: Mapping[str, Any]) -> Backbone:
    """Put a network's weights beside the graph that was made of it.

    Args:
        backbone: the folder with the graph.
        net: its network; the head is left out.
        network: "name", "mean" and "std"; "shape", "create" and "fixup" where it has them.

    Raises:
        WorkspaceError: no space, no permission.
    """
    state = {name: weight.contiguous() for name, weight in net.state_dict().items() if not name.startswith("head.")}
    path = backbone.folder / WEIGHTS
    with disk_errors("write", path):
        save_file(state, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        facts = json.loads((backbone.folder / FACTS).read_text(encoding="utf-8"))
        facts["network"] = {**network, "sha256": digest}
        write_whole(backbone.folder / FACTS, json.dumps(facts, indent=1).encode("utf-8"), is_durable=False)
    return open_backbone(backbone.folder)


def open_network(backbone: Backbone, n_classes: int) -> Net:
    """The backbone's network with its weights, under a head for `n_classes` that starts even.

    Raises:
        UserError: it has no weights, or they are not those of its network.
    """
    network, path = backbone.network, backbone.folder / WEIGHTS
    if network is None:
        raise UserError(f"The backbone '{backbone.name}' has no {WEIGHTS}; its graph can only be looked through.")
    state = read_state(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != network.get("sha256"):
        raise UserError(f"{path} is not what {FACTS} beside it names; make or copy the backbone again.")
    net = fresh_network(network, 2, side_px=backbone.input_spec.side_px)
    wanted = {name for name in net.state_dict() if not name.startswith("head.")}
    try:
        net.load_state_dict({name: weight for name, weight in state.items() if name in wanted}, strict=False)
    except RuntimeError as error:
        raise UserError(f"{path} holds weights of other sizes than its network's; make the backbone again.") from error
    if missing := wanted - set(state):
        raise UserError(f"{path} lacks {min(missing)} and {len(missing) - 1} more; make or copy the backbone again.")
    net.replace_head(n_classes)
    return net


def fresh_network(network: Mapping[str, Any], n_classes: int, *, side_px: int) -> Net:
    """A network as it is named beside its weights, with fresh ones.

    Raises:
        NotFoundError: no network is called so.
        UserError: something is asked for that is not allowed, or its shape makes no sense.
    """
    name = str(network.get("name"))
    if name == OURS:
        from winnow.nets.winnow_backbone import BackboneShape, winnow_backbone

        return winnow_backbone(BackboneShape.from_json(network["shape"]), n_classes)
    return build_as(name, n_classes, side_px=side_px, create=network.get("create", {}), fixup=network.get("fixup"))
