"""Climbs: killed is not lost, and nobody takes over what somebody else is running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from winnow.errors import NotFoundError
from winnow.workspace.climbs import spec_digest
from winnow.workspace.workspace import Workspace

SPEC = {"seed": 0, "rungs": ["commonest", "pixels"], "budget_s": None}
DIGEST = spec_digest(SPEC)


def test_a_climb_has_an_id_a_folder_and_the_spec_it_was_asked_for(clouds: Workspace):
    climb = clouds.start_climb("clouds", 1, SPEC)
    assert climb.folder == clouds.folder / "climbs" / climb.id
    assert climb.folder.is_dir()
    assert (climb.spec, climb.spec_digest, climb.state) == (SPEC, DIGEST, "running")
    assert clouds.climbs("clouds") == [climb]


def test_the_digest_of_a_spec_does_not_depend_on_the_order_of_its_keys():
    assert spec_digest(dict(reversed(SPEC.items()))) == DIGEST
    assert spec_digest({**SPEC, "seed": 1}) != DIGEST


def test_a_climb_needs_a_version_that_is_there(clouds: Workspace):
    with pytest.raises(NotFoundError, match="no version 2"):
        clouds.start_climb("clouds", 2, SPEC)


def test_a_finished_climb_keeps_its_verdict_and_is_not_resumed(clouds: Workspace):
    climb = clouds.start_climb("clouds", 1, SPEC)
    done = clouds.finish_climb(climb.id, "finished", verdict="Chosen: pixels.", seconds=2.5)
    assert (done.state, done.verdict, done.seconds) == ("finished", "Chosen: pixels.", 2.5)
    assert done.finished is not None
    assert clouds.find_unfinished_climb("clouds", 1, DIGEST) is None
    assert clouds.climbs("clouds") == [done]


def test_an_interrupted_climb_is_resumed_and_a_failed_one_is_not(clouds: Workspace):
    interrupted = clouds.start_climb("clouds", 1, SPEC)
    clouds.finish_climb(interrupted.id, "interrupted")
    failed = clouds.start_climb("clouds", 1, SPEC)
    clouds.finish_climb(failed.id, "failed")
    resumed = clouds.find_unfinished_climb("clouds", 1, DIGEST)
    assert resumed is not None
    assert (resumed.id, resumed.state) == (interrupted.id, "running")


def test_only_the_same_spec_on_the_same_version_is_resumed(clouds: Workspace):
    climb = clouds.start_climb("clouds", 1, SPEC)
    clouds.finish_climb(climb.id, "interrupted")
    assert clouds.find_unfinished_climb("clouds", 1, spec_digest({})) is None
    assert clouds.find_unfinished_climb("clouds", 2, DIGEST) is None


def test_a_climb_that_somebody_is_running_is_left_alone(clouds: Workspace):
    clouds.start_climb("clouds", 1, SPEC)
    with Workspace.open(clouds.folder) as other:
        assert other.find_unfinished_climb("clouds", 1, DIGEST) is None
    clouds.close()
    with Workspace.open(clouds.folder) as other:
        assert other.find_unfinished_climb("clouds", 1, DIGEST) is not None
        assert clouds.find_unfinished_climb("clouds", 1, DIGEST) is None


RUNS = """
import os, sys, time
from pathlib import Path
from winnow.workspace.workspace import Workspace
climb = Workspace.open(Path(sys.argv[1])).start_climb("clouds", 1, {"seed": 0})
if hasattr(os, "fork") and os.fork() == 0:
    time.sleep(30)  # a worker that outlives its parent
    sys.exit()
print(climb.id, flush=True)
time.sleep(30)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_climb_is_found_even_while_its_orphaned_workers_live(clouds: Workspace):
    program = subprocess.Popen(
        [sys.executable, "-c", RUNS, str(clouds.folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    climb_id = program.stdout.readline().strip()
    digest = spec_digest({"seed": 0})
    assert clouds.find_unfinished_climb("clouds", 1, digest) is None, "it still runs"
    program.send_signal(signal.SIGKILL)
    program.wait()
    resumed = clouds.find_unfinished_climb("clouds", 1, digest)
    os.killpg(program.pid, signal.SIGKILL)
    assert resumed is not None
    assert resumed.id == climb_id


def test_an_unknown_climb_is_not_found(clouds: Workspace):
    with pytest.raises(NotFoundError, match="No climb has the id 'x'"):
        clouds.finish_climb("x", "finished")
