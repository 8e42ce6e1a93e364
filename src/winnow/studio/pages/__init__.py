"""All pages; a new one is a file here and a line in this list."""

from __future__ import annotations

from winnow.studio.page import Page
from winnow.studio.pages import codes, evaluate, health, home, importing, label, playground, predict, train

PAGES: tuple[Page, ...] = (
    home.PAGE,
    *importing.PAGES,
    *health.PAGES,
    *label.PAGES,
    *train.PAGES,
    *evaluate.PAGES,
    *predict.PAGES,
    playground.PAGE,
    codes.PAGE,
)
