"""Names that would be commands elsewhere are words here, on every page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from winnow.api.jobs import train_here
from winnow.api.loading import load
from winnow.api.wish import Wish
from winnow.studio.pages import PAGES

from .window import Studio, Watched

OURS = (
    '<img src=x onerror="window.struck=1">',
    '"><script>window.struck=1</script>',
    "</script><script>window.struck=1</script>",
    "{{constructor.constructor('window.struck=1')()}}",
    "${window.struck=1}",
    "`); window.struck=1; (`",
    "javascript:window.struck=1",
    "\u202etxt.exe",
    "a" * 300,
)


@pytest.fixture
def hostile(tmp_path: Path, test_data: Path) -> Path:
    """A workspace whose classes and files are called as nobody should be called, with a model of them."""
    naughty = json.loads((test_data / "badinput" / "names" / "blns.json").read_text("utf-8"))
    names = [*OURS, *[name for name in naughty if "<" in name or "{" in name or "(" in name][:40]]
    rng = np.random.default_rng(0)
    rows = ["file,label"]
    for place, name in enumerate(names):
        for one in range(4):
            file = f"<img src=x onerror=window.struck=1>{place}-{one}.png"
            Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / file)
            quoted = name.replace('"', '""').replace("\n", " ").replace("\r", " ")
            rows.append(f'{file},"{quoted}"')
    (tmp_path / "names.csv").write_text("\n".join(rows), "utf-8")
    dataset = load(tmp_path / "names.csv", name="hostile", workspace=tmp_path / "workspace", tell=lambda _: None)
    train_here(dataset, Wish(rungs=("commonest-class",), name="hostile"), tell=lambda _: None)
    dataset.workspace.close()
    return tmp_path / "workspace"


def test_hostile_names_are_words(hostile: Path, open_studio: Callable[[Path], Studio], watched: Callable[..., Watched]):
    window = watched(open_studio(hostile))
    window.page.on("dialog", lambda dialog: window.complaints.append(f"dialog: {dialog.message}"))
    for page in PAGES:
        window.go(page.path.format(name="hostile", model="hostile", job="1", number="1"))
        window.page.wait_for_timeout(500)
        assert window.page.evaluate("window.struck") is None, page.path
