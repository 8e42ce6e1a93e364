"""The page Health: what a check found as a list of things to do, each mended with a click and undone with another."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui.testing import User

from winnow.api.dataset import Dataset
from winnow.api.health import Health
from winnow.api.health_numbers import health_part, rows_alone
from winnow.api.loading import load
from winnow.data.edits import AddLabels, MoveToSplit, Remove
from winnow.data.health import check
from winnow.data.health.finding import Finding, Fix, Shown
from winnow.studio import checks as checks_module
from winnow.studio.checks import checks_of, pictures_of
from winnow.studio.pages.health.mending import fix_words
from winnow.workspace.workspace import Workspace

from .fields import act, until
from .photos import write_sick_photos


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks look at the table alone: what they find there is the same, within milliseconds."""

    def check_rows(data: Dataset, **_: object) -> Health:
        subject = rows_alone(data)
        findings = check(subject)
        return Health(health_part(data, subject, findings, (), 0.0), findings, lambda _: None)

    monkeypatch.setattr(checks_module, "check_dataset", check_rows)


@pytest.fixture
def sick(workspace: Workspace, tmp_path: Path) -> Dataset:
    return load(write_sick_photos(tmp_path / "sick"), workspace=workspace)


async def _look(visitor: User, workspace: Workspace, name: str) -> None:
    """Open the page when the check is over."""
    data = Dataset(workspace, name, workspace.find_version(name).number)
    work = checks_of(workspace).begin(data)
    await until(lambda: not work.is_running)
    assert work.error == ""
    await visitor.open(f"/health/{name}")


async def test_a_check_runs_by_itself_and_its_findings_appear(visitor: User, sick: Dataset):
    await visitor.open("/health/sick")
    await visitor.should_see("Checking version 1")
    await visitor.should_see("Conflicts", retries=100)
    for words in ("Serious (1)", "Duplicates", "Unreadable", "W_LABEL_CONFLICT", "winnow check sick"):
        await visitor.should_see(words)


@pytest.mark.usefixtures("quick")
async def test_a_fix_is_asked_for_made_and_undone(visitor: User, workspace: Workspace, sick: Dataset):
    await _look(visitor, workspace, "sick")
    visitor.find("Leave out 1 picture").click()
    await visitor.should_see("Leave out 1 picture, as a new version?")
    await visitor.should_see("dark/copy.png")
    visitor.find("Make the new version").click()
    await visitor.should_see("Version 2 is made", retries=50)
    assert len(workspace.manifest("sick")) == len(sick) - 1
    await visitor.should_see("Undo")
    visitor.find("Undo").click()
    await visitor.should_see("Version 3 equals version 1", retries=50)
    assert workspace.manifest("sick").digest() == sick.manifest.digest()
    await visitor.should_not_see("Undo")


@pytest.mark.usefixtures("quick")
async def test_nothing_is_made_where_one_thinks_better_of_it(visitor: User, workspace: Workspace, sick: Dataset):
    await _look(visitor, workspace, "sick")
    visitor.find("Leave out 1 picture").click()
    await visitor.should_see("Cancel")
    visitor.find("Cancel").click()
    await visitor.should_not_see("Make the new version")
    assert workspace.find_version("sick").number == 1


@pytest.mark.usefixtures("quick")
async def test_an_undo_does_not_take_back_what_others_did(visitor: User, workspace: Workspace, sick: Dataset):
    await _look(visitor, workspace, "sick")
    visitor.find("Leave out 1 picture").click()
    await visitor.should_see("Make the new version")
    visitor.find("Make the new version").click()
    await visitor.should_see("Undo", retries=50)
    sick.remove(["dark/004.png"])
    visitor.find("Undo").click()
    await visitor.should_see("was made meanwhile")
    assert workspace.find_version("sick").number == 3


@pytest.mark.usefixtures("quick")
async def test_a_fix_of_what_somebody_changed_meanwhile_is_refused(visitor: User, workspace: Workspace, sick: Dataset):
    await _look(visitor, workspace, "sick")
    visitor.find("Leave out 1 picture").click()
    await visitor.should_see("Make the new version")
    sick.relabel({"dark/copy.png": "bright"})
    visitor.find("Make the new version").click()
    await visitor.should_see("dark/copy.png", retries=20)
    await until(lambda: workspace.find_version("sick").number == 2)
    await visitor.should_see("Make the new version")


@pytest.mark.usefixtures("quick")
async def test_conflicts_are_reviewed_on_the_page_label(visitor: User, workspace: Workspace, sick: Dataset):
    await _look(visitor, workspace, "sick")
    links = visitor.find("Review them in Label").elements
    assert "/label/sick?only=W_LABEL_CONFLICT" in {link.props["href"] for link in links}


@pytest.mark.usefixtures("quick")
async def test_older_versions_can_be_gone_back_to(visitor: User, workspace: Workspace, sick: Dataset):
    sick.remove(["dark/004.png"])
    await _look(visitor, workspace, "sick")
    visitor.find("Go back to version 1").click()
    await visitor.should_see("Version 3 equals version 1", retries=50)


@pytest.mark.usefixtures("quick")
async def test_pictures_of_several_classes_are_checked_as_well(visitor: User, workspace: Workspace, tmp_path: Path):
    data = load(write_sick_photos(tmp_path / "sick"), workspace=workspace)
    data.edit([AddLabels(["dark/000.png", "dark/004.png"], ["night"])])
    await _look(visitor, workspace, "sick")
    await visitor.should_see("Conflicts")
    await visitor.should_see("dark, night")


async def test_a_dataset_that_is_not_there_is_told(visitor: User):
    await visitor.open("/health/nothing")
    await visitor.should_see("No dataset is called 'nothing'")


@pytest.mark.usefixtures("quick")
async def test_pictures_are_unticked_where_a_person_disagrees(visitor: User, workspace: Workspace, sick: Dataset):
    await _look(visitor, workspace, "sick")
    health = checks_of(workspace).health("sick")
    assert health is not None
    names = ("dark/000.png", "dark/004.png", "dark/006.png")
    contents = {one.source: one.content for one in sick.examples()}
    shown = tuple(Shown(contents[name], name, "dark", 0.1, "bright") for name in names[:2])
    doubt = Finding(
        "blank", "W_CONSTANT", "worth a look", "Odd.", 3, shown, "how odd", (Fix("drop", (Remove(names),), True),)
    )
    object.__setattr__(health, "findings", (doubt,))
    await visitor.open("/health/sick")
    visitor.find("Leave out 3 pictures").click()
    await visitor.should_see("Untick those")
    await visitor.should_see("Also the 1 picture not shown here")
    (first, *_) = [one for one in visitor.client.elements.values() if one.props.get("type") == "checkbox"]  # type: ignore[union-attr]
    act(visitor, first, "change", False)
    visitor.find("Make the new version").click()
    await visitor.should_see("Version 2 is made", retries=50)
    left = {one.source for one in sick.restore(2).examples()}
    assert [name in left for name in names] == [True, False, True]


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        (Fix("drop", (Remove(["a"]),)), "Leave out 1 picture"),
        (Fix("move", (MoveToSplit(["a", "b"], "train"),)), "Move 2 pictures to train"),
        (Fix("move", (MoveToSplit(["a"], "train"), MoveToSplit(["b"], "test"))), "Move 2 pictures"),
    ],
)
def test_buttons_say_what_they_do(fix: Fix, words: str):
    assert fix_words(fix) == words


def test_the_pictures_of_a_finding_are_those_shown_and_those_a_fix_would_touch():
    shown = (Shown("0" * 64, "b", "", 1.0), Shown("", "no picture", "", 1.0))
    finding = Finding("x", "W_X", "good to know", "X.", 3, shown, fixes=(Fix("drop", (Remove(["a", "b", "c"]),)),))
    assert pictures_of(finding) == ("b", "a", "c")


def test_a_check_of_the_same_version_is_made_once(workspace: Workspace, sick: Dataset):
    checks = checks_of(workspace)
    work = checks.begin(sick)
    assert checks.begin(sick) is work
    newer = sick.remove(["dark/004.png"])
    assert checks.begin(newer) is not work
