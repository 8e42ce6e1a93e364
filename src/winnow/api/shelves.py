"""Where backbones are looked for."""

from __future__ import annotations

import os
from pathlib import Path

from winnow.graph.backbone import EMBEDDED
from winnow.workspace.workspace import Workspace, default_folder


def shelves(*workspaces: Workspace | None) -> list[Path]:
    """Folders in which backbones are looked for: WINNOW_BACKBONES, then each workspace's own, then Winnow's.

    None, or no workspace, means the default one, which is neither made nor opened.
    """
    given = [Path(entry).expanduser() for entry in os.environ.get("WINNOW_BACKBONES", "").split(os.pathsep) if entry]
    default = default_folder().expanduser() / "backbones"
    own = [default if workspace is None else workspace.backbones_folder for workspace in workspaces or (None,)]
    return [*given, *own, EMBEDDED]
