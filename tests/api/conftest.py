"""What the tests of this room share: a folder of small pictures, and a model made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

import winnow
from winnow.api.model import Model
from winnow.events import tell_nobody

from .squares import RUNGS, write_squares


@pytest.fixture(autouse=True)
def _no_workspace_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that names no workspace must not find, or make, that of whoever runs it."""
    monkeypatch.setenv("WINNOW_WORKSPACE", str(tmp_path / "default-workspace"))
    monkeypatch.delenv("WINNOW_BACKBONES", raising=False)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures in two class folders; only read."""
    return write_squares(tmp_path_factory.mktemp("pictures") / "photos")


@pytest.fixture(scope="session")
def trained(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of `photos` whose test split was opened; only read."""
    workspace = tmp_path_factory.mktemp("trained")
    return winnow.train(photos, workspace=workspace, rungs=RUNGS, tell=tell_nobody)
