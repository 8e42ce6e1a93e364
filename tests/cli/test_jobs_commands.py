"""`winnow jobs`: climbs in the background, listed, watched and stopped; one in a terminal is seen like any other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from terminal import Winnow

from winnow.api.worker import work
from winnow.workspace.workspace import Workspace

RUNGS = "commonest-class,pixels-nearest-neighbour"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait until a test works them off itself."""
    for module in ("winnow.api.jobs", "winnow.api.job"):
        monkeypatch.setattr(f"{module}.start_if_needed", lambda _: False)


def work_off() -> None:
    with Workspace.open() as workspace:
        work(workspace, idle_s=0)


def test_a_climb_in_the_background_returns_at_once_and_is_watched_to_its_end(winnow: Winnow, shapes: Path):
    said = winnow("train", shapes, "--rungs", RUNGS, "--background")
    assert said.code == 0
    assert "Job 1: the climb on shapes version 1 runs by itself" in said.out
    assert "Next: winnow jobs watch 1" in said.out
    assert "✓" not in said.err
    assert "job 1    queued    shapes version 1, asked for 20" in winnow("jobs").out
    work_off()
    assert "job 1    done      shapes version 1, model shapes@1" in winnow("jobs").out
    watched = winnow("jobs", "watch", 1)
    assert watched.code == 0
    assert "2 rungs to climb, about" in watched.err
    assert "✓ pixels + nearest neighbour" in watched.err
    assert "Chosen: pixels + nearest neighbour" in watched.out
    assert "Next: winnow predict shapes@1" in watched.out


def test_a_climb_in_the_terminal_is_a_job_too(winnow: Winnow, shapes: Path):
    assert winnow("train", shapes, "--rungs", RUNGS).code == 0
    (job,) = json.loads(winnow("jobs", "--json").out)
    assert (job["state"], job["model"], job["attempts"]) == ("done", "shapes@1", 1)
    assert job["worker"].endswith(f":{os.getpid()}")
    assert "✓ pixels + nearest neighbour" in winnow("jobs", "watch", 1).err


def test_everything_answers_in_json(winnow: Winnow, shapes: Path):
    asked = json.loads(winnow("train", shapes, "--rungs", RUNGS, "--seed", 3, "--background", "--json").out)
    assert (asked["id"], asked["state"], asked["wish"]["seed"]) == (1, "queued", 3)
    assert json.loads(winnow("jobs", "stop", 1, "--json").out)["state"] == "stopped"
    assert json.loads(winnow("jobs", "watch", 1, "--json").out)["model"] is None


def test_one_that_waits_is_taken_off(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS, "--background")
    assert winnow("jobs", "stop", 1).out == "Job 1 is stopped.\n"
    work_off()
    assert "job 1    stopped   shapes version 1, nothing to keep" in winnow("jobs").out
    assert "Stopped before there was anything to keep." in winnow("jobs", "watch", 1).out


def test_one_that_runs_is_asked_to_stop(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS, "--background")
    with Workspace.open() as workspace:
        assert workspace.jobs.take() is not None
        assert "Job 1 ends in a moment and keeps the best so far" in winnow("jobs", "stop", 1).out
        assert "stopping  shapes version 1, for 0 ms by" in winnow("jobs").out


def test_one_that_failed_says_why(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", "pixels-nearest-neighbour", "--budget", "0.001s", "--background")
    work_off()
    assert "Give a larger budget" in winnow("jobs").out
    said = winnow("jobs", "watch", 1)
    assert said.code == 2
    assert "Job 1 failed. No method could be tried" in said.err


def test_without_jobs_it_says_what_to_type(winnow: Winnow):
    assert winnow("jobs").out == "No climb was asked for yet. Next: winnow train DATASET --background\n"
    assert winnow("jobs", "--json").out == "[]\n"


@pytest.mark.parametrize("command", ["watch", "stop"])
def test_a_job_that_is_not_there_is_told(winnow: Winnow, command: str):
    said = winnow("jobs", command, 7)
    assert said.code == 4
    assert said.err == "winnow: No job has the number 7. See what is there: winnow jobs.\n"


def test_ctrl_c_leaves_the_climb_alone(winnow: Winnow, shapes: Path, monkeypatch: pytest.MonkeyPatch):
    def impatient(*_: object) -> None:
        raise KeyboardInterrupt

    winnow("train", shapes, "--rungs", RUNGS, "--background")
    monkeypatch.setattr("time.sleep", impatient)
    said = winnow("jobs", "watch", 1)
    assert said.code == 130
    assert "the climb goes on by itself. To end it: winnow jobs stop 1" in said.err


def test_a_wish_that_makes_no_sense_never_waits(winnow: Winnow, shapes: Path):
    assert winnow("train", shapes, "--rungs", "pixels-swm", "--background").code == 4
    assert "No climb was asked for yet" in winnow("jobs").out


@pytest.mark.parametrize("words", [("jobs",), ("jobs", "watch"), ("jobs", "stop")])
def test_every_command_has_help_with_an_example_and_answers_in_json(winnow: Winnow, words: tuple[str, ...]):
    said = winnow(*words, "--help").out
    assert f"$ winnow {' '.join(words)}" in said
    assert "--json" in said
    assert "--workspace" in said
