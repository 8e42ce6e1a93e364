"""Sees to it that climbs go on: a worker that died is seen within seconds, and another one takes over."""

from __future__ import annotations

import logging

import nicegui
from nicegui import run

from winnow.api.jobs import ensure_worker
from winnow.errors import UserError
from winnow.workspace.workspace import Workspace

EVERY_S = 3.0

_log = logging.getLogger(__name__)


def watch_worker(workspace: Workspace) -> None:
    """Look every few seconds, from one place for all pages, for as long as the studio is open."""
    nicegui.app.timer(EVERY_S, lambda: run.io_bound(_look, workspace))


def _look(workspace: Workspace) -> None:
    try:
        ensure_worker(workspace)
    except UserError as error:
        _log.warning("No worker could be started: %s", error)
