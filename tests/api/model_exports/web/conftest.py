"""A real browser before an exported page: Debian's Chromium, headless."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from winnow.api.model import Model
from winnow.api.model_exports.writing import export_model

from ..conftest import INSTALLED
from .serving import Read, Watched, files_of, served

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser for this test alone: while Playwright runs no other event loop can, and other tests need theirs."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs a browser: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def needs_onnxruntime_web() -> None:
    """Skips where npm has not brought it."""
    if not INSTALLED.is_dir():
        pytest.skip(f"needs a browser's ONNX Runtime: make test fetches onnxruntime-web with npm (not in {INSTALLED})")


@pytest.fixture(scope="session")
def exported_page(needs_onnxruntime_web: None, trained: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a small model leaves in; only read."""
    return export_model(trained, tmp_path_factory.mktemp("page") / "out", to="web").path


@pytest.fixture
def look_at(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Serves what `read` gives and shows it in a window of its own; at the end nothing may have gone wrong or out."""
    windows: list[Watched] = []
    with ExitStack() as servers:

        def open_one(read: Read, *, width: int = 1200, theme: str = "light") -> Watched:
            context = chromium.new_context(
                viewport={"width": width, "height": 900}, color_scheme="dark" if theme == "dark" else "light"
            )
            windows.append(Watched(context.new_page(), servers.enter_context(served(read))))
            return windows[-1]

        yield open_one
        for window in windows:
            window.page.context.close()
    assert not [one for window in windows for one in window.complaints]


@pytest.fixture
def changed(exported_page: Path) -> Callable[..., Read]:
    """The exported page as if its model were another one: facts in page.json are replaced."""

    def with_facts(**facts: Any) -> Read:
        files = files_of(exported_page)

        def read(path: str) -> bytes | None:
            data = files(path)
            if path != "page.json" or data is None:
                return data
            return json.dumps({**json.loads(data), **facts}).encode()

        return read

    return with_facts
