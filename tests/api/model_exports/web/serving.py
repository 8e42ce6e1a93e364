"""A plain web server of folders, and a browser's window that is watched for what it should not do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import ConsoleMessage, Page, Request

from winnow.api.model_exports import web

PAGE = Path(web.__file__).parent / "web_files"
"""Where the page's own files lie."""
Read = Callable[[str], bytes | None]
"""The bytes at a path without its leading slash; None: there is nothing."""
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@contextmanager
def served(read: Read) -> Generator[str]:
    """The address, ending in a slash, of a server that runs until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open: hundreds of pictures are fetched, one after the other
        disable_nagle_algorithm = True  # or each of them waits 40 ms for an acknowledgement

        def do_GET(self) -> None:
            path = unquote(self.path.partition("?")[0]).lstrip("/") or "index.html"
            data = read(path)
            self.send_response(200 if data is not None else 404)
            self.send_header("Content-Type", _KINDS.get(Path(path).suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def files_of(folder: Path) -> Read:
    """The files below a folder."""

    def read(path: str) -> bytes | None:
        file = folder / path
        return file.read_bytes() if file.is_file() else None

    return read


def blank() -> bytes:
    """A page with nothing on it, from which the scripts of ours can be asked one by one."""
    return b"<!doctype html><title>blank</title><link rel=icon href=data:>"


@dataclass
class Watched:
    """A page, and what it did that ours may not do."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def open(self) -> None:
        """Open the page and wait until its model is ready."""
        self.page.goto(self.origin)
        self.page.wait_for_selector("body[data-ready]")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")) or request.method != "GET":
            self.complaints.append(f"asks elsewhere, or for more than a file: {request.method} {request.url}")
