"""Home says what there is, what is under way, and what to do first."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui.testing import User

from winnow.api import job as job_module
from winnow.api import jobs as jobs_module
from winnow.api import loading
from winnow.api.jobs import find_job, submit
from winnow.api.loading import load
from winnow.studio.pages import home
from winnow.studio.pages.importing.imports import imports_of
from winnow.workspace.workspace import Workspace

from .fields import until
from .photos import write_photos


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Climbs wait: these tests look at them only."""
    for module in (job_module, jobs_module):
        monkeypatch.setattr(module, "start_if_needed", lambda _: False)
    monkeypatch.setattr(home, "_LOOK_EVERY_S", 0.05)


async def test_an_empty_workspace_says_what_to_do_first(visitor: User):
    await visitor.open("/")
    await visitor.should_see("Nothing is here yet")
    await visitor.should_see("Import pictures")


async def test_the_digits_are_one_click_away_and_lead_on_to_training(
    visitor: User, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loading, "write_digits", write_photos)  # a few do for this
    await visitor.open("/")
    visitor.find("Try the digits").click()
    await until(lambda: bool(imports_of(workspace).all()) and not imports_of(workspace).all()[0].work.is_running)
    await until(lambda: visitor.back_history[-1] == "/train/digits")
    assert workspace.find_dataset("digits").source == "digits"


async def test_datasets_lead_to_labelling_checking_and_training(visitor: User, workspace: Workspace, tmp_path: Path):
    load(write_photos(tmp_path / "photos"), workspace=workspace)
    await visitor.open("/")
    await visitor.should_see("photos")
    assert visitor.client is not None
    links = {one.props.get("href") for one in visitor.client.elements.values()}
    assert {"/label/photos", "/health/photos", "/train/photos"} <= links


async def test_models_lead_to_their_evaluation(visitor: User, monkeypatch: pytest.MonkeyPatch):
    dataset = {"name": "photos", "pictures": 1200, "classes": 2, "version": 3}
    model = {"dataset": "photos", "version": 3, "created": "2026-01-01T00:00:00+00:00"}
    models = [{"name": "photos", "is_current": True, **model}, {"name": "old", "is_current": False, **model}]
    monkeypatch.setattr(home, "inventory", lambda _: {"datasets": [dataset], "models": models})
    await visitor.open("/")
    await visitor.should_see("photos, version 3")
    assert visitor.client is not None
    links = {one.props.get("href") for one in visitor.client.elements.values()}
    assert {"/evaluate/photos", "/predict/photos"} <= links
    assert "/evaluate/old" not in links


async def test_climbs_are_shown_as_they_go(visitor: User, workspace: Workspace, tmp_path: Path):
    load(write_photos(tmp_path / "photos"), workspace=workspace)
    await visitor.open("/")
    await visitor.should_not_see("Climbs")
    job = submit("photos", workspace=workspace)
    await visitor.should_see("about to start", retries=20)
    find_job(job.id, workspace).stop()
    await visitor.should_see("stopped", retries=20)
