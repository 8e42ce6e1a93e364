"""What a page of the studio is, and what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from winnow.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at one page."""

    workspace: Workspace
    path: Mapping[str, str]
    """What stands in the address, such as {"name": "clouds"}."""
    query: Mapping[str, str]
    """What stands behind its question mark."""
    origin: str = "http://127.0.0.1"
    """Where this studio is, for lines to copy."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the studio: one file in `pages/` and one line in its list."""

    path: str
    """As FastAPI writes it: "/datasets/{name}"."""
    title: Callable[[Visit], str]
    """The heading of level 1, and the window's title."""
    build: Callable[[Visit], Awaitable[None]]
    """Fills the page's main part; raises `UserError` where the visitor can mend something."""
    room: str = ""
    """The entry of the navigation that it belongs to."""
