"""Lines to copy ask for the very climb that the page asks for."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from winnow.api.wish import Wish
from winnow.cli.main import run
from winnow.studio.pages.train.lines import command_line, python_lines


def test_what_is_usual_is_left_out():
    assert command_line("clouds", Wish()) == "winnow train clouds"
    assert python_lines("clouds", Wish()).splitlines()[1] == "model = winnow.train('clouds')"


def test_every_wish_has_its_word_in_both():
    wish: dict[str, Any] = {
        "budget": "5m",
        "seed": 3,
        "optimise": "macro_f1",
        "prefer": "best",
        "rungs": ["hog-svm", "pixels-svm"],
        "backbone": "none",
        "name": "my-clouds",
        "open_test": False,
    }
    checked = Wish.checked(**wish)
    assert command_line("clouds", checked) == (
        "winnow train clouds --budget 5m --seed 3 --optimise macro_f1 --prefer best --rungs hog-svm,pixels-svm "
        "--backbone none --name my-clouds --no-test"
    )
    asked: dict[str, Any] = {}
    line = python_lines("clouds", checked).splitlines()[1].removeprefix("model = winnow.train('clouds', ")
    exec(f"asked.update({line}", {"asked": asked})
    assert asked == wish
    assert Wish.from_json(checked.as_json()) == checked


def test_the_command_line_knows_every_word(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        run(["train", "--help"])
    said = capsys.readouterr().out
    words = ("--budget", "--seed", "--optimise", "--prefer", "--rungs", "--backbone", "--name", "--no-test")
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("budget", ["10m", "60m", "45s", "1.5s", "90s"])
def test_a_budget_is_said_as_people_do(budget: str):
    words = shlex.split(command_line("clouds", Wish.checked(budget=budget)))
    assert words[-1] == budget
