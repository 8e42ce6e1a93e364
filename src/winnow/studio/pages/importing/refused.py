"""The files that an import left out, a page of them at a time, with the reason of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from winnow.data.code_meanings import MEANING
from winnow.data.sources.refused import Refused
from winnow.report.words import count
from winnow.studio.fields import choice, on_change
from winnow.studio.parts import Cell, box, button, heading, link, para, table

PAGE_LINES = 25
_ALL = ""


class RefusedFiles:
    """Heading, a choice of reasons, and a table with buttons to turn its pages."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        self._all = refused
        self._chosen = refused
        self._page = 0
        counts = Counter(line.code for line in refused).most_common()
        heading(f"Left out: {count(len(refused), 'file')}")
        reasons = {_ALL: f"All reasons ({len(refused):,})"}
        reasons |= {code: f"{MEANING.get(code, code)} ({n:,})" for code, n in counts}
        if len(counts) > 1:
            on_change(choice("Why", reasons, value=_ALL), self._choose)
        self._around = box("div")
        if len(refused) > PAGE_LINES:
            with box("div", "row"):
                button("Previous files", lambda: self._turn(-1))
                button("Next files", lambda: self._turn(1))
                self._where = para("", role="status")
        else:
            self._where = None
        self._draw()

    def _choose(self, code: str) -> None:
        self._chosen = [line for line in self._all if code in (_ALL, line.code)]
        self._page = 0
        self._draw()

    def _turn(self, step: int) -> None:
        last = (len(self._chosen) - 1) // PAGE_LINES
        self._page = min(max(self._page + step, 0), last)
        self._draw()

    def _draw(self) -> None:
        start = self._page * PAGE_LINES
        lines = self._chosen[start : start + PAGE_LINES]
        rows: list[list[Cell]] = [
            [line.source, line.reason, partial(link, line.code, f"/codes#{line.code}")] for line in lines
        ]
        self._around.clear()
        with self._around:
            table("Files that were left out, and why", ("File", "Why", "Code"), rows, "refused")
        if self._where is not None:
            self._where.text = f"{start + 1:,} to {start + len(lines):,} of {len(self._chosen):,}"
