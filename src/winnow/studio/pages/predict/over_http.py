"""The same over HTTP: how other programs ask this model, ready to copy, at a server that runs now where one does."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlencode

from winnow.studio.answering import aside
from winnow.studio.parts import box, copied, details, para, text
from winnow.workspace.records import ModelRecord
from winnow.workspace.servers import RunningServer, running
from winnow.workspace.workspace import Workspace

USUAL = "http://127.0.0.1:8000"
"""Where `winnow serve` answers unless told otherwise."""


async def over_http(workspace: Workspace, record: ModelRecord) -> None:
    """Lines for a server, for curl and for Python.

    Args:
        workspace: whose servers are looked at.
        record: of the model.
    """
    server = await aside(_server_of, workspace.folder, record)
    address = USUAL if server is None else server.address
    with details("The same over HTTP, for other programs", "same"):
        if server is None:
            para(
                "Start a server in a terminal first. It says its token once, unless WINNOW_TOKEN holds one; programs "
                "send that token along."
            )
            _lines("Start the server", f"winnow serve {shlex.quote(_spec(record))}")
        else:
            para(f"A server answers for this model now at {address}. Give WINNOW_TOKEN the token that it said.")
        _lines("curl", curl_line(address, record))
        _lines("Python", python_lines(address, record))


def curl_line(address: str, record: ModelRecord) -> str:
    """One picture sent as it is."""
    # The version only where another one would answer.
    asked = {"model": record.name} | ({} if record.is_current else {"version": str(record.number)})
    return (
        f"curl {shlex.quote(f'{address}/predict?{urlencode(asked)}')} "
        '-H "Authorization: Bearer $WINNOW_TOKEN" -H "Content-Type: image/jpeg" --data-binary @sky.jpg'
    )


def python_lines(address: str, record: ModelRecord) -> str:
    """The same with Winnow's own client, which takes the token from WINNOW_TOKEN by itself."""
    return (
        f'import winnow\nclient = winnow.Client("{address}")\n'
        f'answer = client.predict("sky.jpg", model="{_spec(record)}")[0]\nprint(answer.label, answer.prob)'
    )


def _server_of(folder: Path, record: ModelRecord) -> RunningServer | None:
    return next((one for one in running(folder) if record.full_name in one.models), None)


def _spec(record: ModelRecord) -> str:
    return record.name if record.is_current else record.full_name


def _lines(caption: str, code: str) -> None:
    with box("figure"):
        text("figcaption", caption)
        copied(code)
