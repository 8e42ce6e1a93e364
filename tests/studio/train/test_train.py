"""The Train pages: ask for a climb, watch it, stop it, come back to it, read what came of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nicegui.testing import User

from winnow.api import job as job_module
from winnow.api import jobs as jobs_module
from winnow.api.jobs import find_job, jobs, submit, train_here
from winnow.api.loading import load
from winnow.api.wish import Wish
from winnow.events import EpochDone, Event, Note, PlanMade, Progress, RungFinished, RungStarted, tell_nobody
from winnow.studio.pages.evaluate.reports import report_address
from winnow.studio.pages.train import climbs, status, watch
from winnow.workspace.workspace import Workspace

from ..fields import change
from ..photos import write_photos

RUNGS = ["commonest-class", "pixels-nearest-neighbour"]
PLAN = PlanMade((("commonest-class", 2.0), ("pixels-nearest-neighbour", 30.0)), 32.0, None)


@pytest.fixture(scope="session")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which climb 1 on "photos" is done; to be copied."""
    folder = tmp_path_factory.mktemp("climbed")
    photos = load(write_photos(folder / "photos", 60), workspace=folder / "workspace")
    train_here(photos, Wish.checked(rungs=RUNGS), tell=tell_nobody)
    photos.workspace.close()
    return folder / "workspace"


@pytest.fixture
def workspace(tmp_path: Path, climbed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """Its copy, in which no worker works: the tests say what it would."""
    for module in (job_module, jobs_module):
        monkeypatch.setattr(module, "start_if_needed", lambda _: False)
    for page in (climbs, watch):
        monkeypatch.setattr(page, "EVERY_S", 0.02)
    shutil.copytree(climbed, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def says(workspace: Workspace) -> Callable[..., None]:
    """Lets the worker of a job say something."""

    def say(job_id: int, *events: Event) -> None:
        writer = workspace.jobs.write_events(job_id)
        for event in events:
            writer.append(event, datetime.now(UTC))
        writer.close()

    return say


async def test_datasets_and_climbs_are_there_to_choose_from(visitor: User):
    await visitor.open("/train")
    await visitor.should_see("photos")
    await visitor.should_see("Climb 1")
    await visitor.should_see("Chosen: pixels + nearest neighbour.")
    await visitor.should_see("photos@1")


async def test_where_there_is_no_dataset_the_way_to_one_is_shown(visitor: User, workspace: Workspace):
    workspace.remove_dataset("photos", force=True)
    await visitor.open("/train")
    await visitor.should_see("There is no dataset yet")
    await visitor.should_see("Import pictures")


async def test_the_estimate_stands_before_the_start(visitor: User):
    await visitor.open("/train/photos")
    await visitor.should_see("on this machine", retries=100)
    await visitor.should_see("pixels + nearest neighbour")
    await visitor.should_see("no backbone is at hand", retries=100)


async def test_what_is_asked_for_is_what_is_queued(visitor: User, workspace: Workspace):
    await visitor.open("/train/photos")
    await visitor.should_see("on this machine", retries=100)
    await change(visitor, "Time (budget)", "own")
    await change(visitor, "Your own time", "2m")
    await change(visitor, "What counts (metric)", "macro_f1")
    await change(visitor, "Seed", "7")
    await change(visitor, "Leave the test split closed", value=True)
    await visitor.should_see("winnow train photos --budget 2m --seed 7 --optimise macro_f1 --no-test", retries=100)
    visitor.find("Start the climb").click()
    await visitor.should_see("About to start", retries=30)
    wish = find_job(2, workspace).wish
    assert (wish["budget"], wish["optimise"], wish["seed"], wish["open_test"]) == (120, "macro_f1", 7, False)
    assert wish["rungs"] is None


async def test_a_time_that_is_none_is_told_before_anything_starts(visitor: User, workspace: Workspace):
    await visitor.open("/train/photos")
    await visitor.should_see("on this machine", retries=100)
    await change(visitor, "Time (budget)", "own")
    await change(visitor, "Your own time", "soon")
    await visitor.should_see("'soon' is no budget", retries=100)
    visitor.find("Start the climb").click()
    await asyncio.sleep(0.05)
    assert len(jobs(workspace)) == 1


async def test_methods_are_chosen_by_ticking(visitor: User, workspace: Workspace):
    await visitor.open("/train/photos")
    await visitor.should_see("on this machine", retries=100)
    others = ("pixels + RBF SVM", "pixels + logistic regression", "pixels (and HOG) + random forest")
    for title in (*others, "ensemble of the best"):
        await change(visitor, title, value=False)
    await visitor.should_see("2 methods, about", retries=100)
    await visitor.should_see("not ticked")
    visitor.find("Start the climb").click()
    await visitor.should_see("About to start", retries=30)
    assert find_job(2, workspace).wish["rungs"] == RUNGS


async def test_one_class_is_refused_with_the_way_to_mend_it(visitor: User, workspace: Workspace, tmp_path: Path):
    load(write_photos(tmp_path / "alike", 12, ("only",)), workspace=workspace)
    await visitor.open("/train/alike")
    await visitor.should_see("at least two classes are needed", retries=100)
    await visitor.should_see("Label its pictures")
    visitor.find("Start the climb").click()
    await asyncio.sleep(0.05)
    assert len(jobs(workspace)) == 1


async def test_the_page_follows_a_climb_from_the_queue_to_its_ladder(
    visitor: User, workspace: Workspace, says: Callable[..., None]
):
    submit("photos", workspace=workspace)
    submit("photos", seed=1, workspace=workspace)
    await visitor.open("/train/photos/3")
    await visitor.should_see("Waits until 1 climb before it is over.")
    for _ in range(2):
        assert workspace.jobs.take() is not None
    says(3, Note("Two classes look alike.", is_warning=True), PLAN)
    await visitor.should_see("Caution: Two classes look alike.")
    says(3, RungStarted("commonest-class", "always the commonest class", 2.0), Progress("reading pictures", 3, 48))
    await visitor.should_see("Trying always the commonest class (method 1 of 2).")
    await visitor.should_see("Reading pictures: 3 of 48")
    await visitor.should_see("32 s were estimated")
    says(3, RungFinished("commonest-class", "always the commonest class", 0.5, 0.4, 0.6, 1.5))
    await visitor.should_see(content="<b>50.0 %</b>")
    await visitor.should_see("Stop, keep the best so far")


async def test_who_comes_back_later_sees_the_same(visitor: User, workspace: Workspace, says: Callable[..., None]):
    submit("photos", workspace=workspace)
    workspace.jobs.take()
    says(2, PLAN, RungFinished("commonest-class", "always the commonest class", 0.5, 0.4, 0.6, 1.5))
    for _ in range(2):
        await visitor.open("/train/photos/2")
        await visitor.should_see(content="<b>50.0 %</b>")
        await visitor.should_see(content="still to come")


async def test_networks_show_how_they_learn_as_curves_and_as_a_table(
    visitor: User, workspace: Workspace, says: Callable[..., None]
):
    submit("photos", workspace=workspace)
    workspace.jobs.take()
    says(2, PLAN, Progress("a net, network 1 of 6", 1, 20), EpochDone(1, {"cross entropy": 0.75}, {}, 0.1, 1.0))
    await visitor.open("/train/photos/2")
    await visitor.should_see("How networks learn")
    await visitor.should_see("0.75")
    await visitor.should_see(content="<svg")


async def test_a_stopped_climb_says_so_and_a_queued_one_is_taken_off(visitor: User, workspace: Workspace):
    submit("photos", workspace=workspace)
    submit("photos", seed=1, workspace=workspace)
    workspace.jobs.take()
    await visitor.open("/train/photos/2")
    visitor.find("Stop, keep the best so far").click()
    await visitor.should_see("Stopping; the best so far is kept.")
    workspace.jobs.end(2, "stopped")
    await visitor.should_see("No method was done by then")
    await visitor.open("/train/photos/3")
    visitor.find("Take it off the queue").click()
    await visitor.should_see("It was stopped")
    assert find_job(3, workspace).state == "stopped"


async def test_a_silent_worker_is_seen_and_the_way_on_is_told(
    visitor: User, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    submit("photos", workspace=workspace)
    workspace.jobs.take()
    later = datetime.now(UTC) + timedelta(seconds=9)
    monkeypatch.setattr(status, "now", lambda: later)
    await visitor.open("/train/photos/2")
    await visitor.should_see("Nothing is heard from the process that climbs.")


async def test_a_climb_that_went_on_after_a_loss_says_so(visitor: User, workspace: Workspace):
    submit("photos", workspace=workspace)
    workspace.jobs.take()
    workspace.jobs.release_all()
    workspace.jobs.take()
    await visitor.open("/train/photos/2")
    await visitor.should_see("Its process was lost once")


async def test_the_end_shows_verdict_score_openings_and_the_ways_on(visitor: User):
    await visitor.open("/train/photos/1")
    await visitor.should_see("Chosen: pixels + nearest neighbour.")
    await visitor.should_see("Test split, 12 pictures")
    await visitor.should_see("This was the first look at the test split")
    hrefs = {one.props.get("href") for one in visitor.find("Look closer at the model").elements}
    assert hrefs == {"/evaluate/photos%401"}
    await visitor.should_see("The whole report")
    await visitor.should_see(content="chosen")


async def test_a_failed_climb_says_why_and_can_be_asked_for_again(visitor: User, workspace: Workspace):
    submit("photos", workspace=workspace)
    workspace.jobs.take()
    workspace.jobs.end(2, "failed", error="The disk is full; free some space.")
    await visitor.open("/train/photos/2")
    await visitor.should_see("The disk is full; free some space.")
    visitor.find("Ask for the same again").click()
    await visitor.should_see("About to start", retries=30)
    assert find_job(3, workspace).wish == find_job(2, workspace).wish


async def test_a_climb_that_ends_leaves_the_queue_for_those_that_are_over(visitor: User, workspace: Workspace):
    submit("photos", workspace=workspace)
    await visitor.open("/train")
    await visitor.should_see("About to start")
    visitor.find("Take it off").click()
    await visitor.should_see("Stopped before there was anything to keep")
    await visitor.should_not_see("About to start")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/train/nothing", "No dataset is called 'nothing'"),
        ("/train/photos/99", "No job has the number 99"),
        ("/train/photos/<b>", "No climb has the number '<b>'"),
        (f"/train/photos/{10**30}", "No climb has the number '10000000000000000000'"),
    ],
)
async def test_what_is_not_there_is_said(visitor: User, address: str, said: str):
    await visitor.open(address)
    await visitor.should_see(said)


async def test_the_report_opens_in_a_sandbox_by_its_models_name(visitor: User):
    answer = await visitor.http_client.get(report_address("photos@1"))
    assert answer.status_code == 200
    assert "Winnow report" in answer.text
    assert "sandbox allow-scripts" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (await visitor.http_client.get(report_address("nothing"))).status_code == 404
