"""Folders of this machine are looked through by buttons."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from winnow.errors import UserError
from winnow.studio.pages.importing import places
from winnow.studio.pages.importing.places import look_into


def test_folders_tables_and_archives_are_listed_and_pictures_counted(tmp_path: Path):
    for name in ("b", "A", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("1.jpg", "2.PNG", "labels.csv", "pets.zip", "notes.txt", ".secret.csv"):
        (tmp_path / name).touch()
    place = look_into(tmp_path)
    assert (place.folders, place.files, place.n_pictures, place.n_more) == (
        ("A", "b"),
        ("labels.csv", "pets.zip"),
        2,
        0,
    )
    assert place.above == tmp_path.parent


def test_the_uppermost_folder_has_none_above():
    assert look_into("/").above is None


def test_a_folder_of_folders_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(places, "MOST_LISTED", 2)
    for name in "abcde":
        (tmp_path / name).mkdir()
    assert (look_into(tmp_path).folders, look_into(tmp_path).n_more) == (("a", "b"), 3)


def test_a_name_that_is_no_text_is_counted_and_not_shown(tmp_path: Path):
    (tmp_path / "b").mkdir()
    (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    place = look_into(tmp_path)
    assert (place.folders, place.n_pictures, place.n_more) == (("b",), 1, 1)


@pytest.mark.parametrize("path", ["/nowhere/at/all", "/etc/hostname", "a\0b", "~nobody-of-that-name/photos"])
def test_what_is_no_folder_says_so(path: str):
    with pytest.raises(UserError, match="choose another"):
        look_into(path)


def test_a_link_that_leads_in_circles_is_no_folder(tmp_path: Path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert look_into(tmp_path).folders == ()
