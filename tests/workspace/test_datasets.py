"""Datasets and their versions: immutable, numbered, whole or not there, whoever writes at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from winnow.data.manifest import Manifest
from winnow.errors import NotFoundError, UserError, WorkspaceError
from winnow.workspace.workspace import Workspace

ADD_VERSIONS = str(Path(__file__).parent / "add_versions.py")
ManifestOf = Callable[..., Manifest]


def test_the_first_version_is_1_and_reads_back_as_it_was_written(clouds: Workspace, manifest_of: ManifestOf):
    assert clouds.manifest("clouds").digest() == manifest_of(clouds, "cirrus", "stratus").digest()
    (version,) = clouds.versions("clouds")
    assert (version.number, version.parent, version.examples, version.classes) == (1, None, 2, 2)
    assert version.bytes == len("cirrus") + len("stratus")
    assert version.path == clouds.folder / "datasets" / "clouds" / "v00001.parquet"


def test_a_new_version_leaves_the_old_one_as_it_was(clouds: Workspace, manifest_of: ManifestOf):
    before = clouds.versions("clouds")[0].path.read_bytes()
    assert clouds.add_version("clouds", manifest_of(clouds, "cumulus"), "replaced all", parent=1) == 2
    assert clouds.versions("clouds")[0].path.read_bytes() == before
    assert len(clouds.manifest("clouds", 1)) == 2
    assert len(clouds.manifest("clouds")) == 1


def test_importing_the_same_again_makes_nothing_new(clouds: Workspace, manifest_of: ManifestOf):
    assert clouds.add_version("clouds", manifest_of(clouds, "cirrus", "stratus"), "imported again") == 1
    assert len(clouds.versions("clouds")) == 1


def test_going_back_to_older_examples_is_a_version_too(clouds: Workspace, manifest_of: ManifestOf):
    clouds.add_version("clouds", manifest_of(clouds, "cumulus"), "changed", parent=1)
    assert clouds.add_version("clouds", manifest_of(clouds, "cirrus", "stratus"), "back", parent=1) == 3


def test_names_ignore_case_and_keep_their_first_spelling(workspace: Workspace):
    workspace.add_dataset("My Clouds", "")
    assert workspace.find_dataset("my-clouds").name == "My-Clouds"
    with pytest.raises(UserError, match=r"there already.*winnow rm"):
        workspace.add_dataset("MY-CLOUDS", "")


def test_a_mistyped_name_gets_the_near_one(clouds: Workspace):
    with pytest.raises(NotFoundError, match=r"No dataset is called 'cluods'\. Did you mean clouds\?"):
        clouds.find_dataset("cluods")
    with pytest.raises(NotFoundError, match="winnow list"):
        clouds.find_dataset("zebra")


def test_the_first_name_of_all_gets_the_way_in(workspace: Workspace):
    with pytest.raises(NotFoundError, match="none yet; make one: winnow import FOLDER"):
        workspace.find_dataset("clouds")


def test_a_version_that_is_not_there_is_named_with_those_that_are(clouds: Workspace):
    with pytest.raises(NotFoundError, match=r"has no version 7\. It has the versions 1 to 1"):
        clouds.manifest("clouds", 7)
    with pytest.raises(NotFoundError, match="has no version 1000"):
        clouds.manifest("clouds", 10**20)  # no database has such an integer


def test_a_dataset_without_versions_has_no_pictures_yet(workspace: Workspace):
    workspace.add_dataset("clouds", "")
    assert workspace.find_dataset("clouds").newest is None
    with pytest.raises(NotFoundError, match="no pictures yet"):
        workspace.manifest("clouds")


def test_a_hostile_name_never_becomes_a_folder(workspace: Workspace):
    with pytest.raises(UserError, match="has the character '/'"):
        workspace.add_dataset("../outside", "")
    assert workspace.datasets() == []


def test_a_version_whose_pictures_are_gone_is_refused(clouds: Workspace, manifest_of: ManifestOf):
    manifest = manifest_of(clouds, "cumulus")
    clouds.blobs.remove([manifest.examples()[0].content])
    with pytest.raises(WorkspaceError, match=r"1 of the pictures vanished.*Import again"):
        clouds.add_version("clouds", manifest, "imported")
    assert len(clouds.versions("clouds")) == 1


def test_the_suggested_name_is_new_here(clouds: Workspace):
    assert clouds.name_from_source("/elsewhere/clouds.zip") == "clouds-2"


def test_threads_that_write_at_once_all_get_a_number_of_their_own(clouds: Workspace, manifest_of: ManifestOf):
    def add(writer: int) -> int:
        return clouds.add_version("clouds", manifest_of(clouds, f"picture {writer}"), f"writer {writer}")

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(add, range(8)))
    assert sorted(numbers) == [2, 3, 4, 5, 6, 7, 8, 9]
    for writer, number in enumerate(numbers):
        assert clouds.manifest("clouds", number).examples()[0].source == f"picture {writer}.png"


def test_two_programs_that_write_at_once_both_succeed(clouds: Workspace):
    programs = [_program(clouds.folder, writer, 3) for writer in ("ada", "bob")]
    numbers = [line for program in programs for line in program.communicate()[0].split()]
    assert sorted(map(int, numbers)) == [2, 3, 4, 5, 6, 7]
    assert [version.number for version in clouds.versions("clouds")] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_program_leaves_whole_versions_only(clouds: Workspace):
    program = _program(clouds.folder, "ada", 10_000)
    assert program.stdout is not None
    said = [int(program.stdout.readline()) for _ in range(5)]
    program.send_signal(signal.SIGKILL)
    program.wait()
    versions = clouds.versions("clouds")
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    assert len(versions) >= said[-1], "what it said was in, is in"
    for version in versions:
        assert clouds.manifest("clouds", version.number).digest() == version.digest
    assert len(_program(clouds.folder, "bob", 1).communicate()[0].split()) == 1, "and the next writer goes on"


def _program(folder: Path, writer: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, ADD_VERSIONS, str(folder), "clouds", writer, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )
