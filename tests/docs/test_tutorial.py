"""The tutorial works: every command on the page runs, one after the other, and prints what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A line after ``$ ``, and the lines below it that its output must contain, in that order."""

    line: str
    shows: tuple[str, ...]


def commands(page: str) -> list[Command]:
    r"""All commands of a page, in order. A line that ends with a backslash goes on; ``...`` stands for anything.

    >>> commands("```console\n$ echo a \\\n  b\na b\n...\n```\n")
    [Command(line='echo a   b', shows=('a b',))]
    """
    found: list[Command] = []
    for block in _BLOCK.findall(page):
        for part in re.split(r"^\$ ", block.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
            line, *shown = part.splitlines()
            found.append(Command(line, tuple(text.strip() for text in shown if text.strip() not in ("", "..."))))
    return found


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
