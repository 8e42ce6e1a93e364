"""What all tests share: where the real data lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA_ROOT = Path(os.environ.get("WINNOW_TEST_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data; a test that asks for it is skipped where it is absent."""
    if not DATA_ROOT.is_dir():
        pytest.skip(f"needs real data: set WINNOW_TEST_DATA to its folder (looked in {DATA_ROOT})")
    return DATA_ROOT
