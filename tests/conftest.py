"""What all tests share: where the real data lies, and that its tests really ran where they must."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

DATA_ROOT = Path(os.environ.get("WINNOW_TEST_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data; a test that asks for it is skipped where it is absent."""
    if not DATA_ROOT.is_dir():
        pytest.skip(f"needs real data: set WINNOW_TEST_DATA to its folder (looked in {DATA_ROOT})")
    return DATA_ROOT


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With WINNOW_REQUIRE_DATA=1, a test that asks for `test_data` may not be skipped, for whatever reason."""
    report = yield
    is_skipped = report.skipped and not hasattr(report, "wasxfail")
    if is_skipped and "test_data" in getattr(item, "fixturenames", ()) and os.environ.get("WINNOW_REQUIRE_DATA") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped although WINNOW_REQUIRE_DATA=1 (data: {DATA_ROOT}): {reason}"
    return report
