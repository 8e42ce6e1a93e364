"""What pages share is one a workspace, and gone when the studio is closed."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from winnow.studio.checks import checks_of
from winnow.studio.per_workspace import PerWorkspace
from winnow.workspace.workspace import Workspace

from .conftest import opened_studio


class Desk:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace


def test_each_workspace_has_one_of_its_own(tmp_path: Path) -> None:
    desk_of = PerWorkspace(Desk)
    with Workspace.open(tmp_path / "a") as a, Workspace.open(tmp_path / "b") as b:
        assert desk_of(a) is desk_of(a)
        assert desk_of(a) is not desk_of(b)
        assert desk_of(b).workspace is b


def test_a_forgotten_workspace_begins_anew(tmp_path: Path) -> None:
    desk_of = PerWorkspace(Desk)
    with Workspace.open(tmp_path) as workspace:
        before = weakref.ref(desk_of(workspace))
        desk_of.forget(workspace)
        gc.collect()
        assert before() is None
        assert isinstance(desk_of(workspace), Desk)
        desk_of.forget(workspace)


async def test_a_closed_studio_keeps_nothing(workspace: Workspace) -> None:
    async with opened_studio(workspace):
        kept = weakref.ref(checks_of(workspace))
    gc.collect()
    assert kept() is None
