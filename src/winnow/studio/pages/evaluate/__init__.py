"""Evaluate: what a model is worth, where it errs, and whether another one is better."""

from __future__ import annotations

from winnow.studio.page import Page
from winnow.studio.pages.evaluate.choose import CHOOSE
from winnow.studio.pages.evaluate.model import MODEL

PAGES: tuple[Page, ...] = (CHOOSE, MODEL)
