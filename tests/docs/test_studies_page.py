"""The page of studies names every study."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.studies.catalogue import all_studies

PAGE = Path(__file__).parents[2] / "docs" / "studies.md"


@pytest.mark.parametrize("name", [study.name for study in all_studies()])
def test_every_study_is_in_the_docs(name: str):
    assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")
