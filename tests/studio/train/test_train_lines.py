"""Lines to copy ask for the very climb that the page asks for."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from winnow.cli.main import run
from winnow.studio.pages.train.lines import command_line, python_lines


def test_what_is_usual_is_left_out():
    usual = {"budget": None, "seed": 0, "optimise": None, "prefer": "cheapest", "rungs": None, "open_test": True}
    assert command_line("clouds", usual) == "winnow train clouds"
    assert python_lines("clouds", usual).splitlines()[1] == "model = winnow.train('clouds')"


def test_every_wish_has_its_word_in_both():
    wish = {
        "budget": 300.0,
        "seed": 3,
        "optimise": "macro_f1",
        "prefer": "best",
        "rungs": ["hog-svm", "pixels-svm"],
        "backbone": "none",
        "name": "my clouds",
        "open_test": False,
    }
    assert command_line("clouds", wish) == (
        "winnow train clouds --budget 300s --seed 3 --optimise macro_f1 --prefer best --rungs hog-svm,pixels-svm "
        "--backbone none --name 'my clouds' --no-test"
    )
    asked: dict[str, Any] = {}
    line = python_lines("clouds", wish).splitlines()[1].removeprefix("model = winnow.train('clouds', ")
    exec(f"asked.update({line}", {"asked": asked})
    assert asked == {**wish, "budget": "300s"}


def test_the_command_line_knows_every_word(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        run(["train", "--help"])
    said = capsys.readouterr().out
    words = ("--budget", "--seed", "--optimise", "--prefer", "--rungs", "--backbone", "--name", "--no-test")
    assert [word for word in words if word not in said] == []


def test_a_budget_stays_as_it_was_typed():
    assert shlex.split(command_line("clouds", {"budget": "10m"}))[-1] == "10m"
