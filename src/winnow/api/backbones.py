"""The backbones at hand: what each is, costs and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from winnow.api.dataset import using
from winnow.api.training import shelves
from winnow.graph.backbone import EMBEDDED, Backbone, list_backbones
from winnow.graph.formats import time_formats
from winnow.workspace.workspace import Workspace


def backbones(workspace: str | Path | Workspace | None = None, *, measure: bool = True) -> list[dict[str, Any]]:
    """Every backbone at hand as plain values, in the order in which a climb would take one.

    Args:
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        measure: time each on this machine, which takes a second or two apiece.

    Returns:
        name; origin ("given": from WINNOW_BACKBONES, "workspace" or "embedded"); folder; dim, its features; side_px;
        bytes of its graph; pictures_per_s on all cores by number format, empty unless measured; transfer, the
        test accuracy of logistic regression by dataset as its makers measured it, may be empty; licence; source;
        is_default, whether a climb takes it if nobody says which.
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
            "pictures_per_s": time_formats(one.graph(), one.input_spec.side_px) if measure else {},
            "transfer": dict(one.transfer),
            "licence": one.licence,
            "source": one.source,
            "is_default": one is found[0],
        }
        for one in found
    ]


def _origin(backbone: Backbone, own: Path) -> str:
    if backbone.folder.parent == EMBEDDED:
        return "embedded"
    return "workspace" if backbone.folder.parent == own else "given"
