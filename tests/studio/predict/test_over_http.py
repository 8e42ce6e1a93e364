"""How other programs ask a model: lines that name the server that runs, else the usual address."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from winnow.studio.pages.predict.over_http import USUAL, curl_line, over_http, python_lines
from winnow.workspace.records import ModelRecord
from winnow.workspace.servers import announce
from winnow.workspace.workspace import Workspace

RECORD = ModelRecord("clouds", 2, "sky", 1, None, "0" * 64, "2026-11-21T12:00:00+00:00", True, Path("clouds-2"))


def test_the_current_model_is_asked_by_its_name():
    assert curl_line(USUAL, RECORD).startswith("curl 'http://127.0.0.1:8000/predict?model=clouds' ")
    assert 'model="clouds")' in python_lines(USUAL, RECORD)


def test_an_older_model_is_asked_by_its_version():
    old = replace(RECORD, number=1, is_current=False)
    assert "model=clouds&version=1" in curl_line(USUAL, old)
    assert 'model="clouds@1")' in python_lines(USUAL, old)


@pytest.fixture
async def shown(visitor: User, workspace: Workspace):
    """The lines on a page of their own."""

    @ui.page("/lines")
    async def _page() -> None:
        await over_http(workspace, RECORD)

    return visitor


async def test_without_a_server_the_page_says_how_to_start_one(shown: User):
    await shown.open("/lines")
    await shown.should_see("winnow serve clouds")
    await shown.should_see(USUAL)


async def test_a_server_that_runs_for_this_model_is_named(shown: User, workspace: Workspace):
    with announce(workspace.folder, "http://127.0.0.1:9123", ["clouds@2"]):
        await shown.open("/lines")
        await shown.should_see("A server answers for this model now at http://127.0.0.1:9123")
        await shown.should_not_see("winnow serve clouds")


async def test_a_server_for_another_model_is_not(shown: User, workspace: Workspace):
    with announce(workspace.folder, "http://127.0.0.1:9123", ["clouds@1"]):
        await shown.open("/lines")
        await shown.should_see("winnow serve clouds")
