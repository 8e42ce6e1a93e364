"""The backbones at hand: what each is, costs and scores; and how another one is added."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.api.dataset import using
from winnow.api.shelves import shelves
from winnow.data.whole_files import disk_errors
from winnow.errors import UserError, need
from winnow.graph.backbone import EMBEDDED, Backbone, list_backbones
from winnow.graph.formats import time_formats
from winnow.workspace.workspace import Workspace

if TYPE_CHECKING:
    from winnow.nets.weights import Weights


def backbones(workspace: str | Path | Workspace | None = None, *, measure: bool = True) -> list[dict[str, Any]]:
    """Every backbone at hand as plain values, in the order in which a climb would take one.

    Args:
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        measure: time each on this machine, which takes a second or two apiece.

    Returns:
        name; origin ("given": from WINNOW_BACKBONES, "workspace" or "embedded"); folder; dim, its features; side_px;
        bytes of its graph; can_learn, whether its network's weights lie beside the graph, to be fine-tuned;
        pictures_per_s on all cores by number format, empty unless measured; transfer, the test accuracy of logistic
        regression by dataset as its makers measured it, may be empty; licence; source; is_default, whether a climb
        takes it if nobody says which.
    """
    with using(workspace) as opened:
        found = list_backbones(shelves(opened))
        own = opened.backbones_folder
    return [
        {
            "name": one.name,
            "origin": _origin(one, own),
            "folder": str(one.folder),
            "dim": one.dim,
            "side_px": one.input_spec.side_px,
            "bytes": (one.folder / "graph.onnx").stat().st_size,
            "can_learn": one.network is not None,
            "pictures_per_s": time_formats(one.graph(), one.input_spec.side_px) if measure else {},
            "transfer": dict(one.transfer),
            "licence": one.licence,
            "source": one.source,
            "is_default": one is found[0],
        }
        for one in found
    ]


def add_backbone(
    name: str,
    *,
    weights: str | Path | None = None,
    download: bool = False,
    side_px: int | None = None,
    workspace: str | Path | Workspace | None = None,
) -> Backbone:
    """Make a backbone of published weights on the workspace's shelf, whole or not at all: climbs find it there.

    Nothing is fetched unless `download` says so.

    Args:
        name: a network of `winnow nets`, or any of timm's; of several weights of a folder, their entry in its index.
        weights: a folder with weights (`winnow.nets.weights` says in which form); None: those of the hub.
        download: whether the hub's weights may be fetched if they are not on this disk yet.
        side_px: of the pictures that it looks at; default: 192, or what the network needs at least.
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.

    Raises:
        MissingExtraError: the extra 'deep' is not installed.
        NotFoundError: no such network or weights; or they may not be fetched, or the hub cannot be reached.
        UserError: the weights do not fit; a backbone of that name is there already.
        WorkspaceError: no space, no permission.
    """
    for module in ("torch", "torchvision", "timm", "safetensors"):
        need(module, extra="deep", to="make a backbone")
    if weights is not None and download:
        raise UserError("Weights come from a folder or from the hub: give --weights FOLDER or --download, not both.")
    from winnow.nets.new_backbone import backbone_name, make_backbone

    found = _weights(name, weights, download=download)
    with using(workspace) as opened:
        shelf = opened.backbones_folder
        folder = shelf / backbone_name(found)
        if folder.exists():
            raise UserError(f"There is a backbone in {folder} already; remove that folder to make it again.")
        with disk_errors("write", folder):
            opened.cache_folder.mkdir(parents=True, exist_ok=True)
            # Beside the shelf, so that nobody sees half a backbone there.
            making = Path(tempfile.mkdtemp(prefix="backbone-", dir=opened.cache_folder))
        try:
            with disk_errors("write", folder):
                made = make_backbone(found, making / folder.name, side_px=side_px)
                shelf.mkdir(parents=True, exist_ok=True)
                made.folder.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return next(one for one in list_backbones([shelf]) if one.folder == folder)


def _weights(name: str, folder: str | Path | None, *, download: bool) -> Weights:
    if folder is not None:
        from winnow.nets.weights import find_weights

        return find_weights(Path(folder).expanduser(), name)
    from winnow.nets.hub import hub_weights

    return hub_weights(name, allow_network=download)


def _origin(backbone: Backbone, own: Path) -> str:
    if backbone.folder.parent == EMBEDDED:
        return "embedded"
    return "workspace" if backbone.folder.parent == own else "given"
