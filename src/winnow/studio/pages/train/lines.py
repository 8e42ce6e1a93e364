"""A wish as lines that a person can type: on the command line and in Python. What is as by default is left out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

_DEFAULTS: Mapping[str, Any] = {
    "budget": None,
    "seed": 0,
    "optimise": None,
    "prefer": "cheapest",
    "rungs": None,
    "backbone": None,
    "name": None,
    "open_test": True,
}


def command_line(dataset: str, wish: Mapping[str, Any]) -> str:
    """The `winnow train` that climbs as `winnow.api.jobs.submit(dataset, **wish)` does."""
    words = ["winnow", "train", dataset]
    for name, value in _asked(wish).items():
        if name == "open_test":
            words.append("--no-test")
        else:
            words += [f"--{name}", _word(name, value)]
    return shlex.join(words)


def python_lines(dataset: str, wish: Mapping[str, Any]) -> str:
    """The same with `winnow.train`."""
    said = "".join(f", {name}={_python(name, value)}" for name, value in _asked(wish).items())
    return f"import winnow\nmodel = winnow.train({dataset!r}{said})\nprint(model.report.verdict)"


def _asked(wish: Mapping[str, Any]) -> dict[str, Any]:
    return {name: wish[name] for name, usual in _DEFAULTS.items() if name in wish and wish[name] != usual}


def _word(name: str, value: Any) -> str:
    if name == "rungs":
        return ",".join(value)
    return _budget(value) if name == "budget" else str(value)


def _python(name: str, value: Any) -> str:
    return repr(_budget(value)) if name == "budget" else repr(list(value) if name == "rungs" else value)


def _budget(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}s"
