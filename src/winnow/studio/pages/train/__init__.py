"""Train: choose a dataset, ask for a climb, watch it."""

from __future__ import annotations

from winnow.studio.page import Page
from winnow.studio.pages.train import choose, start, watch

PAGES: tuple[Page, ...] = (choose.PAGE, start.PAGE, watch.PAGE)
