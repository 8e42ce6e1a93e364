"""An export is there whole or not at all, overwrites nothing, and says what the disk says."""

from __future__ import annotations

import errno
import multiprocessing
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from winnow.data.targets import write_dataset
from winnow.data.targets.new_folder import new_folder
from winnow.data.targets.target import Outgoing
from winnow.errors import ConflictError, UserError, WorkspaceError
from winnow.events import Progress, tell_nobody

from .going import FILES, TARGETS_BY_NAME, export, going, picture

TARGETS = list(TARGETS_BY_NAME)
PICTURES = [picture(n, (label,)) for n, label in enumerate(("cat", "dog", "cat"))]


def _write(reading, to: str, path: Path) -> None:
    version = going(PICTURES)
    broken = Outgoing(version.name, version.version, version.whole, None, reading)
    write_dataset(broken, TARGETS_BY_NAME[to], path, tell_nobody)


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), WorkspaceError("The copy is damaged.")])
def test_broken_off_it_leaves_nothing(to, error, tmp_path):
    n_read = 0

    def read(content: str) -> bytes:
        nonlocal n_read
        n_read += 1
        if n_read == 2:
            raise error
        return FILES[content]

    with pytest.raises(type(error)):
        _write(read, to, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", TARGETS)
def test_a_full_disk_is_told_and_leaves_nothing(to, tmp_path):
    def read(content: str) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(WorkspaceError, match="no space left on the disk: free some, or choose a folder on another"):
        _write(read, to, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(WorkspaceError, match=r"has 0\.0 GB left: free some"):
        export(PICTURES, "csv", tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", TARGETS)
def test_nothing_is_overwritten(to, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_bytes(b"mine")
    for name, what in (("file", "is there already"), ("folder", "is a folder with something in it")):
        with pytest.raises(UserError, match=f"{what}, and nothing is overwritten: give a new name"):
            export(PICTURES, to, tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "mine"]


@pytest.mark.parametrize("to", [to for to in TARGETS if to != "zip"])
def test_an_empty_folder_is_filled(to, tmp_path):
    (tmp_path / "out").mkdir()
    export(PICTURES, to, tmp_path / "out")
    assert any((tmp_path / "out").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_progress_goes_from_nothing_to_all(tmp_path):
    events: list[Progress] = []
    write_dataset(
        going(PICTURES),
        TARGETS_BY_NAME["coco"],
        tmp_path / "out",
        lambda e: isinstance(e, Progress) and events.append(e),
    )
    assert [(event.done, event.total) for event in events] == [(0, 3), (3, 3)]


def _write_for_ever(path: Path, is_written) -> None:
    with new_folder(path) as folder:
        folder.write("half", b"half")
        is_written.set()
        time.sleep(600)


def test_what_a_killed_export_left_is_written_anew_and_a_living_one_is_left_alone(tmp_path):
    context = multiprocessing.get_context("spawn")
    is_written = context.Event()
    other = context.Process(target=_write_for_ever, args=(tmp_path / "out", is_written))
    other.start()
    try:
        assert is_written.wait(60)
        with pytest.raises(ConflictError, match="Another export is writing"):
            export(PICTURES, "csv", tmp_path / "out")
    finally:
        other.kill()
        other.join()
    assert (tmp_path / "out.partial" / "half").exists()
    export(PICTURES, "csv", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["images", "labels.csv"]


def test_a_folder_of_the_user_with_that_name_is_left_alone(tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "mine").write_bytes(b"mine")
    with pytest.raises(UserError, match="is in the way, and Winnow did not make it"):
        export(PICTURES, "folders", tmp_path / "out")
    assert (tmp_path / "out.partial" / "mine").read_bytes() == b"mine"
