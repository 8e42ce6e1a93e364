"""What all pages of one workspace share while the studio is open, such as its imports under way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from winnow.workspace.workspace import Workspace

T = TypeVar("T")
_all: list[PerWorkspace[Any]] = []


class PerWorkspace(Generic[T]):
    """One of a kind for each open workspace, made when it is first asked for: `imports_of = PerWorkspace(Imports)`.

    What is kept may hold its workspace, so no weak key would ever let it go: `forget` does.

    Args:
        make: given a workspace, gives what its pages share.
    """

    def __init__(self, make: Callable[[Workspace], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._kept: dict[Workspace, T] = {}
        _all.append(self)

    def __call__(self, workspace: Workspace) -> T:
        """The one of this workspace, the same for all pages and routes."""
        with self._lock:
            if workspace not in self._kept:
                self._kept[workspace] = self._make(workspace)
            return self._kept[workspace]

    def forget(self, workspace: Workspace) -> None:
        """Let go of the one of this workspace."""
        with self._lock:
            self._kept.pop(workspace, None)


def forget(workspace: Workspace) -> None:
    """Let go of everything that pages of this workspace share: its studio is closed."""
    for one in _all:
        one.forget(workspace)
