"""What all tests share: where the real data lies, that its tests really ran where they must, and an empty shelf."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from winnow.graph.backbone import EMBEDDED, Backbone, list_backbones

# Tests start hundreds of Pythons: what one of them compiled the next one finds, whatever the shell says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# They write thousands of small files and wait for each to lie on the disk: in memory nobody waits, and nothing is lost.
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 8 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

DATA_ROOT = Path(os.environ.get("WINNOW_TEST_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data; a test that asks for it is skipped where it is absent."""
    if not DATA_ROOT.is_dir():
        pytest.skip(f"needs real data: set WINNOW_TEST_DATA to its folder (looked in {DATA_ROOT})")
    return DATA_ROOT


@pytest.fixture(scope="session", autouse=True)
def _climbs_start_without_a_backbone(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Most tests climb on a few tiny pictures and know which methods pay there: the embedded backbone is put away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("winnow.api.shelves.EMBEDDED", tmp_path_factory.mktemp("no-backbones"))
        yield


@pytest.fixture
def embedded_backbone(monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """The backbone that comes with Winnow, on its shelf again."""
    monkeypatch.setattr("winnow.api.shelves.EMBEDDED", EMBEDDED)
    (backbone,) = list_backbones([EMBEDDED])
    return backbone


def pytest_runtest_setup() -> None:
    """torch has every operator read anew for each graph that it writes, a third of the time: here it is read once."""
    if registration := sys.modules.get("torch.onnx._internal.exporter._registration"):
        registry = registration.ONNXRegistry
        if not hasattr(registry.from_torchlib, "cache_info"):
            registry.from_torchlib = staticmethod(functools.cache(registry.from_torchlib))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """What all tests import stays until their end: looking through it for garbage again and again is no use."""
    gc.collect()
    gc.freeze()
    try:
        return (yield)
    finally:
        gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With WINNOW_REQUIRE_DATA=1, a test that asks for `test_data` may not be skipped, but for want of a browser."""
    report = yield
    is_skipped = report.skipped and not hasattr(report, "wasxfail")
    if is_skipped and "test_data" in getattr(item, "fixturenames", ()) and os.environ.get("WINNOW_REQUIRE_DATA") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if "needs a browser" in str(reason):
            return report
        report.outcome = "failed"
        report.longrepr = f"skipped although WINNOW_REQUIRE_DATA=1 (data: {DATA_ROOT}): {reason}"
    return report
