"""A user at a terminal: a workspace of their own and a few pictures of two kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import Said, Winnow

from winnow.cli.main import run


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures of 12 px: bright ones and dark ones, with noise."""
    folder = tmp_path_factory.mktemp("pictures") / "shapes"
    rng = np.random.default_rng(0)
    for label, level in (("bright", 190), ("dark", 60)):
        (folder / label).mkdir(parents=True)
        for number in range(30):
            pixels = np.clip(rng.normal(level, 30, (12, 12, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number:02d}.png")
    return folder


@pytest.fixture
def winnow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Winnow:
    """Types a command in an empty workspace."""
    monkeypatch.setenv("WINNOW_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.delenv("WINNOW_BACKBONES", raising=False)

    def typed(*words: object) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            run([str(word) for word in words])
        said = capsys.readouterr()
        return Said(left.value.code if isinstance(left.value.code, int) else 0, said.out, said.err)

    return typed
