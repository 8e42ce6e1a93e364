"""A running server is known to who looks, without its token; one that died is not."""

from __future__ import annotations

import json
from pathlib import Path

from winnow.workspace.servers import RunningServer, announce, running


def test_a_server_is_known_while_it_runs(tmp_path: Path):
    import os

    with announce(tmp_path, "http://127.0.0.1:8000", ["clouds@2"]):
        assert running(tmp_path) == [RunningServer("http://127.0.0.1:8000", os.getpid(), ("clouds@2",))]
    assert running(tmp_path) == []


def test_what_a_killed_server_left_behind_is_cleared_away(tmp_path: Path):
    home = tmp_path / "servers" / "4711"
    home.mkdir(parents=True)
    (home / "server.json").write_text(json.dumps({"address": "http://127.0.0.1:1", "pid": 4711, "models": []}))
    assert running(tmp_path) == []
    assert not home.exists()


def test_a_workspace_without_servers_has_none(tmp_path: Path):
    assert running(tmp_path / "nowhere") == []


def test_a_folder_that_cannot_be_written_keeps_nobody_from_serving(tmp_path: Path):
    (tmp_path / "servers").write_text("in the way")
    with announce(tmp_path, "http://127.0.0.1:8000", ["clouds@2"]):
        assert running(tmp_path) == []
