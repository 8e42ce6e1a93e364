"""The tutorial works: every command on the page runs, one after the other, and prints what the page shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from console import Command, commands

DOCS = Path(__file__).parents[2] / "docs"


def test_commands_are_found_with_what_they_show():
    page = "Text $ not a command\n```console\n$ one\nfirst\n...\nlast\n$ two\n```\n```python\n$ none\n```\n"
    assert commands(page) == [Command("one", ("first", "last")), Command("two", ())]


def test_every_command_of_the_tutorial_works(tmp_path: Path):
    tutorial = commands((DOCS / "tutorial.md").read_text(encoding="utf-8"))
    assert len(tutorial) > 5
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "WINNOW_WORKSPACE": str(tmp_path / "workspace"),
        "HOME": str(tmp_path),
        "COLUMNS": "120",
    }
    for command in tutorial:
        answer = subprocess.run(
            command.line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, f"$ {command.line}\n{answer.stdout}\n{answer.stderr}"
        rest = answer.stdout
        for line in command.shows:
            assert line in rest, f"$ {command.line}\ndoes not show {line!r}:\n{answer.stdout}"
            rest = rest[rest.index(line) + len(line) :]
