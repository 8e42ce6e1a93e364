"""Options that several commands share, and how answers are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="The workspace's folder [default: WINNOW_WORKSPACE, else ~/.winnow]."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout; progress stays on stderr.")]


def echo_json(value: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def example(*lines: str) -> str:
    """The examples at the end of a command's help; `\\b` keeps its lines as they are."""
    return "\b\nExample:\n" + "\n".join(f"  $ {line}" for line in lines)
