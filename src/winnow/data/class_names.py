"""Names of classes: what a name is once nothing invisible is in it, and which names may mean the same class."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from winnow.errors import BadDataError
from winnow.events import Note

LONGEST = 200
FEW_PICTURES = 5
"""Below this a class has no place in a test split (`winnow.data.splitting`)."""

# Signs that take no room or turn the direction of what follows: two names that differ in one look the same, and a
# name can be made to read as another (Trojan Source, Boucher and Anderson 2021). The joiners U+200C and U+200D stay:
# Persian, Hindi and emoji are written with them; the tags U+E0020.. are kept in flags such as Scotland's only.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"  # and what chooses the look of an emoji: nothing without what they stand at
_FLAG = "\U0001f3f4[\U000e0020-\U000e007f]+"
_BREAK = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_HIDDEN = re.compile(f"({_FLAG})|[\0-\x1f\x7f-\x9f{_INVISIBLE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SUSPECT = re.compile(f"[\0-\x1f\x7f-\x9f\u2028\u2029{_INVISIBLE}\ud800-\udfff]")

# Letters of other scripts that look like a Latin one (Unicode Technical Standard 39, confusables.txt, lower case).
_LOOK_ALIKES = str.maketrans("авеіјкмнорсѕтухԁԛԝηινοκρτυχα", "abeijkmhopcstyxdqwnivokptuxa", "\u200c\u200d\u0307")


class ClassNameError(BadDataError):
    """This cannot be the name of a class; `code` is E_NAME."""

    code = "E_NAME"


@lru_cache(maxsize=100_000)
def class_name(text: str) -> tuple[str, bool]:
    """A class name as it is kept, and whether more was changed than a person can see.

    Composing letters (Macs store "é" as two signs) and trimming are silent. Line breaks and tabs become a space;
    control signs, direction marks and signs without width go; bytes that are no text are written as %E9.

    Raises:
        ClassNameError: nothing is left of it, or more than 200 characters are.

    >>> class_name(" Cafe\u0301 "), class_name("a\\tb"), class_name("caf\\udce9")
    (('Café', False), ('a b', True), ('caf%E9', True))
    """
    plain = unicodedata.normalize("NFC", text).strip()
    clean = plain
    if _SUSPECT.search(plain):
        clean = _HIDDEN.sub(r"\1", _BREAK.sub(" ", encodable(plain)))
        clean = unicodedata.normalize("NFC", clean).strip()
    if not clean.strip(_JOINERS):
        raise ClassNameError("The name of the class has no visible character: give it one. (E_NAME)")
    if len(clean) > LONGEST:
        raise ClassNameError(
            f"The name of the class ('{clean[:30]}...') has {len(clean)} characters; at most {LONGEST} are kept: "
            "shorten it. (E_NAME)"
        )
    return clean, clean != plain


def file_name(path: str) -> tuple[str, bool]:
    """A path as it is shown and kept in tables, and whether it had to be changed: control signs, direction marks,
    signs without width and bytes that are no text are written as in a URL, so that nothing hides and nothing is lost.

    >>> file_name("a\\nb.jpg")
    ('a%0Ab.jpg', True)
    """
    if (path.isascii() and path.isprintable()) or not _SUSPECT.search(path):
        return path, False
    clean = _SUSPECT.sub(_escaped, path)
    return clean, True


def encodable(text: str) -> str:
    """The text with lone surrogates (bytes of a file's name that are no UTF-8) as %E9: files and databases refuse them.

    >>> encodable("caf\\udce9")
    'caf%E9'
    """
    return text if text.isascii() else _SURROGATE.sub(_escaped, text)


def similar_classes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of class names that may be one class.

    They differ only in case, spaces, dashes, underscores, in how Unicode writes a letter, or in letters of another
    script that look the same. Numbers are alike only if they are equal.

    >>> similar_classes(["cat", "Cat", "ice cream", "ice-cream", "dog", "1", "-1"])
    [('Cat', 'cat'), ('ice cream', 'ice-cream')]
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        groups[_key(name)].append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def class_notes(counts: Mapping[str, int], dataset: str) -> list[Note]:
    """What a user should know of the classes: names that may be one class (W_CLASS_SIMILAR), and classes with hardly
    a picture (W_FEW_IMAGES).

    Args:
        counts: pictures of each class.
        dataset: its name, for the command that mends it.
    """
    notes: list[Note] = []
    for group in similar_classes(counts):
        into = max(group, key=lambda name: counts[name])
        others = [name for name in group if name != into]
        command = shlex.join(["winnow", "merge", dataset, *others, "--into", into])
        shown = " and ".join(f"'{name}' ({counts[name]})" for name in group)
        text = f"The classes {shown} are written almost alike: if they are one class, type {command}"
        notes.append(Note(text, is_warning=True, code="W_CLASS_SIMILAR"))
    if few := sorted((count, name) for name, count in counts.items() if count < FEW_PICTURES):
        shown = ", ".join(f"'{name}': {count}" for count, name in few[:5]) + (", ..." if len(few) > 5 else "")
        text = (
            f"{'One class has' if len(few) == 1 else f'{len(few)} classes have'} fewer than {FEW_PICTURES} pictures "
            f"({shown}): what is said of {'it' if len(few) == 1 else 'them'} will be a guess. Add some."
        )
        notes.append(Note(text, is_warning=True, code="W_FEW_IMAGES"))
    return notes


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    if re.fullmatch(r"[-+−]?[\d.,]+", plain):
        return plain
    key = unicodedata.normalize("NFKC", plain.translate(_LOOK_ALIKES))
    # "1-2" is not "12", so a digit on both sides keeps its sign.
    key = re.sub(r"(?<!\d)[\s_\-‐-―]+|[\s_\-‐-―]+(?!\d)", "", key)
    return key or plain


def _escaped(match: re.Match[str]) -> str:
    sign = match.group()
    raw = bytes([ord(sign) - 0xDC00]) if "\udc80" <= sign <= "\udcff" else sign.encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in raw)
