"""Names as every disk can hold them: Windows, Macs and Linux refuse different ones; what a class's folder is called.

What a disk refuses is written as in a URL (%3A for a colon), which also gives a class its name back on import. Class
names are composed and trimmed (`winnow.data.class_names`) before they come here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from winnow.data.sources.tree import is_litter
from winnow.errors import UserError

UNLABELLED = "_unlabelled"
"""The folder of pictures that have no label, among the folders of classes."""

# ext4 and APFS count bytes of UTF-8, NTFS units of UTF-16, which are never more.
MAX_NAME_BYTES = 255

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file; a name with one of these endings is a device, too.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE | re.DOTALL)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\0-\x1f\x7f]')
# A sign written as in a URL, with capitals: one printable sign of ASCII, or the bytes of any other sign in UTF-8.
_ESCAPE = re.compile(
    r"%[2-7][0-9A-F]|%[CD][0-9A-F]%[89AB][0-9A-F]|%E[0-9A-F](?:%[89AB][0-9A-F]){2}|%F[0-7](?:%[89AB][0-9A-F]){3}"
)
# In small letters it is none, but some disks take the one for the other: the class "%2e" for the folder of ".".
_ESCAPE_IN_ANY_CASE = re.compile(_ESCAPE.pattern, re.IGNORECASE)
_LEADING_ESCAPES = re.compile(f"(?:{_ESCAPE.pattern})*")


def disk_name(text: str) -> str:
    """`text` as the name of a file or folder that every disk holds and shows; equal texts give equal names.

    >>> disk_name("a:b"), disk_name("NUL.png"), disk_name(".git"), disk_name("etc.")
    ('a%3Ab', '%4EUL.png', '%2Egit', 'etc%2E')
    """
    name = _FORBIDDEN.sub(lambda match: _escaped(match.group()), unicodedata.normalize("NFC", text))
    if name[-1:] in (".", " "):  # Windows drops them without a word
        name = name[:-1] + _escaped(name[-1])
    # A dot in front hides a file; and what looks like a system's litter would be passed over by an import.
    is_odd = name[:1] in (".", " ") or _DEVICE.fullmatch(name) or is_litter(name)
    return _with_one_more_escaped(name) if is_odd else name


def disk_key(name: str) -> str:
    """Equal for names that are one file on a disk that does not tell capitals or Unicode's forms apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def folders_of_classes(classes: Iterable[str]) -> dict[str, str]:
    """For each class the name of its folder: the same name wherever possible, and never one of two that a disk takes
    for one. `class_of_folder` gives the class back.

    Raises:
        UserError: the name of a class is too long for any disk.

    >>> folders_of_classes(["cat", "Cat", "n/a", "50%2F"])
    {'50%2F': '50%252F', 'Cat': 'Cat', 'cat': '%63at', 'n/a': 'n%2Fa'}
    """
    folders: dict[str, str] = {}
    taken = {disk_key(UNLABELLED)}
    for label in sorted(classes):
        # A per cent sign is escaped where it would be read as the beginning of an escape: so no name of escapes alone
        # is taken already, and there always is one more sign to escape.
        folder = disk_name(_ESCAPE_IN_ANY_CASE.sub(lambda match: "%25" + match.group()[1:], label))
        while disk_key(folder) in taken:
            folder = _with_one_more_escaped(folder)
        taken.add(disk_key(folder))
        if len(folder.encode()) > MAX_NAME_BYTES:
            raise UserError(
                f"The class '{label[:30]}...' has a name that is too long for a folder ({len(folder.encode())} bytes; "
                f"disks hold {MAX_NAME_BYTES}): shorten it with winnow rename, or export to csv, coco or parquet."
            )
        folders[label] = folder
    return folders


def class_of_folder(folder: str) -> str | None:
    """The class whose pictures lie in a folder of this name; None: they have no label.

    >>> class_of_folder("n%2Fa"), class_of_folder("caf%E9"), class_of_folder("_unlabelled")
    ('n/a', 'caf%E9', None)
    """
    return None if folder == UNLABELLED else _ESCAPE.sub(lambda match: _sign(match.group()), folder)


def _with_one_more_escaped(name: str) -> str:
    """The first sign that is not escaped yet."""
    match = _LEADING_ESCAPES.match(name)
    at = match.end() if match else 0
    return name[:at] + _escaped(name[at : at + 1]) + name[at + 1 :]


def _escaped(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode())


def _sign(escape: str) -> str:
    data = bytes.fromhex(escape.replace("%", ""))
    try:
        return data.decode() if data != b"\x7f" else escape
    except UnicodeDecodeError:  # an overlong form or half of a pair: no sign is written so
        return escape
