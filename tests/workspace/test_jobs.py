"""Jobs: one process each, the oldest first, none lost by a death and none done twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from winnow.errors import NotFoundError, UserError
from winnow.events import Event, Note, RungStarted
from winnow.workspace.database import Database
from winnow.workspace.job_events import FILE, EventReader, EventWriter
from winnow.workspace.jobs import JobStore
from winnow.workspace.workspace import Workspace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WISH = {"seed": 0, "rungs": ["commonest-class"], "budget": None}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def machine(clouds: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], JobStore]:
    """The jobs of the workspace, as a worker on the machine of that name sees them."""

    def named(name: str) -> JobStore:
        monkeypatch.setattr("socket.gethostname", lambda: name)
        return JobStore(Database(clouds.folder / "winnow.db"), clouds.folder / "jobs", clock=clock)

    return named


# The queue


def test_a_job_waits_until_somebody_takes_it(machine: Callable[[str], JobStore], clock: Clock):
    jobs = machine("here")
    job = jobs.add("clouds", 1, WISH)
    assert (job.id, job.dataset, job.version, job.wish, job.state) == (1, "clouds", 1, WISH, "queued")
    assert (job.created, job.started, job.attempts) == (NOON, None, 0)
    clock.move(5)
    taken = jobs.take()
    assert taken is not None
    assert (taken.id, taken.state, taken.attempts, taken.host) == (1, "running", 1, "here")
    assert taken.started == taken.heartbeat == NOON + timedelta(seconds=5)
    assert jobs.all() == [taken] == [jobs.find(1)]


def test_the_oldest_is_taken_first_and_then_none_is_left(machine: Callable[[str], JobStore]):
    jobs = machine("here")
    for seed in range(3):
        jobs.add("clouds", 1, {"seed": seed})
    taken = [jobs.take() for _ in range(4)]
    assert [job and job.wish["seed"] for job in taken] == [0, 1, 2, None]
    assert not jobs.has_work()


def test_a_job_needs_a_dataset_and_an_unknown_one_is_told(clouds: Workspace):
    with pytest.raises(NotFoundError, match="rain"):
        clouds.jobs.add("rain", 1, WISH)
    with pytest.raises(NotFoundError, match=r"No job has the number 7.*winnow jobs"):
        clouds.jobs.find(7)


def test_many_threads_never_take_the_same_job(clouds: Workspace):
    for seed in range(12):
        clouds.jobs.add("clouds", 1, {"seed": seed})

    def work(_: int) -> list[int]:
        store, mine = JobStore(Database(clouds.folder / "winnow.db"), clouds.folder / "jobs"), list[int]()
        while (job := store.take()) is not None:
            mine.append(job.id)
            store.end(job.id, "done")
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [job_id for mine in pool.map(work, range(4)) for job_id in mine]
    assert sorted(taken) == list(range(1, 13))


TAKES = """
import sys
from pathlib import Path
from winnow.workspace.workspace import Workspace
jobs = Workspace.open(Path(sys.argv[1])).jobs
while (job := jobs.take()) is not None:
    print(job.id)
    jobs.end(job.id, "done")
"""


def test_two_programs_never_take_the_same_job(clouds: Workspace):
    for seed in range(10):
        clouds.jobs.add("clouds", 1, {"seed": seed})
    command = [sys.executable, "-c", TAKES, str(clouds.folder)]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    taken = [int(line) for program in programs for line in program.communicate(timeout=60)[0].split()]
    assert sorted(taken) == list(range(1, 11))
    assert {job.state for job in clouds.jobs.all()} == {"done"}


# The lease


def test_a_job_whose_worker_died_on_this_machine_is_free_at_once(machine: Callable[[str], JobStore]):
    jobs, other = machine("here"), machine("here")
    jobs.add("clouds", 1, WISH)
    assert other.take() is not None
    assert jobs.take() is None
    assert not jobs.has_work()
    other.release_all()  # the system lets go of a dead process's locks
    assert jobs.has_work()
    again = jobs.take()
    assert again is not None
    assert again.attempts == 2


def test_one_that_died_on_another_machine_is_free_when_its_lease_is_over(
    machine: Callable[[str], JobStore], clock: Clock
):
    far, here = machine("far"), machine("here")
    far.add("clouds", 1, WISH)
    assert far.take() is not None
    clock.move(8)
    assert far.beat(1) == "running"
    far.release_all()
    clock.move(10)
    assert here.take() is None
    clock.move(0.1)
    assert here.has_work()
    again = here.take()
    assert again is not None
    assert (again.host, again.started) == ("here", NOON)


def test_a_slow_worker_is_not_doubled(machine: Callable[[str], JobStore], clock: Clock):
    far, here = machine("far"), machine("here")
    far.add("clouds", 1, WISH)
    assert far.take() is not None
    clock.move(3600)
    assert here.take() is None, "its lock says that it lives"
    assert far.beat(1) == "running"


def test_a_clock_that_stands_still_or_goes_back_frees_nothing(machine: Callable[[str], JobStore], clock: Clock):
    far, here = machine("far"), machine("here")
    far.add("clouds", 1, WISH)
    assert far.take() is not None
    far.release_all()
    assert here.take() is None
    clock.move(-3600)
    assert here.take() is None


def test_who_has_lost_its_job_writes_nothing_more_of_it(machine: Callable[[str], JobStore], clock: Clock):
    far, here = machine("far"), machine("here")
    far.add("clouds", 1, WISH)
    assert far.take() is not None
    far.release_all()
    clock.move(11)
    assert here.take() is not None
    assert far.beat(1) is None
    far.end(1, "failed", error="late")
    assert here.beat(1) == "running"
    assert (here.find(1).state, here.find(1).error) == ("running", None)


def test_a_job_that_brings_down_its_workers_fails_in_a_sentence(machine: Callable[[str], JobStore]):
    jobs = machine("here")
    jobs.add("clouds", 1, WISH)
    for _ in range(3):
        assert jobs.take() is not None
        jobs.release_all()
    assert jobs.take() is None
    job = jobs.find(1)
    assert (job.state, job.ended, job.attempts) == ("failed", NOON, 3)
    assert job.error is not None
    assert job.error.startswith("Its process died 3 times without a word")
    assert str(jobs.log) in job.error


def test_one_that_is_given_back_waits_again_and_counts_no_attempt(machine: Callable[[str], JobStore]):
    jobs = machine("here")
    jobs.add("clouds", 1, WISH)
    assert jobs.take() is not None
    jobs.give_back(1)
    assert (jobs.find(1).state, jobs.find(1).attempts, jobs.find(1).host) == ("queued", 0, None)
    assert jobs.take() is not None


# Ending


def test_how_it_ended_is_kept_for_good(machine: Callable[[str], JobStore], clock: Clock):
    jobs = machine("here")
    jobs.add("clouds", 1, WISH)
    assert jobs.take() is not None
    clock.move(3)
    jobs.end(1, "done", climb_id="c", model="clouds@1")
    job = jobs.find(1)
    assert (job.state, job.climb_id, job.model, job.error) == ("done", "c", "clouds@1", None)
    assert job.ended == NOON + timedelta(seconds=3)
    assert jobs.ask_to_stop(1) == job, "it is over"
    assert jobs.take() is None


def test_a_queued_job_is_taken_off_and_a_running_one_is_asked(machine: Callable[[str], JobStore]):
    jobs = machine("here")
    for _ in range(2):
        jobs.add("clouds", 1, WISH)
    assert jobs.take() is not None
    assert jobs.ask_to_stop(2).state == "stopped"
    assert jobs.ask_to_stop(1).state == "stopping"
    assert jobs.beat(1) == "stopping"
    assert jobs.take() is None


def test_one_that_died_while_it_was_asked_to_stop_is_still_asked(machine: Callable[[str], JobStore]):
    jobs = machine("here")
    jobs.add("clouds", 1, WISH)
    jobs.take()
    jobs.ask_to_stop(1)
    jobs.release_all()
    again = jobs.take()
    assert again is not None
    assert again.state == "stopping"


def test_a_program_that_asks_for_what_lost_its_worker_goes_on_with_it(machine: Callable[[str], JobStore]):
    jobs, other = machine("here"), machine("here")
    first = jobs.add_or_resume_here("clouds", 1, WISH)
    assert (first.id, first.state) == (1, "running")
    assert other.add_or_resume_here("clouds", 1, WISH).id == 2, "the first one's worker lives"
    jobs.release_all()
    assert jobs.add_or_resume_here("clouds", 1, {"seed": 9}).id == 3, "another wish is another job"
    assert other.add_or_resume_here("clouds", 1, WISH).id == 1


def test_a_dataset_goes_with_its_jobs_but_not_while_one_runs(clouds: Workspace):
    clouds.jobs.add("clouds", 1, WISH)
    clouds.jobs.take()
    with pytest.raises(UserError, match="is running now"):
        clouds.remove_dataset("clouds")
    clouds.jobs.write_events(1).close()
    clouds.jobs.end(1, "stopped")
    clouds.remove_dataset("clouds")
    assert clouds.jobs.all() == []
    assert list((clouds.folder / "jobs").iterdir()) == []


HOLDS = """
import sys, time
from pathlib import Path
from winnow.workspace.workspace import Workspace
jobs = Workspace.open(Path(sys.argv[1])).jobs
assert jobs.take() is not None
print("taken", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_program_loses_its_job_to_the_next(clouds: Workspace):
    clouds.jobs.add("clouds", 1, WISH)
    program = subprocess.Popen([sys.executable, "-c", HOLDS, str(clouds.folder)], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "taken\n"
    assert clouds.jobs.take() is None
    program.send_signal(signal.SIGKILL)
    program.communicate(timeout=10)
    assert clouds.jobs.take() is not None


# What it says

SAID: list[Event] = [Note("one\ntwo\u2028three"), RungStarted("a", "A", 1.5), Note("\ud800")]


def _wrote(folder: Path, *events: Event) -> None:
    writer = EventWriter(folder)
    for event in events:
        writer.append(event, NOON)
    writer.close()


def test_what_is_said_is_numbered_and_read_from_any_place(tmp_path: Path):
    _wrote(tmp_path, *SAID)
    reader = EventReader(tmp_path)
    assert [(told.number, told.at, told.event) for told in reader.after(0)] == [
        (number, NOON, event) for number, event in enumerate(SAID, 1)
    ]
    assert [told.number for told in reader.after(2)] == [3]
    assert [told.number for told in reader.after(1)] == [2, 3]
    assert reader.after(3) == reader.after(99) == []


def test_before_anything_is_said_there_is_nothing(tmp_path: Path):
    assert EventReader(tmp_path / "1").after(0) == []


def test_a_reader_follows_while_somebody_writes(tmp_path: Path):
    reader = EventReader(tmp_path)
    for number, event in enumerate(SAID, 1):
        _wrote(tmp_path, event)
        assert [(told.number, told.event) for told in reader.after(number - 1)] == [(number, event)]


def test_half_a_line_is_no_event_and_the_next_writer_cuts_it_off(tmp_path: Path):
    _wrote(tmp_path, *SAID[:2])
    whole = (tmp_path / FILE).read_bytes()
    for cut in (1, 5, 30):
        (tmp_path / FILE).write_bytes(whole[:-cut])
        assert [told.event for told in EventReader(tmp_path).after(0)] == SAID[:1]
        _wrote(tmp_path, SAID[2])
        assert [(told.number, told.event) for told in EventReader(tmp_path).after(0)] == [(1, SAID[0]), (2, SAID[2])]


def test_a_line_that_a_power_cut_spoiled_is_passed_over_and_shifts_nothing(tmp_path: Path):
    (tmp_path / FILE).write_bytes(b"\0\0\0\n[]\n")
    _wrote(tmp_path, SAID[1])
    assert [(told.number, told.event) for told in EventReader(tmp_path).after(0)] == [(3, SAID[1])]
