"""A wish as lines that a person can type: on the command line and in Python. What is as by default is left out."""

from __future__ import annotations

import shlex
from typing import Any

from winnow.api.budget import budget_in_words
from winnow.api.wish import Wish

_USUAL = Wish().as_json()


def command_line(dataset: str, wish: Wish) -> str:
    """The `winnow train` that climbs so."""
    return shlex.join(["winnow", "train", dataset, *wish.options()])


def python_lines(dataset: str, wish: Wish) -> str:
    """The same with `winnow.train`."""
    asked = {name: value for name, value in wish.as_json().items() if value != _USUAL[name]}
    said = "".join(f", {name}={_python(name, value)}" for name, value in asked.items())
    return f"import winnow\nmodel = winnow.train({dataset!r}{said})\nprint(model.report.verdict)"


def _python(name: str, value: Any) -> str:
    return repr(budget_in_words(value) if name == "budget" else value)
