"""A studio in a process of its own, and a window that looks at it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from playwright.sync_api import Page


@dataclass
class Studio:
    """A studio in a process of its own."""

    process: subprocess.Popen[str]
    link: str

    @property
    def origin(self) -> str:
        return self.link.split("/?")[0]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@dataclass
class Watched:
    """A page, and what it did that no page of ours may do."""

    page: Page
    origin: str
    complaints: list[str]

    def go(self, path: str) -> None:
        """Open a page of the studio and wait until it answers."""
        self.page.goto(self.origin + path)
        self.page.wait_for_selector("h1")
