"""What the command line says when it is asked, and when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from terminal import Winnow

EDITING = ("relabel", "drop", "move", "merge", "rename", "log", "diff", "restore")
LEARNING = ("train", "jobs", "evaluate", "compare", "predict", "verify")
ROOMS = ("list", "show", "rm", "doctor", "backbones")
COMMANDS = ("import", "check", "fix", *LEARNING, *EDITING, "export", "study", *ROOMS)


def test_help_lists_the_commands_in_the_order_of_the_work(winnow: Winnow):
    said = winnow("--help").out
    places = [said.index(f"\n  {command}") for command in COMMANDS]
    assert places == sorted(places)
    assert "Exit codes" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_answers_in_json(winnow: Winnow, command: str):
    said = winnow(command, "--help").out
    assert f"$ winnow {command}" in said
    assert "--json" in said
    assert "--workspace" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_docs(command: str):
    docs = Path(__file__).parents[2] / "docs" / "commands.md"
    assert f"winnow {command}" in docs.read_text(encoding="utf-8")


def test_a_mistyped_command_is_recognised(winnow: Winnow):
    said = winnow("trian", "x")
    assert said.code == 2
    assert "Did you mean train?" in said.err


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("train", "nowhere/at/all"), 4, "nowhere/at/all"),
        (("predict", "nobody", "x.png"), 4, "nobody"),
        (("show", "nobody"), 4, "nobody"),
        (("rm", "nobody"), 4, "Neither a model nor a dataset"),
        (("evaluate", "nobody"), 4, "nobody"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(winnow: Winnow, words: tuple[str, ...], code: int, sentence: str):
    said = winnow(*words)
    assert said.code == code
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "value", "code", "sentence"),
    [
        ("--budget", "soon", 2, "write 30s, 5m or 1h"),
        ("--budget", "0s", 2, "more than 0 seconds"),
        ("--optimise", "acuracy", 4, "Did you mean accuracy"),
        ("--prefer", "fastest", 2, "cheapest or best"),
        ("--rungs", "pixel-svm", 4, "Did you mean pixels-svm"),
        ("--seed", "-1", 2, "seed"),
        ("--backbone", "resnet", 4, "No backbone is called 'resnet'"),
        ("--version", "7", 2, "name the dataset"),
    ],
)
def test_an_option_that_makes_no_sense_is_told_before_anything_is_done(
    winnow: Winnow, shapes: Path, option: str, value: str, code: int, sentence: str
):
    said = winnow("train", shapes, option, value)
    assert said.code == code
    assert sentence in said.err
    assert "✓" not in said.err


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: None, "picture"),
        (lambda folder: (folder / "one").mkdir(), "picture"),
        (lambda folder: _pictures(folder, {"only": 9}), "class"),
        (lambda folder: _pictures(folder, {"a": 1, "b": 1}), "two"),
        (lambda folder: _broken(folder), "read"),
    ],
)
def test_a_folder_that_cannot_teach_is_told_with_what_to_do(winnow: Winnow, tmp_path: Path, make, sentence: str):
    folder = tmp_path / "photos"
    folder.mkdir()
    make(folder)
    said = winnow("train", folder)
    assert said.code == 3
    assert sentence in said.err
    assert "Traceback" not in said.err


def _pictures(folder: Path, counts: dict[str, int]) -> None:
    from PIL import Image

    for label, count in counts.items():
        (folder / label).mkdir()
        for number in range(count):
            Image.new("RGB", (9, 9), (number * 20, len(label) * 30, 7)).save(folder / label / f"{number}.png")


def _broken(folder: Path) -> None:
    for label in ("a", "b"):
        (folder / label).mkdir()
        for number in range(3):
            (folder / label / f"{number}.jpg").write_bytes(b"nothing to see")
