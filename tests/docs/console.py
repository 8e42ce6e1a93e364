"""The console blocks of a Markdown page, as commands with the lines that the page says they print."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
