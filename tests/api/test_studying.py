"""Studies from Python: on the embedded digits, on a folder, and without torch."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

import winnow
from winnow.api.studying import studies
from winnow.errors import BadDataError, MissingExtraError, NotFoundError, UserError


@pytest.fixture(scope="module")
def on_photos(photos: Path, tmp_path_factory: pytest.TempPathFactory):
    """A study of two seeds on a folder of 60 pictures, a fifth of which are its test split."""
    return winnow.study("pooling", on=photos, seeds=2, workspace=tmp_path_factory.mktemp("none") / "workspace")


def test_a_folder_is_studied_with_its_test_split_closed(on_photos):
    numbers = on_photos.numbers
    assert numbers.seeds == (0, 1)
    assert "32 pictures of" in numbers.pictures
    assert "16 others to judge on" in numbers.pictures


def test_a_folder_that_is_studied_is_not_kept(photos: Path, tmp_path: Path):
    workspace = tmp_path / "workspace"
    with pytest.raises(UserError, match="give 2 or more"):
        winnow.study("pooling", on=photos, seeds=1, workspace=workspace)
    assert not workspace.exists()


def test_the_sentence_the_verdict_and_the_command_say_how_it_ended(on_photos, photos: Path):
    assert str(on_photos) == on_photos.sentence
    assert on_photos.sentence.endswith(f"Verdict: {on_photos.verdict}.")
    assert on_photos.numbers.command == f"winnow study pooling --seeds 2 --on {photos}"


@pytest.mark.parametrize(("name", "beginning"), [("it.html", "<!doctype html>"), ("it.svg", "<svg"), ("it.json", "{")])
def test_it_is_saved_as_a_page_a_drawing_or_numbers(on_photos, tmp_path: Path, name: str, beginning: str):
    assert on_photos.save(tmp_path / name).read_text(encoding="utf-8").startswith(beginning)


def test_json_holds_the_same_numbers(on_photos, tmp_path: Path):
    assert json.loads(on_photos.save(tmp_path / "it.json").read_text(encoding="utf-8")) == on_photos.to_json()


def test_another_ending_is_refused(on_photos, tmp_path: Path):
    with pytest.raises(UserError, match=r"saved as \.html, \.svg, \.json, not as 'it\.pdf'"):
        on_photos.save(tmp_path / "it.pdf")


def test_pictures_with_several_classes_are_refused(tmp_path: Path, photos: Path):
    folder = shutil.copytree(photos, tmp_path / "photos")
    files = sorted(folder.rglob("*.png"))[:20]
    rows = [f"{file.relative_to(folder)},{i % 2},{int(i % 3 == 0)}" for i, file in enumerate(files)]
    table = folder / "labels.csv"
    table.write_text("\n".join(["path,red,blue", *rows]), encoding="utf-8")
    data = winnow.load(table, path_column="path", label_column=["red", "blue"], workspace=tmp_path / "workspace")
    with pytest.raises(BadDataError, match="one class a picture"):
        winnow.study("pooling", on=data, seeds=2)


def test_a_name_that_is_none_is_told_before_pictures_are_read():
    with pytest.raises(NotFoundError, match="Did you mean pooling"):
        winnow.study("poling", on="nowhere")


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for ask in (studies, lambda: winnow.study("xor")):
        with pytest.raises(MissingExtraError, match=r"To run a study, install the extra 'deep'"):
            ask()
