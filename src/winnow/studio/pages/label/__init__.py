"""Label: choose a dataset, then give its pictures classes."""

from __future__ import annotations

from winnow.studio.page import Page
from winnow.studio.pages.label.board import BOARD
from winnow.studio.pages.label.choose import CHOOSE

PAGES: tuple[Page, ...] = (CHOOSE, BOARD)
