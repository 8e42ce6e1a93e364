"""One fix of one finding is done as a new version, for all of its pictures or some."""

from __future__ import annotations

from pathlib import Path

import pytest

import winnow
from winnow.api.fixing import mend
from winnow.data.edits import Relabel, Remove
from winnow.data.health.finding import Finding, Fix
from winnow.errors import ConflictError, UserError

NAMES = ("plain/000.png", "plain/002.png")
ODD = Finding("odd", "W_ODD", "worth a look", "Odd.", 2, fixes=(Fix("drop", (Remove(NAMES),)),))


@pytest.fixture
def data(photos: Path, tmp_path: Path) -> winnow.Dataset:
    return winnow.load(photos, name="photos", workspace=tmp_path / "workspace")


def test_a_fix_makes_a_version_and_says_how_to_undo_it(data: winnow.Dataset):
    fixed = mend(data, ODD, ODD.fixes[0])
    assert (fixed.before, fixed.version, fixed.parent) == (1, 2, 1)
    assert fixed.told() == [("Left out: 2 pictures", NAMES)]
    assert fixed.undo == "winnow restore photos 1"
    assert len(data.workspace.manifest("photos")) == len(data) - 2


def test_some_pictures_are_left_as_they_are(data: winnow.Dataset):
    mend(data, ODD, ODD.fixes[0], only=NAMES[:1])
    sources = data.workspace.manifest("photos").column("source")
    assert (NAMES[0] in sources, NAMES[1] in sources) == (False, True)


def test_what_would_change_is_told_before(data: winnow.Dataset):
    fixed = mend(data, ODD, ODD.fixes[0], dry_run=True)
    assert (fixed.version, fixed.told()) == (None, [("Left out: 2 pictures", NAMES)])
    assert data.workspace.find_version("photos").number == 1


def test_what_somebody_changed_since_is_not_overridden(data: winnow.Dataset):
    data.edit([Relabel({NAMES[0]: "square"})])
    with pytest.raises(ConflictError):
        mend(data, ODD, ODD.fixes[0])


def test_choosing_none_of_the_pictures_is_told(data: winnow.Dataset):
    with pytest.raises(UserError, match="choose at least one"):
        mend(data, ODD, ODD.fixes[0], only=["plain/004.png"])
