"""How do pictures come in? Where they come from, how the import goes, and what it left out and why."""

from __future__ import annotations

from winnow.studio.page import Page
from winnow.studio.pages.importing import report, start

PAGES: tuple[Page, ...] = (start.PAGE, report.PAGE)
