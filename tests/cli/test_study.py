"""`winnow study`: what it lists, prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terminal import Winnow


def test_without_a_name_the_studies_are_listed_with_their_claims(winnow: Winnow):
    said = winnow("study")
    assert said.code == 0
    assert said.out == winnow("study", "--list").out
    for name in ("xor", "dropout", "cut-at-layer", "transfer-or-scratch"):
        assert f"\n{name} " in f"\n{said.out}"
    assert {one["name"] for one in json.loads(winnow("study", "--json").out)} >= {"momentum", "optimisers"}


def test_a_study_is_printed_and_written(winnow: Winnow, shapes: Path, tmp_path: Path):
    said = winnow("study", "pooling", "--seeds", "2", "--on", shapes, "--out", tmp_path / "it.svg")
    assert said.code == 0
    assert "Verdict: " in said.out
    assert (tmp_path / "it.svg").read_text(encoding="utf-8").startswith("<svg")


def test_json_is_all_that_stands_on_stdout(winnow: Winnow, shapes: Path):
    said = winnow("study", "pooling", "--seeds", "2", "--on", shapes, "--json")
    assert json.loads(said.out)["study"] == "pooling"


def test_mistakes_are_told_in_one_sentence(winnow: Winnow):
    for words, code, sentence in (
        (("xr",), 4, "No study is called 'xr'"),
        (("xor", "--seeds", "1"), 2, "give 2 or more"),
        (("pooling", "--on", "nobody"), 4, "nobody"),
    ):
        said = winnow("study", *words)
        assert said.code == code
        assert sentence in said.err
        assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "works_in", "after"),
    [
        (("study", "xor"), "winnow.api.studying.study", "It begins anew next time."),
        (("train", "digits"), "winnow.api.loading.load", "the same command goes on where it was."),
        (("import", "digits"), "winnow.api.loading.load", "the same command goes on where it was."),
    ],
)
def test_ctrl_c_says_truly_what_the_same_command_will_do(
    winnow: Winnow, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], works_in: str, after: str
):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(works_in, stopped)
    said = winnow(*command)
    assert (said.code, said.out) == (130, "")
    assert said.err.startswith("winnow: stopped.")
    assert said.err.rstrip().endswith(after)
