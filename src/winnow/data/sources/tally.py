"""What was mended in annotations, counted: one note a kind, however many thousand times it happened."""

from __future__ import annotations

from collections.abc import Iterator

from winnow.events import Note

# {n}: how often, {first}: where first. What lowers the worth of later figures is a warning.
_SAYINGS: dict[str, tuple[bool, str]] = {
    "W_FILE_MISSING": (True, "Pictures that the annotations name are not there ({n}; the first: {first})."),
    "W_NO_ANNOTATIONS": (True, "The annotations say nothing of any picture: all are imported without a label."),
    "W_ANN_DANGLING": (
        True,
        "Annotations of a picture or class that is not listed were left out ({n}; the first: {first}).",
    ),
    "W_CLASS_MERGED": (True, "Classes that bear one name were made one ({first})."),
    "W_DUP": (True, "Pictures or annotations are listed more than once ({n}; the first: {first}): they were joined."),
    "W_SPLIT_UNKNOWN": (False, "Splits that nobody knows were left out ({n}; the first: {first})."),
    "W_TYPE_COERCED": (False, "Text was read as numbers or numbers as text ({n} times; the first: {first})."),
    "W_SEG_DROPPED": (False, "Outlines were not kept, only the boxes around them ({n})."),
    "W_UNKNOWN_KEY": (False, "What Winnow has no use for was left out ({first})."),
    "W_URL_IGNORED": (False, "Addresses in the annotations were not opened ({n}): the pictures here were taken."),
    "W_BOM": (False, "{first} begins with a byte order mark: it was read past."),
}


class Tally:
    """Counts by code."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._kinds: dict[str, dict[str, None]] = {}

    def count(self, code: str, where: object, n: int = 1) -> None:
        """`code` happened `n` times, the first time at `where`."""
        if n:
            self._first.setdefault(code, str(where)[:100])
            self._counts[code] = self._counts.get(code, 0) + n

    def name(self, code: str, what: str) -> None:
        """`what` is one of a few things that `code` is about: its note lists them all."""
        self._kinds.setdefault(code, {})[what[:50]] = None
        self._counts[code] = 1

    def notes(self) -> Iterator[Note]:
        """One note a code, in the order of `_SAYINGS`."""
        for code, (is_warning, saying) in _SAYINGS.items():
            if code in self._counts:
                yield Note(saying.format(n=self._counts[code], first=self._where(code)), is_warning, code)

    def _where(self, code: str) -> str:
        kinds = list(self._kinds.get(code, ()))
        more = f" and {len(kinds) - 10} more" if len(kinds) > 10 else ""
        return ", ".join(kinds[:10]) + more if kinds else self._first.get(code, "")
