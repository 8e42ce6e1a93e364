"""Numbers on a page are written as the report beside it writes them, digit for digit."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.report import words

from .scripts import Scripts


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    return Scripts(tmp_path_factory.mktemp("words"), {"words": "words.js"})


def test_shares_are_written_as_in_the_report(script: Scripts, tmp_path: Path) -> None:
    whole = (1, 3, 7, 16, 32, 64, 200, 1000, 1797, 100_000)
    shares = [part / n for n in whole for part in (*range(min(n, 70) + 1), *range(max(0, n - 70), n + 1))]
    shares += [0.9999, 0.99963, 0.999999, 0.0004, 0.000001]
    written = script.run("return shares.map(words.percent)", shares=shares)
    assert written == [words.percent(share) for share in shares]


def test_the_last_mistake_of_ten_thousand_is_not_rounded_away(script: Scripts) -> None:
    assert script.run("return [words.percent(0.9999), words.percent(1), words.percent(null)]") == [
        "99.99 %",
        "100 %",
        "–",
    ]


def test_things_are_counted_as_in_the_report(script: Scripts) -> None:
    counted = script.run('return [1, 2, 12345].map((n) => words.count(n, "class", "classes"))')
    assert counted == [words.count(n, "class", "classes") for n in (1, 2, 12345)]
