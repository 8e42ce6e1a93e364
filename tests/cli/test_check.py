"""`winnow check` fits one screen and says what to type; `winnow fix` does it and says how to go back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from terminal import Winnow


@pytest.fixture
def sick(shapes: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "sick"
    shutil.copytree(shapes, folder)
    shutil.copy(folder / "dark" / "00.png", folder / "dark" / "copy.png")
    shutil.copy(folder / "dark" / "01.png", folder / "bright" / "conflict.png")
    Image.new("L", (12, 12), 60).save(folder / "dark" / "blank.png")
    return folder


def test_a_check_is_grouped_by_severity_and_says_what_to_type(winnow: Winnow, sick: Path):
    winnow("import", sick)
    said = winnow("check", "sick")
    assert said.code == 0
    assert said.out.index("Serious") < said.out.index("Worth a look")
    assert "→ winnow fix sick --drop conflicts" in said.out
    assert "→ winnow fix sick --drop duplicates" in said.out
    assert "→ winnow fix sick --drop blank" in said.out
    assert len(said.out.splitlines()) < 60


def test_the_light_of_these_classes_is_a_shortcut(winnow: Winnow, sick: Path):
    said = winnow("check", sick).out
    assert "Brightness alone tells 'bright' from 'dark'" in " ".join(said.split())


def test_json_lists_everything(winnow: Winnow, sick: Path):
    answer = json.loads(winnow("check", sick, "--json").out)
    kinds = {finding["kind"] for finding in answer["findings"]}
    assert {"conflicts", "duplicates", "blank", "shortcuts"} <= kinds
    conflict = next(finding for finding in answer["findings"] if finding["kind"] == "conflicts")
    assert {one["source"] for one in conflict["examples"]} == {"bright/conflict.png", "dark/01.png"}


def test_files_are_checked_without_being_imported(winnow: Winnow, sick: Path):
    said = winnow("check", sick)
    assert "temporary" in said.err
    assert json.loads(winnow("list", "--json").out)["datasets"] == []


def test_a_page_is_written_where_asked(winnow: Winnow, sick: Path, tmp_path: Path):
    said = winnow("check", sick, "--html", tmp_path / "check.html")
    assert f"Page: {tmp_path / 'check.html'}" in said.out.replace("\n", "")
    assert "<!doctype html>" in (tmp_path / "check.html").read_text()


def test_strict_leaves_with_three_if_something_is_serious(winnow: Winnow, sick: Path, shapes: Path):
    assert winnow("check", sick, "--strict").code == 3
    assert winnow("check", sick).code == 0


def test_a_fix_says_what_it_did_and_how_to_go_back(winnow: Winnow, sick: Path):
    winnow("import", sick)
    said = winnow("fix", "sick", "--drop", "duplicates,conflicts", "--drop", "blank")
    assert said.code == 0
    assert "Left out: 4 pictures" in said.out
    assert "sick, version 2. To go back: winnow restore sick 1" in said.out
    assert "Nothing to mend" in winnow("fix", "sick", "--drop", "duplicates").out
    assert winnow("restore", "sick", 1).code == 0
    assert "Left out: 1 picture" in winnow("fix", "sick", "--drop", "duplicates").out


def test_a_dry_run_shows_and_changes_nothing(winnow: Winnow, sick: Path):
    winnow("import", sick)
    said = winnow("fix", "sick", "--drop", "duplicates", "--dry-run")
    assert "Nothing was changed" in said.out
    answer = json.loads(winnow("fix", "sick", "--drop", "duplicates", "--dry-run", "--json").out)
    assert answer["version"] is None
    assert answer["edits"][0]["kind"] == "remove"


def test_a_mistyped_kind_is_recognised(winnow: Winnow, sick: Path):
    winnow("import", sick)
    said = winnow("fix", "sick", "--drop", "duplicate")
    assert said.code == 2
    assert "Did you mean duplicates" in said.err
    assert winnow("fix", "sick").code == 2
    assert winnow("fix", "nobody", "--drop", "duplicates").code == 4


def test_naming_a_picture_that_was_not_found_says_so(winnow: Winnow, sick: Path):
    winnow("import", sick)
    assert "named by --only" in winnow("fix", "sick", "--drop", "blank", "--only", "nothere.png").out
