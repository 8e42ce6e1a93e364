"""Which servers run on this workspace: a small file each with address and models, never a token."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from winnow.data.whole_files import write_whole
from winnow.workspace.claim import Claim, is_claimed

_FOLDER, _FILE = "servers", "server.json"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers for models of this workspace.

    Attributes:
        address: such as "http://127.0.0.1:8000".
        pid: of its process.
        models: their full names, such as "clouds@2".
    """

    address: str
    pid: int
    models: tuple[str, ...]


@contextmanager
def announce(workspace: Path, address: str, models: Sequence[str]) -> Generator[None]:
    """Let others know of a server for as long as this lasts; a folder that cannot be written keeps nobody from serving.

    Args:
        workspace: its folder.
    """
    home = workspace / _FOLDER / str(os.getpid())
    claim: Claim | None = None
    with suppress(OSError):
        claim = Claim.take(home)  # the system lets go of it when we die, whatever happens
        server = RunningServer(address, os.getpid(), tuple(models))
        write_whole(home / _FILE, json.dumps(asdict(server)).encode(), is_durable=False)
    try:
        yield
    finally:
        with suppress(OSError):
            (home / _FILE).unlink(missing_ok=True)
        if claim is not None:
            claim.release()
        _clear(home)


def running(workspace: Path) -> list[RunningServer]:
    """The servers that run now, by address; what killed ones left behind is cleared away."""
    found: list[RunningServer] = []
    homes = workspace / _FOLDER
    for home in sorted(homes.iterdir()) if homes.is_dir() else ():
        if not is_claimed(home):
            _clear(home)
            continue
        with suppress(OSError, ValueError, KeyError, TypeError):
            values = json.loads((home / _FILE).read_text(encoding="utf-8"))
            found.append(RunningServer(str(values["address"]), int(values["pid"]), tuple(map(str, values["models"]))))
    return sorted(found, key=lambda one: one.address)


def _clear(home: Path) -> None:
    with suppress(OSError):
        for file in home.iterdir():
            file.unlink()
        home.rmdir()
