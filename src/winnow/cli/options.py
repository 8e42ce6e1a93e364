"""Options that several commands share, and how answers are written."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="The workspace's folder [default: WINNOW_WORKSPACE, else ~/.winnow]."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout; progress stays on stderr.")]


def echo_json(value: Any) -> None:
    """One JSON document on stdout; what could command a terminal, or is no text at all, is escaped."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    typer.echo(re.sub(r"[^\n -~]", _escaped, text))


def drop_unwritten() -> OSError | None:
    """Why what was said cannot be written, if so: it is dropped then, or Python would try again when it ends."""
    output: TextIO | None = getattr(sys, "stdout", None)  # there is none where it was closed from the start
    try:
        if output is not None:
            output.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None


def _escaped(match: re.Match[str]) -> str:
    sign = match.group()
    is_hidden = unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return json.dumps(sign)[1:-1] if is_hidden else sign


def example(*lines: str) -> str:
    """The examples at the end of a command's help; `\\b` keeps its lines as they are."""
    return "\b\nExample:\n" + "\n".join(f"  $ {line}" for line in lines)
