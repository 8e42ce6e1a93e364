"""Start the studio on this machine's own address and say where it is."""

from __future__ import annotations

import os
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from winnow.errors import UserError
from winnow.serve.limited_protocol import LimitedProtocol
from winnow.studio.door import Lock
from winnow.studio.sessions import Sessions
from winnow.workspace.workspace import Workspace

HOST = "127.0.0.1"
_FIRST_PORT, _PORTS = 8765, 20


def launch(
    workspace: Path | None = None,
    port: int | None = None,
    *,
    opens: bool = True,
    signs_out: bool = False,
    said: Callable[[str], None] = print,
) -> None:
    """Serve the studio until Ctrl-C or SIGTERM.

    Args:
        workspace: its folder; None: WINNOW_WORKSPACE, else ~/.winnow.
        port: None: the first free one from 8765 on.
        opens: show it in the browser.
        signs_out: first let every browser that came in before need the new link.
        said: hears the line with the link.

    Raises:
        UserError: the port is taken.
    """
    # NiceGUI keeps its storage below the working folder unless told; we use none of it, and nothing may appear there.
    with Workspace.open(workspace) as opened, _listening(port) as listening:
        os.environ.setdefault("NICEGUI_STORAGE_PATH", str(opened.cache_folder / "studio"))
        from winnow.studio.app import studio

        sessions = Sessions(opened.folder / "studio" / "sessions")
        if signs_out:
            sessions.end_all()
        lock = Lock(listening.getsockname()[1], sessions)
        app = studio(opened, lock)
        said(f"The studio is open: {lock.link}\nIt works on {opened.folder}; Ctrl-C closes it, and climbs go on.")
        if opens:
            webbrowser.open(lock.link_for_once())
        config = uvicorn.Config(
            app,
            # The server's own: who sends a byte a second holds nothing up here, either.
            http=LimitedProtocol,
            ws="websockets-sansio",
            lifespan="on",
            log_level="warning",
            access_log=False,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _listening(port: int | None) -> socket.socket:
    ports = range(_FIRST_PORT, _FIRST_PORT + _PORTS) if port is None else (port,)
    for one in ports:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, one))
            listening.listen()  # a browser that is faster than the server waits instead of being refused
        except OSError:
            listening.close()
            continue
        return listening
    taken = f"Port {port} is" if port is not None else f"The ports {_FIRST_PORT} to {_FIRST_PORT + _PORTS - 1} are"
    raise UserError(f"{taken} taken on this machine; give a free one with --port.")
