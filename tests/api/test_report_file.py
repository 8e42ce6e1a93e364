"""The report beside a model, and the ways to take it away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from winnow.api.model import Model
from winnow.api.report import ReportFile
from winnow.errors import BadDataError, NotFoundError, UserError


def test_a_page_is_saved_as_it_lies_beside_the_model(trained: Model, tmp_path: Path) -> None:
    saved = trained.report.save(tmp_path / "report.html")
    assert saved.read_text(encoding="utf-8") == trained.report.page.read_text(encoding="utf-8")


def test_numbers_are_saved_and_read_again(trained: Model, tmp_path: Path) -> None:
    saved = trained.report.save(str(tmp_path / "numbers.json"))
    assert ReportFile.read(saved).numbers == trained.report.numbers


def test_a_model_card_is_saved(trained: Model, tmp_path: Path) -> None:
    assert "photos" in trained.report.save(tmp_path / "card.md").read_text(encoding="utf-8")


def test_another_ending_is_refused_with_those_there_are(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"saved as \.html, \.json or \.md, not as 'report\.pdf'"):
        trained.report.save(tmp_path / "report.pdf")


def test_a_place_that_is_not_there_is_told_in_a_sentence(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="choose another place"):
        trained.report.save(tmp_path / "nowhere" / "report.html")


def test_as_a_dict_it_is_plain_json(trained: Model) -> None:
    assert json.loads(json.dumps(trained.report.as_dict()))["model"] == "photos"


def test_what_counts_is_the_test_split_once_it_was_opened(trained: Model) -> None:
    assert trained.report.judgement == trained.report.numbers.test


def test_its_text_is_the_verdict(trained: Model) -> None:
    assert str(trained.report) == trained.report.verdict
    assert trained.report.verdict.startswith("Chosen: ")


def test_a_missing_report_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="winnow train"):
        ReportFile.read(tmp_path / "report.json")


def test_a_damaged_report_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"schema_version": 1', encoding="utf-8")
    with pytest.raises(BadDataError, match="damaged"):
        ReportFile.read(tmp_path / "report.json")
