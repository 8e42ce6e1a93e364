"""Tests on real data are skipped without it, and must run where it is required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

def test_with_data(test_data): pass
def test_that_finds_another_reason(test_data): pytest.skip("no timm")
@pytest.mark.xfail
def test_that_is_known_to_fail(test_data): assert False
def test_without_data(): pytest.skip("nothing to do with data")
"""


@pytest.mark.parametrize(
    ("has_data", "is_required", "outcome"),
    [
        (True, False, "1 passed, 2 skipped, 1 xfailed"),
        (True, True, "1 failed, 1 passed, 1 skipped, 1 xfailed"),
        (False, False, "4 skipped"),
        (False, True, "1 skipped, 3 errors"),
    ],
)
def test_a_skipped_data_test_fails_where_data_is_required(
    tmp_path: Path, has_data: bool, is_required: bool, outcome: str
):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "data").mkdir()
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "WINNOW_TEST_DATA": str(tmp_path / "data" if has_data else tmp_path / "nowhere"),
        "WINNOW_REQUIRE_DATA": "1" if is_required else "0",
    }
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout.splitlines()[-1].startswith(outcome)
