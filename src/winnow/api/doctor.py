"""What this machine is, what Winnow found on it, and what could be better."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from winnow.api.shelves import shelves
from winnow.errors import UserError
from winnow.graph.backbone import list_backbones
from winnow.graph.runtime import has_openvino
from winnow.machine import cores, energy_method, instruction_sets, processor
from winnow.report.assemble import libraries
from winnow.report.words import size
from winnow.version import VERSION
from winnow.workspace.workspace import Workspace, default_folder

_LITTLE_SPACE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    said: str
    is_well: bool = True
    is_serious: bool = False
    """Whether Winnow cannot work until it is mended."""

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def examine(workspace: Path | None = None) -> list[Finding]:
    """Look at the machine, the libraries, the workspace and the backbones; never raises."""
    return [*_machine(), *_libraries(), *_workspace(workspace)]


def _machine() -> list[Finding]:
    fast = sorted(instruction_sets() - {"avx2"})
    return [
        Finding("winnow", VERSION),
        Finding("processor", f"{processor()}, {cores()} cores for Winnow"),
        Finding(
            "number formats", f"fast in hardware: {', '.join(fast)}" if fast else "fp32 only; that is well, only slower"
        ),
        Finding("energy", energy_method()),
    ]


def _libraries() -> list[Finding]:
    found = ", ".join(f"{name} {version}" for name, version in libraries().items())
    findings = [Finding("libraries", found)]
    if not has_openvino():
        findings.append(
            Finding("OpenVINO", "not usable here: graphs run on ONNX Runtime, two to four times slower", is_well=False)
        )
    has_torch = importlib.util.find_spec("torch") is not None
    said = "installed" if has_torch else "not installed; nothing here needs it (pip install 'winnow[deep]')"
    findings.append(Finding("extra 'deep'", said))
    return findings


def _workspace(workspace: Path | None) -> list[Finding]:
    folder = (workspace or default_folder()).expanduser()
    try:
        with Workspace.open(folder) as opened:
            datasets, models = len(opened.datasets()), len(opened.models())
            cached, backbones = opened.cache_bytes(), list_backbones(shelves(opened))
    except UserError as error:
        return [Finding("workspace", str(error), is_well=False, is_serious=True)]
    free = shutil.disk_usage(folder).free
    names = ", ".join(backbone.name for backbone in backbones)
    return [
        Finding("workspace", f"{folder}: {datasets} datasets, {models} models, {size(cached)} of caches"),
        Finding("disk", f"{size(free)} free", is_well=free > _LITTLE_SPACE_BYTES),
        Finding(
            "backbones",
            names or "none at hand: transfer learning is skipped until you give one (--backbone FOLDER)",
            is_well=bool(names),
        ),
    ]
