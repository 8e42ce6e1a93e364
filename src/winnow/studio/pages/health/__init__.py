"""What is wrong with a dataset, as a list of things to do: look, mend as a new version, undo."""

from __future__ import annotations

from winnow.studio.page import Page
from winnow.studio.pages.health import page

PAGES: tuple[Page, ...] = (page.PAGE,)
