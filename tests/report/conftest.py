"""The made-up reports that the drawings are tested with; each is made once."""

from __future__ import annotations

import pytest
from made_up import HOSTILE, MadeUp, made_up_report

from winnow.report.schema import Report


@pytest.fixture(scope="session")
def report() -> Report:
    """Eleven classes, the test split opened a second time."""
    return made_up_report(MadeUp(has_test=True, openings=2))


@pytest.fixture(scope="session")
def unopened() -> Report:
    """Two classes, the test split not opened."""
    return made_up_report(MadeUp(name="cats-dogs", classes=("cat", "dog"), n=120))


@pytest.fixture(scope="session")
def hostile() -> Report:
    """Class names, a dataset name and a verdict written to break pages and terminals."""
    return made_up_report(MadeUp(name="<b>x</b>", classes=HOSTILE, n=80, verdict="<i onclick=alert(1)>[red]|v|"))


@pytest.fixture(scope="session")
def many() -> Report:
    """As many classes as the Oxford flowers have."""
    classes = tuple(f"flower {i:03}" for i in range(102))
    return made_up_report(MadeUp(name="flowers", classes=classes, n=612, skill=7))
