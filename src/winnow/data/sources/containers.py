"""Which archive a file is, by its first bytes: a new kind is a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from winnow.data.sources.archive import ArchiveTree
from winnow.data.sources.refused import RefusedSourceError
from winnow.data.sources.tarred import BLOCK, is_tar, tar_tree
from winnow.data.sources.unpack import BROKEN, packing_of, unpacked
from winnow.data.sources.zipped import zip_tree

_TAR_NAMES = (".tgz", ".tbz", ".tbz2", ".txz", ".tlz", ".tzst", ".taz")
_ARCHIVE_NAMES = (".zip", ".tar", ".7z", ".rar", ".cab", ".iso", ".dmg", *_TAR_NAMES)
# Documents that are zips inside, which layouts read as documents or nobody does.
_DOCUMENTS = (
    *(".npz", ".xlsx", ".xlsm", ".xlsb", ".ods", ".docx", ".pptx", ".odt", ".odp", ".epub"),
    *(".jar", ".whl", ".apk", ".pt", ".pth", ".keras", ".mlpackage"),
)
_UNREAD = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"\x1f\x9d", "compress (.Z)"),
    (b"\x1f\xa0", "compress (.Z)"),
    (b"MSCF", "cabinet"),
    (b"xar!", "xar"),
    (b"!<arch>\n", "ar"),
    (b"070701", "cpio"),
    (b"070707", "cpio"),
    (b"LZIP", "lzip"),
    (b"\x60\xea", "ARJ"),
    (b"StuffIt", "StuffIt"),
    (b"SIT!", "StuffIt"),
    (b"hsqs", "SquashFS"),
)


class Container(NamedTuple):
    """A kind of archive: is a file of this name (lower case) and beginning one, and how is it opened?"""

    matches: Callable[[str, bytes], bool]
    open: Callable[[Path], ArchiveTree]


def _is_zip(name: str, head: bytes) -> bool:
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")):
        return True
    return name.endswith(".zip") and packing_of(head) is None and not is_tar(head)


def _is_plain_tar(name: str, head: bytes) -> bool:
    return packing_of(head) is None and (is_tar(head) or name.endswith((".tar", *_TAR_NAMES)) or ".tar." in name[-9:])


CONTAINERS: tuple[Container, ...] = (Container(_is_zip, zip_tree), Container(_is_plain_tar, tar_tree))


def archive_at(path: Path) -> ArchiveTree | None:
    """The archive that a file is, or None if it is none that Winnow opens.

    Raises:
        RefusedSourceError: it is one, and empty, damaged or hostile.
        OSError: it cannot be read.
    """
    name = path.name.casefold()
    if name.endswith(_DOCUMENTS):
        return None
    head = _head(path)
    if looks_like_archive(name):
        _refuse_unread(path, head)
    for container in CONTAINERS:
        if container.matches(name, head):
            return container.open(path)
    packing = packing_of(head)
    return tar_tree(path, packing) if packing is not None and _is_packed_tar(path, name, packing) else None


def refuse_other_archives(path: Path) -> None:
    """Raises RefusedSourceError E_ARCHIVE_UNSUPPORTED for an archive or packed file that nobody here can read."""
    head = _head(path)
    _refuse_unread(path, head)
    if (packing := packing_of(head)) is not None:
        raise RefusedSourceError(
            "E_ARCHIVE_UNSUPPORTED",
            f"{path} is one file packed with {packing}, not an archive of pictures: unpack it yourself and import what "
            "is inside.",
        )


def looks_like_archive(path: str) -> bool:
    """Does the name say that it is an archive? (Archives inside folders and archives are never opened.)"""
    name = path.rpartition("/")[2].casefold()
    return name.endswith(_ARCHIVE_NAMES) or ".tar." in name[-9:]


def _refuse_unread(path: Path, head: bytes) -> None:
    kind = next((kind for magic, kind in _UNREAD if head.startswith(magic)), None)
    if kind is not None:
        raise RefusedSourceError(
            "E_ARCHIVE_UNSUPPORTED",
            f"{path} is an archive of the kind {kind}, which is not read: unpack it yourself and import the folder, "
            "or pack it as zip or tar.",
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BLOCK)


def _is_packed_tar(path: Path, name: str, packing: str) -> bool:
    if name.endswith(_TAR_NAMES) or ".tar." in name[-9:]:
        return True
    head = b""
    try:
        for piece in unpacked(path, packing):
            head += piece
            if len(head) >= BLOCK:
                break
    except BROKEN:
        return False
    return is_tar(head)
