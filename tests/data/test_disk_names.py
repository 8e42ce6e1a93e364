"""What files and folders are called on disks that refuse different names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.data.class_names import ClassNameError, class_name
from winnow.data.sources.disk_names import UNLABELLED, class_of_folder, disk_key, disk_name, folders_of_classes
from winnow.data.sources.tree import is_litter
from winnow.errors import UserError

from .finding import found_in
from .pictures import file_of, noise

# Pieces that make trouble alone and together: capitals, per cent signs and what looks like an escape.
PIECES = [*"aAbB%2F5c3éÉ/.:~$_ unCON0C3A9E:", "%41", "%C3", "%A9", "%2e", "nul", ".git", "ж", "Ж", "😀"]
NAMES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


@pytest.mark.parametrize(
    ("name", "on_disk"),
    [
        ("cat", "cat"),
        ("日本語", "日本語"),
        ('a<b>c:d"e/f\\g|h?i*j', "a%3Cb%3Ec%3Ad%22e%2Ff%5Cg%7Ch%3Fi%2Aj"),
        ("CON", "%43ON"),
        ("com1.jpg", "%63om1.jpg"),
        ("console", "console"),
        ("..", "%2E%2E"),
        ("etc.", "etc%2E"),
        (".DS_Store", "%2EDS_Store"),
        ("Thumbs.db", "%54humbs.db"),
        ("a\nb", "a%0Ab"),
        ("e\u0301", "é"),
    ],
)
def test_what_a_disk_refuses_or_hides_is_written_as_in_a_url(name: str, on_disk: str):
    assert disk_name(name) == on_disk
    assert not is_litter(disk_name(name))


@given(st.lists(NAMES, min_size=1, max_size=8))
def test_every_class_has_a_folder_of_its_own_that_gives_it_back(names: list[str]):
    classes: set[str] = set()
    for name in names:
        try:
            classes.add(class_name(name)[0])
        except ClassNameError:
            continue
    folders = folders_of_classes(classes)
    assert {folder: class_of_folder(folder) for folder in folders.values()} == {v: k for k, v in folders.items()}
    assert len({disk_key(folder) for folder in folders.values()}) == len(classes)


@pytest.mark.parametrize(
    "names", [("..", "%2e%2e"), ("/", "%2f"), ("%2E", "%2e", "."), ("é/", "%c3%a9%2f", "%C3%A9%2F")]
)
def test_a_name_of_escapes_in_small_letters_takes_no_other_folder(names: tuple[str, ...]):
    folders = folders_of_classes(names)
    assert len({disk_key(folder) for folder in folders.values()}) == len(names)
    assert {class_of_folder(folder) for folder in folders.values()} == set(names)


def test_a_class_may_be_called_like_the_folder_of_those_without_label():
    folders = folders_of_classes([UNLABELLED, UNLABELLED.upper()])
    assert UNLABELLED not in folders.values()
    assert sorted(map(str, map(class_of_folder, folders.values()))) == sorted(folders)


def test_a_name_that_no_disk_holds_is_told_with_what_to_do():
    assert folders_of_classes(["x" * 200])["x" * 200] == "x" * 200
    with pytest.raises(UserError, match=r"too long for a folder .600 bytes.*winnow rename.*csv, coco or parquet"):
        folders_of_classes(["語" * 200])


def test_an_import_reads_such_folders_and_says_so(tmp_path):
    for place, folder in enumerate(("n%2Fa", "caf%E9", "100%", "_unlabelled")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes(file_of(noise(place)))
    found = {item.source.split("/")[0]: (item.label, item.warnings) for item in found_in(tmp_path)}
    assert found == {
        "n%2Fa": ("n/a", ("W_NAME_NORMALISED",)),
        "caf%E9": ("caf%E9", ()),
        "100%": ("100%", ()),
        "_unlabelled": (None, ()),
    }
