"""Climbs that run by themselves: asked for, watched, stopped, killed; and always the model that they should give."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import winnow
from winnow.api import starting, worker
from winnow.api.dataset import Dataset
from winnow.api.job import Job
from winnow.api.jobs import ensure_worker, estimate, find_job, jobs, submit, train_here
from winnow.api.loading import load
from winnow.api.model import Model
from winnow.api.recording import Recording, _Thinned
from winnow.api.wish import Wish
from winnow.api.worker import work
from winnow.errors import NotFoundError, UserError
from winnow.events import Event, Note, PlanMade, Progress, RungFinished, RungStarted, StepDone, Tell, tell_nobody
from winnow.workspace.claim import Claim
from winnow.workspace.workspace import Workspace

from . import held_worker
from .held_worker import hold, let_go
from .squares import RUNGS

NEEDS_KILL = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")


def graph(model: Model) -> bytes:
    return (model.folder / "model.onnx").read_bytes()


@pytest.fixture
def data(photos: Path, tmp_path: Path) -> Dataset:
    return load(photos, workspace=tmp_path / "workspace")


@pytest.fixture(autouse=True)
def _attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.api.heartbeat._LOOK_S", 0.02)


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait: what would start a worker starts nothing."""
    monkeypatch.setattr("winnow.api.jobs.start_if_needed", lambda _: False)
    monkeypatch.setattr("winnow.api.job.start_if_needed", lambda _: False)


def model_of(job: Job, data: Dataset) -> Model:
    assert job.model is not None
    return Model.open(job.model, data.workspace)


# Asking


def test_a_job_waits_with_the_wish_it_was_asked_for(data: Dataset, no_worker: None):
    job = submit("photos", budget="5m", rungs=RUNGS, name="mine", open_test=False, workspace=data.workspace)
    assert (job.id, job.state, job.dataset, job.version, job.is_over) == (1, "queued", "photos", 1, False)
    assert job.wish == {
        "budget": 300.0,
        "seed": 0,
        "optimise": None,
        "prefer": "cheapest",
        "rungs": RUNGS,
        "backbone": None,
        "name": "mine",
        "open_test": False,
    }
    assert (job.started_at, job.ended_at, job.model, job.error, job.worker) == (None, None, None, None, None)
    assert [one.id for one in jobs(data.workspace)] == [find_job(1, data.workspace).id] == [1]
    assert job.events() == []


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"budget": "soon"}, "write 30s, 5m or 1h"),
        ({"rungs": ["pixels-swm"]}, "Did you mean pixels-svm"),
        ({"optimise": "hamming_loss"}, "hamming_loss"),
        ({"backbone": "resnet"}, "No backbone is called 'resnet'"),
        ({"name": "a/b"}, "has the character '/'"),
    ],
)
def test_a_senseless_wish_is_told_before_it_waits(data: Dataset, no_worker: None, wish: dict[str, object], said: str):
    with pytest.raises(UserError, match=said):
        submit(data, **wish)  # type: ignore[arg-type]
    assert jobs(data.workspace) == []


def test_a_dataset_or_job_that_is_not_there_is_told(data: Dataset, no_worker: None):
    with pytest.raises(NotFoundError, match="clouds"):
        submit("clouds", workspace=data.workspace)
    with pytest.raises(NotFoundError, match="number 4"):
        find_job(4, data.workspace)


def test_one_that_waits_is_taken_off_at_once_and_can_be_asked_for_again(data: Dataset, no_worker: None):
    job = submit(data, rungs=RUNGS).stop()
    assert (job.state, job.is_over, job.model) == ("stopped", True, None)
    again = job.again()
    assert (again.id, again.state, again.wish) == (2, "queued", job.wish)


# Working


def test_a_worker_works_the_queue_off_and_the_models_are_the_usual_ones(data: Dataset, trained: Model, no_worker: None):
    first, second = submit(data, rungs=RUNGS), submit(data, rungs=RUNGS[:1], seed=1, name="guess")
    work(data.workspace, idle_s=0)
    first, second = first.refreshed(), second.refreshed()
    assert (first.state, first.model, first.attempts, first.error) == ("done", "photos@1", 1, None)
    assert (second.state, second.model) == ("done", "guess@1")
    assert graph(model_of(first, data)) == graph(trained)
    assert first.climb == model_of(first, data).report.numbers.climb.id
    assert first.created_at <= first.started_at <= first.heartbeat_at <= first.ended_at  # type: ignore[operator]
    assert first.worker is not None
    assert first.worker.endswith(f":{os.getpid()}")


def test_what_was_said_can_be_read_by_anybody_later(data: Dataset, no_worker: None):
    job = submit(data, rungs=RUNGS)
    work(data.workspace, idle_s=0)
    with Workspace.open(data.workspace.folder) as restarted:
        told = find_job(job.id, restarted).events()
        assert [one.number for one in told] == list(range(1, len(told) + 1))
        assert [one.event for one in find_job(job.id, restarted).events(3)] == [one.event for one in told[3:]]
    kinds = [one.event for one in told]
    assert isinstance(kinds[0], PlanMade)
    assert [event.rung for event in kinds if isinstance(event, RungFinished)] == RUNGS
    heard: list[Event] = []
    assert job.watch(heard.append).state == "done"
    assert heard == kinds


def test_what_cannot_be_learned_fails_in_a_sentence_and_costs_no_other_job(data: Dataset, no_worker: None):
    hopeless, fine = submit(data, rungs=RUNGS[1:], budget=1e-6), submit(data, rungs=RUNGS[:1])
    work(data.workspace, idle_s=0)
    hopeless = hopeless.refreshed()
    assert (hopeless.state, hopeless.model) == ("failed", None)
    assert hopeless.error is not None
    assert "larger budget" in hopeless.error
    assert fine.refreshed().state == "done"


def test_a_fault_is_told_in_a_sentence_with_where_its_trace_is(
    data: Dataset, no_worker: None, monkeypatch: pytest.MonkeyPatch
):
    job = submit(data, rungs=RUNGS)
    monkeypatch.setattr("winnow.api.recording.climb_on", lambda *_: {}["nothing"])
    work(data.workspace, idle_s=0)
    error = job.refreshed().error
    assert error is not None
    assert error.startswith("A fault of Winnow ended it (KeyError: 'nothing').")
    assert "Traceback" in (data.workspace.jobs.folder / "1" / "error.txt").read_text()


def test_two_workers_are_one_too_many(data: Dataset, no_worker: None):
    submit(data, rungs=RUNGS)
    claim = Claim.take(data.workspace.jobs.folder)
    assert claim is not None
    work(data.workspace, idle_s=0)
    claim.release()
    assert find_job(1, data.workspace).state == "queued"


def test_what_is_asked_for_while_a_worker_leaves_is_not_forgotten(
    data: Dataset, no_worker: None, monkeypatch: pytest.MonkeyPatch
):
    work_off = worker._work_off

    def leaving(workspace: Workspace, idle_s: float) -> None:
        work_off(workspace, idle_s)
        if not jobs(workspace):
            submit(data, rungs=RUNGS[:1])

    monkeypatch.setattr(worker, "_work_off", leaving)
    work(data.workspace, idle_s=0)
    assert [job.state for job in jobs(data.workspace)] == ["done"]


# Stopping


def stopping_at(rung: str, data: Dataset) -> Tell:
    """Asks job 1 to stop when that rung starts, and waits until that is heard."""

    def tell(event: Event) -> None:
        if isinstance(event, RungStarted) and event.rung == rung:
            data.workspace.jobs.ask_to_stop(1)
            time.sleep(60)  # the interrupt ends the sleep
            pytest.fail("nobody heard that it should stop")

    return tell


def test_a_climb_that_is_stopped_keeps_the_best_so_far(data: Dataset):
    model = train_here(data, Wish.checked(rungs=RUNGS), tell=stopping_at(RUNGS[1], data))
    assert model.rung == RUNGS[0]
    assert model.report.numbers.climb.was_interrupted
    job = find_job(1, data.workspace)
    assert (job.state, job.model) == ("stopped", "photos@1")


def test_a_stop_is_heard_even_where_a_shell_made_us_ignore_interrupts(data: Dataset):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as for what is started with `&` in a script
    try:
        model = train_here(data, Wish.checked(rungs=RUNGS), tell=stopping_at(RUNGS[1], data))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert model.rung == RUNGS[0]
    assert find_job(1, data.workspace).state == "stopped"


def test_one_that_is_stopped_before_anything_is_done_leaves_nothing(data: Dataset):
    with pytest.raises(KeyboardInterrupt):
        train_here(data, Wish.checked(rungs=RUNGS), tell=stopping_at(RUNGS[0], data))
    assert (find_job(1, data.workspace).state, find_job(1, data.workspace).model) == ("stopped", None)
    done = train_here(data, Wish.checked(rungs=RUNGS), tell=tell_nobody)
    assert not done.report.numbers.climb.was_interrupted


def test_an_interrupt_that_comes_too_late_for_the_climb_loses_nothing(data: Dataset, trained: Model):
    def late(event: Event) -> None:
        is_first = find_job(1, data.workspace).state == "running"
        if isinstance(event, Progress) and event.what == "measuring the chosen model" and is_first:
            data.workspace.jobs.ask_to_stop(1)
            time.sleep(60)

    model = train_here(data, Wish.checked(rungs=RUNGS), tell=late)
    assert graph(model) == graph(trained)
    assert find_job(1, data.workspace).state == "done"


def test_ctrl_c_in_the_terminal_is_a_stop_too(data: Dataset):
    def impatient(event: Event) -> None:
        if isinstance(event, RungStarted) and event.rung == RUNGS[1]:
            raise KeyboardInterrupt

    assert train_here(data, Wish.checked(rungs=RUNGS), tell=impatient).rung == RUNGS[0]
    assert find_job(1, data.workspace).state == "stopped"


def test_one_that_died_while_it_was_asked_to_stop_keeps_what_it_had(data: Dataset, no_worker: None):
    job = submit(data, rungs=RUNGS)
    assert data.workspace.jobs.take() is not None

    def die(event: Event) -> None:
        if isinstance(event, RungFinished):
            raise SystemExit

    with pytest.raises(SystemExit):
        winnow.train(data, rungs=RUNGS, tell=die)
    data.workspace.jobs.ask_to_stop(job.id)
    data.workspace.jobs.release_all()
    work(data.workspace, idle_s=0)
    job = job.refreshed()
    assert (job.state, job.attempts, job.model) == ("stopped", 2, "photos@1")
    assert model_of(job, data).rung == RUNGS[0]


# What is written down


def test_steps_are_thinned_and_the_last_one_is_kept():
    thinned, written = _Thinned(), list[Event]()
    steps = [StepDone(n, 100, {}, 0.1) for n in range(1, 101)]
    for n, step in enumerate(steps):
        written += thinned.of(step, now=0.02 * n)  # 50 a second, for 2 seconds
    note = Note("done")
    written += thinned.of(note, now=2.0)
    assert written[0] == steps[0]
    assert written[-2:] == [steps[-1], note]
    assert len(written) <= 2 + 2 * 2 + 1


def test_other_events_are_never_thinned():
    thinned = _Thinned()
    events: list[Event] = [Note("a"), Note("b"), Progress("x", 0), Progress("y", 0), Note("c")]
    assert [one for event in events for one in thinned.of(event, now=0.0)] == events
    assert thinned.rest() == []


def test_a_heartbeat_is_heard_while_a_climb_is_at_work(data: Dataset, no_worker: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.api.heartbeat.BEAT_S", 0.02)
    submit(data, rungs=RUNGS)
    record = data.workspace.jobs.take()
    assert record is not None
    with Recording(data.workspace.jobs, record, tell_nobody):
        until = time.monotonic() + 5
        while time.monotonic() < until and data.workspace.jobs.find(1).heartbeat == record.heartbeat:
            time.sleep(0.01)
    assert data.workspace.jobs.find(1).heartbeat != record.heartbeat
    assert not [thread for thread in threading.enumerate() if thread.name == "winnow-heartbeat"]


# Before it starts


def test_the_plan_is_the_one_that_the_climb_will_tell(data: Dataset):
    heard: list[Event] = []
    planned = estimate(data, Wish.checked(rungs=RUNGS, budget="1m"))
    winnow.train(data, rungs=RUNGS, budget="1m", tell=heard.append)
    (told,) = [event for event in heard if isinstance(event, PlanMade)]
    assert [one.rung for one in planned.rungs] == [rung for rung, _ in told.rungs] == RUNGS
    assert planned.budget_s == told.budget_s == 60
    assert planned.total_s == pytest.approx(sum(one.seconds or 0 for one in planned.rungs))
    assert all(one.skipped is None for one in planned.rungs)


def test_the_plan_says_why_a_rung_would_be_skipped(data: Dataset):
    whole = {one.rung: one for one in estimate(data, Wish()).rungs}
    assert whole["lenet-5"].seconds is None
    assert whole["lenet-5"].skipped is not None
    (first, second) = estimate(data, Wish.checked(rungs=RUNGS, budget=1.5 * (whole[RUNGS[0]].seconds or 0))).rungs
    assert first.skipped is None
    assert second.skipped is not None
    assert "of the budget are left" in second.skipped
    with pytest.raises(NotFoundError, match="pixels-knn"):
        estimate(data, Wish.checked(rungs=["pixels-knn"]))


# In processes of their own


@pytest.fixture
def held_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Workers are processes, stand still where a test wants it (`hold`), and leave with it."""
    monkeypatch.setattr(starting, "_WORKER", (str(Path(held_worker.__file__)),))
    yield
    for program in starting._started.values():
        program.terminate()
        program.wait(timeout=30)
    starting._started.clear()


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "in vain"
        time.sleep(0.01)


@NEEDS_KILL
def test_a_killed_worker_is_seen_and_its_climb_ends_in_the_very_same_model(
    data: Dataset, photos: Path, tmp_path: Path, held_workers: None
):
    rungs = [*RUNGS, "pixels-logistic-regression"]
    undisturbed = winnow.train(photos, workspace=tmp_path / "other", rungs=rungs, backbone="none", tell=tell_nobody)
    hold(data.workspace.folder, RungFinished)
    job = submit(data, rungs=rungs, backbone="none")
    wait_until(lambda: any(isinstance(told.event, RungFinished) for told in job.events()))
    first = starting._started[data.workspace.folder].pid
    os.kill(first, signal.SIGKILL)
    assert job.refreshed().state == "running"
    let_go(data.workspace.folder)
    wait_until(lambda: ensure_worker(data.workspace), seconds=10)
    heard: list[Event] = []
    job = job.watch(heard.append)
    assert (job.state, job.attempts) == ("done", 2)
    assert job.worker is not None
    assert not job.worker.endswith(f":{first}")
    assert any(isinstance(event, Note) and "resumed" in event.text for event in heard)
    assert any(isinstance(event, RungFinished) and event.is_from_before for event in heard)
    model = model_of(job, data)
    assert graph(model) == graph(undisturbed)
    assert model.report.numbers.judged == undisturbed.report.numbers.judged
    assert model.report.numbers.test == undisturbed.report.numbers.test


@NEEDS_KILL
def test_a_worker_that_has_to_leave_puts_its_job_back_and_a_stopped_one_keeps_the_best(
    data: Dataset, held_workers: None
):
    hold(data.workspace.folder, PlanMade)
    job = submit(data, rungs=[*RUNGS, "pixels-svm"], backbone="none")
    wait_until(lambda: any(isinstance(told.event, PlanMade) for told in job.events()))
    program = starting._started[data.workspace.folder]
    program.terminate()
    program.wait(timeout=30)
    job = job.refreshed()
    assert (job.state, job.attempts, job.is_over) == ("queued", 0, False)
    hold(data.workspace.folder, RungFinished)
    assert ensure_worker(data.workspace)
    assert not ensure_worker(data.workspace), "one is on its way"
    n_told = len(job.events())
    wait_until(lambda: any(isinstance(told.event, RungFinished) for told in job.events(n_told)))
    job = job.stop().watch(tell_nobody)
    assert job.state == "stopped"
    assert job.model == "photos@1"
