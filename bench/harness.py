"""What every benchmark shares: where the data lies, how a result is kept, and the backbone to measure with."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from winnow import machine

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"
DATA = Path(os.environ.get("WINNOW_TEST_DATA", ROOT / "../shared/data")).resolve()
_LOAD_BEFORE = round(os.getloadavg()[1], 2)
_VERSIONS = ("winnow", "numpy", "scikit-learn", "openvino", "onnxruntime", "Pillow", "torch", "torchvision", "timm")


def need_data() -> Path:
    """The folder of real data, or the end of this benchmark."""
    if not DATA.is_dir():
        sys.exit(f"needs the real data: set WINNOW_TEST_DATA (looked in {DATA})")
    return DATA


def edgetpu_backbone(out: Path, side_px: int) -> Path:
    """The EdgeTPU backbone, made from the data's weights by the recipe."""
    recipe = ROOT / "recipes" / "timm_backbone.py"
    command = [sys.executable, str(recipe), str(need_data() / "weights"), str(out), "--side", str(side_px)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the recipe failed (it needs the extra 'deep'):\n{done.stderr[-2000:]}")
    return out


def keep(name: str, measured: dict[str, Any], promises: dict[str, bool], folder: Path = RESULTS) -> None:
    """Write the result into a folder, print it, and fail if a promise is broken."""
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine.facts(),
        "load_before": _LOAD_BEFORE,
        "versions": {one: _version(one) for one in _VERSIONS if _version(one)},
        "measured": measured,
        "promises": promises,
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({"measured": measured, "promises": promises}, indent=1))
    if broken := [promise for promise, is_kept in promises.items() if not is_kept]:
        sys.exit(f"broken: {'; '.join(broken)}")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
