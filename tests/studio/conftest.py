"""A visitor of the studio, without browser and socket: NiceGUI's simulated user on a workspace of its own."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nicegui
import pytest
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from winnow.studio.app import add_pages
from winnow.workspace.workspace import Workspace


@pytest.fixture(scope="module", autouse=True)
def _what_came_before_is_no_garbage() -> None:
    """NiceGUI looks for garbage before and after each visitor, through all that earlier tests left in memory."""
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def opened_studio(workspace: Workspace) -> AsyncIterator[User]:
    """The studio of this workspace with a visitor, closed at the end."""
    # Each router that joins the app wraps the way it starts once more; all visitors of a process share one app.
    start = nicegui.app.router.lifespan_context
    async with user_simulation() as user:
        add_pages(workspace)
        yield user
        ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "winnow"}
    # NiceGUI forgets the modules whose pages were visited, `winnow` itself among them: the tests that follow would get
    # second copies of it.
    sys.modules.update(ours)
    nicegui.app.router.lifespan_context = start
    nicegui.app.storage.clear()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
async def visitor(workspace: Workspace) -> AsyncIterator[User]:
    """Opens pages with `await visitor.open("/")`."""
    async with opened_studio(workspace) as user:
        yield user
