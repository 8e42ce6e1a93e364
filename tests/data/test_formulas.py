"""Cells that a spreadsheet would run are written as text, and come back to the last sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.data.sources.tables.formulas import as_text, from_text

CELLS = st.text(st.sampled_from("'=+-@\t\r1.,eE ax\"\n"), max_size=8) | st.text(max_size=20)


@given(CELLS)
def test_every_cell_comes_back(cell: str):
    assert from_text(as_text(cell)) == cell


@given(CELLS)
def test_no_cell_begins_like_a_formula_unless_it_is_a_plain_number(cell: str):
    shown = as_text(cell)
    if shown[:1] in tuple("=+-@\t\r"):
        float(shown.replace(",", "."))


@pytest.mark.parametrize("cell", ["cat", "-1", "+1.5e3", "", "don't", "'quoted'", "a=b"])
def test_what_no_spreadsheet_runs_is_left_alone(cell: str):
    assert as_text(cell) == cell
