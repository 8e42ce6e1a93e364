"""The report's JSON: what was written is what is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from winnow.errors import BadDataError, NotFoundError
from winnow.report.schema import Report


def test_a_report_written_and_read_is_the_same_report(report: Report, tmp_path: Path):
    report.write_json(tmp_path / "report.json")
    assert Report.read_json(tmp_path / "report.json") == report
    assert list(tmp_path.iterdir()) == [tmp_path / "report.json"]


def test_hostile_names_survive_the_round_trip(hostile: Report, tmp_path: Path):
    hostile.write_json(tmp_path / "report.json")
    assert Report.read_json(tmp_path / "report.json") == hostile


def test_the_json_holds_no_number_that_json_does_not_know(report: Report):
    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(report.model_dump_json(), parse_constant=refuse)


def test_a_report_of_a_newer_winnow_is_refused_with_what_to_do(tmp_path: Path):
    path = tmp_path / "report.json"
    path.write_text('{"schema_version": 99, "surprise": 1}')
    with pytest.raises(BadDataError, match=r"schema 99.*Update"):
        Report.read_json(path)


@pytest.mark.parametrize("written", ["", "{", "[]", '{"schema_version": 1}', pytest.param("[" * 100_000, id="deep")])
def test_a_damaged_report_is_named(tmp_path: Path, written: str):
    path = tmp_path / "report.json"
    path.write_text(written)
    with pytest.raises(BadDataError, match=r"report\.json is no report or is damaged"):
        Report.read_json(path)


def test_a_missing_report_is_a_clear_sentence(tmp_path: Path):
    with pytest.raises(NotFoundError, match="There is no report at"):
        Report.read_json(tmp_path / "none.json")
