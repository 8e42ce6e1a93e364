"""A folder, or an archive read as if it were one: the ground every layout stands on. Nothing is ever extracted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

from winnow.data.sources.refused import Refused
from winnow.events import Note

MAX_DEPTH = 100
"""Folders inside folders. People nest ten deep; a hundred is a circle, an accident or an attack."""

# What systems and tools leave beside files. Other hidden files are the user's: ".hidden.jpg" may be a picture.
_LITTER = frozenset(
    {
        *("__macosx", ".ds_store", ".appledouble", ".appledb", ".appledesktop", ".apdisk", ".localized", "icon\r"),
        *(
            ".spotlight-v100",
            ".fseventsd",
            ".trashes",
            ".temporaryitems",
            ".documentrevisions-v100",
            ".volumeicon.icns",
        ),
        *("thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$recycle.bin"),
        *("system volume information", "folder.htt", "recycler", "lost+found", ".directory", ".thumbnails", ".trash"),
        *("@eadir", "#recycle", "#snapshot", ".@__thumb", ".snapshot", ".nomedia", ".picasa.ini", "picasa.ini"),
        *(".git", ".gitignore", ".gitattributes", ".gitkeep", ".gitmodules", ".keep", ".svn", ".hg", ".bzr", ".dvc"),
        *(".dvcignore", ".ipynb_checkpoints", "__pycache__", ".idea", ".vscode", ".venv", ".cache", ".winnow"),
        *(".dropbox", ".dropbox.cache", ".dropbox.attr", ".stfolder", ".sync", ".tmp.drivedownload", ".huggingface"),
    }
)
# AppleDouble's ._1.jpg, office's locks, NFS's deleted files, KDE's and GNOME's .Trash-1000, half downloads of wget.
_LITTER_PATTERN = re.compile(r"\._.*|~\$.*|\.~lock\..*#|\.nfs[0-9a-f]{8,}|\.trash-\d+|\.fuse_hidden.*", re.DOTALL)

_PICTURES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".dcm")


class Tree(Protocol):
    """Files by relative path."""

    @property
    def name(self) -> str:
        """As the user knows it, for messages."""
        ...

    @property
    def paths(self) -> Sequence[str]:
        """All files: sorted relative paths with forward slashes, without litter."""
        ...

    @property
    def remarks(self) -> Sequence[Refused | Note]:
        """What is not among `paths` and why, and what else the user should know of the folder or archive."""
        ...

    def reader(self, path: str) -> Callable[[], bytes]:
        """What reads a file of `paths`: raises UnreadablePictureError or OSError; called from any thread."""
        ...

    def picture(self, path: str) -> Callable[[], bytes]:
        """As `reader`, for what should be a picture: a large file that does not begin like one is not read."""
        ...

    def file(self, path: str) -> Path | None:
        """The file on this machine, where it lies there by itself."""
        ...


def looks_like_picture(path: str) -> bool:
    """Does the name end like a picture's?"""
    return path[-5:].casefold().endswith(_PICTURES)


_others: WeakKeyDictionary[Tree, Sequence[str]] = WeakKeyDictionary()


def other_files(tree: Tree) -> Sequence[str]:
    """The files of `tree` that are not called like pictures, in their order.

    Found once for each tree: every layout looks for its own among them, and of a million files most are pictures.
    """
    if tree not in _others:
        _others[tree] = [path for path in tree.paths if not looks_like_picture(path)]
    return _others[tree]


def is_litter(name: str) -> bool:
    """Is this a file or folder that Windows, a Mac, or a tool left, not the user?"""
    folded = name.casefold()
    return folded in _LITTER or (folded[:1] in (".", "~") and _LITTER_PATTERN.fullmatch(folded) is not None)
