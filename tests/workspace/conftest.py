"""A workspace in an empty folder, and small manifests whose pictures really lie in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from winnow.data.manifest import Example, Manifest
from winnow.workspace.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An open workspace without anything in it."""
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def manifest_of() -> Callable[..., Manifest]:
    """``manifest_of(workspace, "cirrus", ...)``: one example a text, whose bytes stand for its file."""
    return _manifest_of


def _manifest_of(workspace: Workspace, *texts: str) -> Manifest:
    contents = [workspace.blobs.put(text.encode()) for text in texts]
    return Manifest.of(
        [
            Example(
                content=content,
                pixels=content,
                labels=("even",) if place % 2 == 0 else ("odd",),
                group=None,
                split="train",
                split_by="winnow",
                source=f"{text}.png",
                width=8,
                height=8,
                format="PNG",
                bytes=len(text),
                is_grey=True,
            )
            for place, (text, content) in enumerate(zip(texts, contents, strict=True))
        ]
    )


@pytest.fixture
def clouds(workspace: Workspace) -> Workspace:
    """A workspace with the dataset "clouds" of two pictures, in version 1."""
    workspace.add_dataset("clouds", "/photos/clouds")
    workspace.add_version("clouds", _manifest_of(workspace, "cirrus", "stratus"), "imported 2 pictures")
    return workspace
