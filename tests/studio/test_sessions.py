"""A browser that came in stays signed in, for a while, and only hashes of it are on the disk."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from winnow.studio.sessions import LASTS_S, Sessions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "studio" / "sessions"


def test_a_session_outlives_its_studio(folder: Path):
    value = Sessions(folder).begin()
    assert Sessions(folder).knows(value)
    assert not Sessions(folder).knows(value + "x")
    assert not Sessions(folder).knows("")


def test_who_reads_the_workspace_learns_no_cookie(folder: Path):
    value = Sessions(folder).begin()
    (file,) = folder.iterdir()
    assert value not in file.name
    assert file.read_bytes() == b""
    assert not Sessions(folder).knows(file.name)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights another way")
def test_nobody_else_may_look(folder: Path):
    Sessions(folder).begin()
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_session_has_an_end_and_is_removed_then(folder: Path):
    sessions = Sessions(folder)
    value = sessions.begin()
    (file,) = folder.iterdir()
    long_ago = time.time() - LASTS_S - 60
    os.utime(file, (long_ago, long_ago))
    assert not sessions.knows(value)
    sessions.begin()
    assert not file.exists()


def test_all_can_be_signed_out_at_once(folder: Path):
    running, other = Sessions(folder), Sessions(folder)
    value = running.begin()
    other.end_all()
    assert not running.knows(value)
    Sessions(folder / "none").end_all()


def test_a_full_disk_shuts_nobody_out(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    sessions = Sessions(tmp_path / "file")  # no folder can be made there
    assert sessions.knows(sessions.begin())
