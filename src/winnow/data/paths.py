"""What a person typed as a path."""

from __future__ import annotations

from pathlib import Path


def is_there(path: str | Path) -> bool:
    """Does a path name a file or folder? Never raises: a text that can be no path names none."""
    try:
        return at_home(Path(path)).exists()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        return False


def at_home(path: Path) -> Path:
    """The path with the user's home in place of "~"."""
    try:
        return path.expanduser()
    except RuntimeError:  # "~nobody": a user who has no home here
        return path
