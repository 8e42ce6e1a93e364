"""The whole way of a person who knows pictures and not our field, from a folder to a trusted model, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from winnow.api.dataset import Dataset
from winnow.workspace.workspace import Workspace

from .window import Studio, Watched

SLOW_MS = 120_000


def press(page: Page, name: str) -> None:
    """Press the button of this name."""
    page.get_by_role("button", name=name, exact=True).click()


def climb(page: Page, budget: str) -> None:
    """On a Train page: ask for a climb with this budget, and wait for its verdict."""
    page.get_by_label("Time (budget)").select_option(label="Another time")
    page.get_by_label("Your own time").fill(budget)
    page.get_by_label("Your own time").blur()
    press(page, "Start the climb")
    expect(page.get_by_role("heading", name="The verdict")).to_be_visible(timeout=SLOW_MS)


def test_three_actions_lead_from_nothing_to_a_model(
    tmp_path: Path, open_studio: Callable[[Path], Studio], watched: Callable[..., Watched]
):
    window = watched(open_studio(tmp_path / "workspace"))
    page = window.page

    page.get_by_text("Try the digits").click()
    page.wait_for_url("**/train/digits", timeout=SLOW_MS)
    climb(page, "15s")
    page.get_by_role("link", name="Predict", exact=True).first.click()
    expect(page.get_by_role("button", name="Choose pictures")).to_be_visible(timeout=SLOW_MS)


@pytest.fixture
def clouds(test_data: Path, tmp_path: Path) -> Path:
    """Three kinds of clouds, and one picture under two of their names."""
    for kind in ("cumulus", "cirrus", "stratus"):
        home = tmp_path / "clouds" / kind
        home.mkdir(parents=True)
        for picture in sorted((test_data / "clouds" / "train" / kind).iterdir())[:60]:
            (home / picture.name).write_bytes(picture.read_bytes())
    first = next((tmp_path / "clouds" / "cumulus").iterdir())
    (tmp_path / "clouds" / "cirrus" / f"copy of {first.name}").write_bytes(first.read_bytes())
    return tmp_path / "clouds"


def test_a_folder_of_clouds_becomes_a_model_that_can_be_questioned(
    clouds: Path, tmp_path: Path, open_studio: Callable[[Path], Studio], watched: Callable[..., Watched]
):
    window = watched(open_studio(tmp_path / "workspace"))
    page = window.page

    # Import by a path of this machine.
    window.go("/import")
    page.get_by_label("Path", exact=True).fill(str(clouds))
    press(page, "Import this path")
    page.wait_for_url("**/import/**")
    expect(page.get_by_text("181 pictures of 3 classes").first).to_be_visible(timeout=SLOW_MS)

    # Health: one picture is called two things; one press leaves both out of a new version.
    window.go("/health/clouds")
    expect(page.get_by_role("heading", name="Conflicts")).to_be_visible(timeout=SLOW_MS)
    press(page, "Leave out 2 pictures")
    press(page, "Make the new version")
    expect(page.get_by_text("Version 2 is made").first).to_be_visible(timeout=SLOW_MS)

    # Label with keys: the first picture gets the class of the key 2, and back.
    window.go("/label/clouds")
    first = page.locator(".label-main img").first
    expect(first).to_be_visible(timeout=SLOW_MS)
    first.click()
    page.keyboard.press("2")
    with Workspace.open(tmp_path / "workspace") as workspace:
        expect(page.get_by_role("button", name="Undo")).to_be_enabled(timeout=SLOW_MS)
        assert workspace.find_version("clouds").number == 3
        page.keyboard.press("Control+z")
        expect(page.get_by_role("button", name="Redo")).to_be_enabled(timeout=SLOW_MS)
        before, now = (Dataset(workspace, "clouds", version) for version in (2, 4))
        assert now.counts() == before.counts()

    # Train, and read the verdict.
    window.go("/train/clouds")
    climb(page, "15s")

    # Evaluate: the slider moves the figures, and a number of the matrix opens its pictures.
    window.go("/evaluate/clouds")
    slider = page.get_by_role("slider").first
    slider.focus()
    before = page.locator("winnow-evaluation").inner_text()
    for _ in range(12):
        page.keyboard.press("PageUp")
    expect(page.locator("winnow-evaluation")).not_to_have_text(before)
    page.locator(".matrix td button").first.click()
    expect(page.get_by_role("dialog").locator("img").first).to_be_visible()
    page.keyboard.press("Escape")

    # Predict one of the pictures.
    window.go("/predict/clouds")
    page.locator("#choose").set_input_files(next((clouds / "cumulus").iterdir()))
    expect(page.locator("#ask").get_by_text("%").first).to_be_visible(timeout=SLOW_MS)
