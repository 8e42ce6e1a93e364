"""Rungs are found under the names that a climb tells."""

from __future__ import annotations

from winnow.api.rungs import rung_titles


def test_titles_come_by_name_cheapest_first_for_each_task():
    of_classes, of_several = rung_titles("classify"), rung_titles("multilabel")
    assert next(iter(of_classes.items())) == ("commonest-class", "always the commonest class")
    assert of_classes["features-lda"] == of_several["features-lda"] == "features + shrunk LDA"
    assert "fine-tune" in of_classes
