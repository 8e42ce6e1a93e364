"""Predict: ask a model about pictures, one or a whole folder."""

from __future__ import annotations

from winnow.studio.pages.predict.page import PAGES

__all__ = ["PAGES"]
