"""A real browser before a real studio: Debian's Chromium, headless, watched for what it should not do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Request, sync_playwright

from winnow.api.jobs import train_here
from winnow.api.loading import load
from winnow.api.wish import Wish
from winnow.data.digits import write_digits

from .window import Studio, Watched

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Chromium's own calls home are switched off: what is left on the network is the studio's.
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\S+")


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser for this test alone: while Playwright runs no other event loop can, and most tests need theirs."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs a browser: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture
def open_studio() -> Iterator[Callable[[Path], Studio]]:
    """Opens studios on workspaces; closes them in the end."""
    opened: list[Studio] = []

    def open_one(workspace: Path) -> Studio:
        command = [sys.executable, "-m", "winnow", "studio", "--no-browser", "--port", "0", "-w", str(workspace)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        link = LINK.search(process.stdout.readline())
        assert link is not None, "the studio printed no link"
        opened.append(Studio(process, link.group()))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens a studio's link in a window of its own; at the end nothing may have gone wrong or out."""
    windows: list[Watched] = []

    def open_one(studio: Studio, *, width: int = 1440, theme: str = "light") -> Watched:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if theme == "dark" else "light"
        )
        context.grant_permissions(["camera", "clipboard-read", "clipboard-write"])
        window = Watched(context.new_page(), studio.origin, [])

        def heard(message: ConsoleMessage) -> None:
            if message.type == "error":
                window.complaints.append(f"console: {message.text}")

        def asked(request: Request) -> None:
            if not request.url.startswith((studio.origin, "data:", "blob:")):
                window.complaints.append(f"asks elsewhere: {request.url}")

        window.page.on("console", heard)
        window.page.on("pageerror", lambda error: window.complaints.append(f"script: {error}"))
        window.page.on("request", asked)
        window.page.goto(studio.link)
        window.page.wait_for_url(lambda url: "token" not in url)
        windows.append(window)
        return window

    yield open_one
    complaints = [one for window in windows for one in window.complaints]
    for window in windows:
        window.page.context.close()
    assert not complaints


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the digits and a quick model of them."""
    folder = tmp_path_factory.mktemp("stocked")
    write_digits(folder / "digits")
    digits = load(folder / "digits", workspace=folder / "workspace", tell=lambda _: None)
    train_here(digits, Wish(rungs=("commonest-class", "pixels-nearest-neighbour")), tell=lambda _: None)
    digits.workspace.close()
    return folder / "workspace"
