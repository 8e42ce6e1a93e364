"""An import that is killed at any moment and typed again ends as if it had never been killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from winnow.api.loading import load

from .pictures import class_folders

SCRIPT = "import sys, winnow; winnow.load(sys.argv[1], name='photos', workspace=sys.argv[2], tell=lambda event: None)"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_killed_and_typed_again_it_gives_the_same_dataset(tmp_path: Path):
    photos = class_folders(tmp_path / "photos", {"cat": 150, "dog": 150})
    undisturbed = load(photos, name="photos", workspace=tmp_path / "undisturbed")
    ended = None
    for delay_s in (0.35, 0.5, 0.65, 0.8):  # while Python starts, while pictures are read, at the end
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, photos, tmp_path / "killed"], start_new_session=True)
        time.sleep(delay_s)
        os.kill(process.pid, signal.SIGKILL)
        ended = process.wait()
    assert ended in (0, -signal.SIGKILL)
    again = load(photos, name="photos", workspace=tmp_path / "killed")
    assert again.version == 1
    assert again.manifest.digest() == undisturbed.manifest.digest()
    for example in again.examples()[::30]:
        assert again.workspace.blobs.read(example.content) == (photos / example.source).read_bytes()


def test_importing_again_adds_no_version_and_new_files_add_one(tmp_path: Path):
    photos = class_folders(tmp_path / "photos", {"cat": 30, "dog": 30})
    first = load(photos, workspace=tmp_path / "workspace")
    assert load(photos, workspace=tmp_path / "workspace").version == first.version
    (photos / "cat" / "0.png").rename(photos / "cat" / "renamed.png")
    assert load(photos, workspace=tmp_path / "workspace").version == first.version + 1


def test_ninety_five_good_and_five_bad_files_are_ninety_five_pictures_and_five_lines(tmp_path: Path):
    photos = class_folders(tmp_path / "photos", {"cat": 48, "dog": 47})
    good = (photos / "cat" / "0.png").read_bytes()
    for number, bad in enumerate((b"", b"text", good[:50], b"\x89PNG\r\n\x1a\n" + bytes(99), good[::-1])):
        (photos / "dog" / f"bad-{number}.png").write_bytes(bad)
    dataset = load(photos, workspace=tmp_path / "workspace")
    assert len(dataset) == 95
    assert sorted(line.source for line in dataset.refused) == [f"dog/bad-{number}.png" for number in range(5)]
    assert all(line.code.startswith("E_") and line.reason.endswith((".", ")")) for line in dataset.refused)
