"""Changing a dataset by commands: each says what it did and how to undo it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terminal import Winnow


@pytest.fixture
def imported(winnow: Winnow, shapes: Path) -> Winnow:
    """The dataset "shapes" is in the workspace: 30 pictures "bright", 30 "dark"."""
    winnow("import", shapes)
    return winnow


def test_relabel_says_what_it_did_and_how_to_undo_it(imported: Winnow):
    said = imported("relabel", "shapes", "dark/00.png", "--label", "dim")
    assert said.code == 0
    assert said.out.splitlines() == [
        "shapes, version 2: relabelled 'dark/00.png' as 'dim'",
        "Undo: winnow restore shapes 1",
    ]


def test_a_table_relabels_many_at_once(imported: Winnow, tmp_path: Path):
    (tmp_path / "labels.csv").write_text("source,label\ndark/00.png,dim\ndark/01.png,dim\n")
    said = imported("relabel", "shapes", "--from-csv", tmp_path / "labels.csv")
    assert "relabelled 2 pictures as 'dim'" in said.out


def test_pictures_may_be_named_as_files(imported: Winnow, shapes: Path):
    assert imported("drop", "shapes", shapes / "dark" / "00.png").code == 0
    assert json.loads(imported("log", "shapes", "--json").out)[0]["pictures"] == 59


def test_every_change_has_its_command(imported: Winnow):
    for words, what in (
        (("drop", "shapes", "dark/00.png", "dark/01.png"), "removed 2 pictures"),
        (("move", "shapes", "dark/02.png", "--split", "validation"), "moved 'dark/02.png' to validation"),
        (("rename", "shapes", "dark", "dusk"), "renamed 'dark' to 'dusk': 28 pictures"),
        (("merge", "shapes", "dusk", "bright", "--into", "light"), "merged 'dusk' and 'bright' into 'light'"),
        (("restore", "shapes", "1"), "restored version 1"),
    ):
        said = imported(*words)
        assert said.code == 0, said.err
        assert what in said.out
    assert json.loads(imported("diff", "shapes", "1", "--json").out)["counts"]["removed"] == 0


def test_the_answer_in_json_is_the_event(imported: Winnow):
    event = json.loads(imported("rename", "shapes", "dark", "dusk", "--json").out)
    assert {key: event[key] for key in ("dataset", "version", "parent", "kind", "pictures", "classes", "undo")} == {
        "dataset": "shapes",
        "version": 2,
        "parent": 1,
        "kind": "rename",
        "pictures": 60,
        "classes": 2,
        "undo": "winnow restore shapes 1",
    }


def test_the_log_shows_the_newest_first_and_counts_the_rest(imported: Winnow):
    for number in range(3):
        imported("relabel", "shapes", f"dark/0{number}.png", "--label", "dim")
    lines = imported("log", "shapes", "--limit", "2").out.splitlines()
    assert lines[0].startswith("version 4  ")
    assert lines[0].endswith("relabelled 'dark/02.png' as 'dim'")
    assert lines[2] == "... and 2 older versions; --limit 4 shows all"
    assert [event["version"] for event in json.loads(imported("log", "shapes", "--json").out)] == [4, 3, 2, 1]


def test_differences_are_counted_then_shown(imported: Winnow):
    imported("relabel", "shapes", "dark/00.png", "--label", "dim")
    imported("drop", "shapes", "dark/01.png")
    assert imported("diff", "shapes", "1", "3").out.splitlines() == [
        "shapes, from version 1 to 3: 1 removed, 1 relabelled",
        "  removed: dark/01.png",
        "  relabelled: dark/00.png: dark → dim",
    ]
    assert imported("diff", "shapes", "3").out == "shapes, from version 3 to 3: no difference\n"
    found = json.loads(imported("diff", "shapes", "3", "1", "--json").out)
    assert (found["added"], found["relabelled"][0]["after"]) == (["dark/01.png"], ["dark"])


def test_restoring_the_newest_says_there_is_nothing_to_do(imported: Winnow):
    assert "nothing to restore" in imported("restore", "shapes", "1").out
    assert json.loads(imported("restore", "shapes", "1", "--json").out)["undo"] is None


def test_a_dataset_shows_its_newest_versions_only(imported: Winnow):
    for number in range(11):
        imported("relabel", "shapes", f"dark/{number:02}.png", "--label", "dim")
    shown = imported("show", "shapes").out
    assert "version 12:" in shown
    assert "version 2:" not in shown
    assert "and 2 older versions: winnow log shapes" in shown


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("relabel", "shapes", "dark/00.png"), 2, "--from-csv FILE"),
        (("relabel", "shapes", "--label", "x"), 2, "--from-csv FILE"),
        (("relabel", "shapes", "dork/00.png", "--label", "x"), 4, "Did you mean"),
        (("relabel", "shapes", "--from-csv", "nowhere.csv"), 4, "check the path"),
        (("merge", "shapes", "drak", "--into", "dark"), 4, "Did you mean dark?"),
        (("rename", "shapes", "dark", "bright"), 2, "winnow merge"),
        (("move", "shapes", "dark/00.png", "--split", "tset"), 2, "Did you mean test?"),
        (("diff", "shapes", "1", "9"), 4, "has no version 9"),
        (("restore", "shapes", "9"), 4, "has no version 9"),
        (("log", "shaeps"), 4, "Did you mean shapes?"),
    ],
)
def test_what_makes_no_sense_changes_nothing(imported: Winnow, words: tuple[str, ...], code: int, sentence: str):
    said = imported(*words)
    assert (said.code, sentence in said.err) == (code, True), said.err
    assert "Traceback" not in said.err
    assert len(json.loads(imported("log", "shapes", "--json").out)) == 1


def test_a_name_that_would_command_a_terminal_is_shown_without_its_power(imported: Winnow):
    imported("rename", "shapes", "dark", "\x1b[31mred")
    for words in (("log", "shapes"), ("show", "shapes"), ("diff", "shapes", "1")):
        assert "\x1b" not in imported(*words).out


def test_one_edit_is_taken_back_and_later_ones_stay(imported: Winnow):
    for picture in ("dark/00.png", "dark/01.png"):
        imported("relabel", "shapes", picture, "--label", "dim")
    assert imported("undo", "shapes", "2").out.splitlines() == [
        "shapes, version 4: relabelled 'dark/00.png' as 'dark'",
        "Undo: winnow restore shapes 3",
    ]
    assert json.loads(imported("diff", "shapes", "1", "--json").out)["counts"]["relabelled"] == 1
    assert "cannot be taken back alone" in imported("undo", "shapes", "1").err
