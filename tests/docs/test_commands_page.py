"""Every command stands on its page, and every option on some page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from winnow.cli import main

PAGES = Path(__file__).parents[2] / "docs"


def commands(command: Any, name: str) -> Iterator[tuple[str, list[str]]]:
    """Each command that can be typed, with its long options."""
    if hasattr(command, "commands"):
        for word, below in command.commands.items():
            yield from commands(below, f"{name} {word}")
    else:
        yield name, [option for one in command.params for option in one.opts if option.startswith("--")]


@pytest.fixture(scope="module")
def typed() -> dict[str, list[str]]:
    with pytest.raises(SystemExit):
        main.run(["--version"])  # the commands are added when the first one is run
    return dict(commands(get_command(main.app), "winnow"))


def test_every_command_is_listed(typed: dict[str, list[str]]):
    page = (PAGES / "commands.md").read_text("utf-8")
    assert "winnow predict" in typed
    assert [name for name in typed if name not in page] == []


def test_every_option_is_explained_on_some_page(typed: dict[str, list[str]]):
    pages = "\n".join(page.read_text("utf-8") for page in PAGES.glob("*.md"))
    explained = set(re.findall(r"--[a-z][a-z-]*", pages))
    assert [
        f"{name} {option}" for name, options in typed.items() for option in options if option not in explained
    ] == []
