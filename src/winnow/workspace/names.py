"""Names of datasets and models: what may be one, and a good one for a folder that a user points at.

A name becomes a folder on the user's disk and a word on the command line, so what would be hidden, ambiguous
or impossible on any of Linux, macOS and Windows is refused on all of them. Two names that differ only in
upper and lower case are the same name, because they are the same folder on two of the three.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePath

from winnow.errors import UserError

LONGEST = 100
_LONGEST_BYTES = 200
"""Filesystems allow 255 bytes of UTF-8 a component; backups and versions add a suffix to ours."""

_RULE = "A name has letters, digits, dots, dashes and underscores, such as 'clouds-2026'."

# Reserved with any extension: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)

# "photos/train" is a set of photos, not a set called "train".
_SAYS_NOTHING = frozenset(["train", "training", "data", "dataset", "images", "img", "pictures"])

_ENDINGS = (
    *(".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.lz4", ".tgz", ".tbz2", ".txz", ".tzst", ".tar", ".zip"),
    *(".csv", ".tsv", ".xlsx", ".jsonl", ".json", ".npz", ".npy", ".parquet", ".gz"),
)


class NameRefusedError(UserError):
    """This cannot be the name of a dataset or a model; `code` says so to programs."""

    code = "E_NAME"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} ({self.code})")


def valid_name(name: str) -> str:
    """The name as it is kept: Unicode NFC, spaces turned into dashes.

    Raises:
        NameRefusedError: the name cannot be a folder on every system, or would be misread on the command line.
    """
    clean = re.sub(r" +", "-", unicodedata.normalize("NFC", name).strip(" "))
    quoted = shown(name)
    if not clean:
        raise NameRefusedError(f"The name is empty. {_RULE}")
    if len(clean) > LONGEST or len(clean.encode("utf-8", "surrogatepass")) > _LONGEST_BYTES:
        raise NameRefusedError(f"The name {quoted} is too long ({len(clean)} characters). At most {LONGEST} fit.")
    odd = next((c for c in clean if not _is_allowed(c)), None)
    if odd is not None:
        raise NameRefusedError(f"The name {quoted} has the character {shown(odd)} in it. {_RULE}")
    if clean[0] in ".-" or clean[-1] == ".":
        raise NameRefusedError(
            f"The name {quoted} begins or ends with '{clean[0] if clean[0] in '.-' else '.'}'. {_RULE}"
        )
    if clean.split(".")[0].casefold() in _WINDOWS_DEVICES:
        raise NameRefusedError(
            f"The name {quoted} is reserved by Windows, so it cannot be a folder there. Choose another."
        )
    return clean


def same_name_key(name: str) -> str:
    """Two names with the same key are the same name (case is ignored)."""
    return unicodedata.normalize("NFC", name).casefold()


def name_from_source(source: str | PurePath, taken: Collection[str] = ()) -> str:
    """A good name for what lies at `source`, different from all `taken` ones.

    >>> name_from_source("/home/ada/My clouds (2026).zip")
    'My-clouds-2026'
    >>> name_from_source("flowers/train", taken=["flowers"])
    'flowers-2'
    """
    parts = [part for part in re.split(r"[/\\]+", str(source)) if part not in ("", ".", "..")]
    words = [_as_name(part) for part in reversed(parts)]
    words = [word for word in words if word]
    telling = [word for word in words[:2] if word.casefold() not in _SAYS_NOTHING]
    base = (telling or words or ["dataset"])[0]
    keys = {same_name_key(name) for name in taken}
    name, count = base, 1
    while same_name_key(name) in keys:
        count += 1
        name = f"{base}-{count}"
    return name


def _as_name(part: str) -> str:
    """What of one path component can be kept in a name; empty if nothing can."""
    lower = part.lower()
    ending = next((e for e in _ENDINGS if lower.endswith(e)), "")
    part = unicodedata.normalize("NFC", part[: len(part) - len(ending)])
    kept = "".join(c if _is_allowed(c) else "-" for c in part)
    kept = re.sub(r"-{2,}", "-", kept)[:40].strip("-.")
    return f"{kept}-set" if kept.split(".")[0].casefold() in _WINDOWS_DEVICES else kept


def _is_allowed(character: str) -> bool:
    """Letters and digits of any script with their marks, dot, dash, underscore."""
    return character in "._-" or unicodedata.category(character)[0] in "LM" or character.isdecimal()


def shown(text: str) -> str:
    """A name as an error message quotes it: short, with nothing in it that could move a cursor."""
    short = text if len(text) <= 40 else text[:39] + "…"
    return "'" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in short) + "'"
