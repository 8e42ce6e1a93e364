"""The studio sees to it that climbs go on, and outlives it when no worker can be started."""

from __future__ import annotations

import asyncio
import logging

import pytest
from nicegui.testing import User

from winnow.errors import WorkspaceError
from winnow.studio import worker_watch
from winnow.workspace.workspace import Workspace


async def test_somebody_is_seen_to_work_again_and_again(
    visitor: User, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    asked: list[Workspace] = []

    def ensure(given: Workspace) -> bool:
        asked.append(given)
        if len(asked) == 1:
            raise WorkspaceError("The disk is full; free some space.")
        return False

    monkeypatch.setattr(worker_watch, "EVERY_S", 0.01)
    monkeypatch.setattr(worker_watch, "ensure_worker", ensure)
    with caplog.at_level(logging.WARNING):
        worker_watch.watch_worker(workspace)
        for _ in range(200):
            if len(asked) >= 3:
                break
            await asyncio.sleep(0.01)
    assert asked[:3] == [workspace] * 3
    assert "The disk is full" in caplog.text
