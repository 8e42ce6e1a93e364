"""Export as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terminal import Winnow


@pytest.fixture
def imported(winnow: Winnow, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Winnow:
    """A workspace with a dataset called shapes, and an empty folder to be in."""
    assert winnow("import", shapes).code == 0
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return winnow


def test_without_out_it_is_written_here_under_a_name_that_says_what_it_is(imported: Winnow):
    said = imported("export", "shapes", "--to", "coco")
    size = f"{sum(path.stat().st_size for path in Path('shapes-coco').glob('t*/*')) / 1000:.1f} kB"
    assert said.code == 0
    assert said.out == f"shapes, version 1: 60 pictures, {size}, as coco in {Path.cwd() / 'shapes-coco'}\n"
    assert sorted(path.name for path in Path("shapes-coco").iterdir()) == ["annotations", "test", "train"]
    assert imported("export", "shapes", "--to", "zip", "--split", "test").code == 0
    assert Path("shapes-test.zip").is_file()


def test_what_is_written_can_be_imported(imported: Winnow):
    assert imported("export", "shapes", "--to", "parquet", "--out", "out").code == 0
    said = imported("import", "out", "--name", "back", "--json")
    assert json.loads(said.out)["classes"] == json.loads(imported("show", "shapes", "--json").out)["classes"]


def test_in_json_it_says_what_was_written_and_what_was_not(imported: Winnow):
    assert imported("relabel", "shapes", "bright/00.png", "--label", "dim").code == 0
    said = imported("export", "shapes", "--to", "coco", "--out", "out", "--version", "1", "--json")
    facts = json.loads(said.out)
    assert (facts["path"], facts["format"], facts["version"]) == (str(Path.cwd() / "out"), "coco", 1)
    assert (facts["dataset"], facts["split"], facts["pictures"]) == ("shapes", None, 60)
    assert [note["code"] for note in facts["notes"]] == ["W_NO_BOX"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("shapes",), 2, "--to"),
        (("shape", "--to", "csv"), 4, "Did you mean shapes?"),
        (("shapes", "--to", "parket"), 4, "Did you mean parquet?"),
        (("shapes", "--to", "csv", "--version", "9"), 4, "9"),
        (("shapes", "--to", "csv", "--split", "val"), 4, "it has train, test"),
        (("shapes", "--to", "csv", "--out", "."), 2, "the folder that you are in"),
        (("shapes", "--to", "csv", "--out", ".."), 2, "nothing is overwritten"),
    ],
)
def test_what_makes_no_sense_is_told(imported: Winnow, words: tuple[str, ...], code: int, sentence: str):
    said = imported("export", *words)
    assert said.code == code
    assert sentence in said.err
    assert "Traceback" not in said.err
