"""Many files are answered in flat memory, and a kill at any moment loses nothing but one shard."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from winnow.api import batch, batch_list
from winnow.api.answer_table import write_answers
from winnow.api.batch import PARTS, predict_files
from winnow.api.batch_forms import FORMS
from winnow.api.batch_shard import predict_shard
from winnow.api.model import Model
from winnow.errors import ConflictError, NotFoundError, UserError
from winnow.events import Note, Progress, tell_nobody


@pytest.fixture
def few_a_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of 16 files, so that 60 make four."""
    monkeypatch.setattr(batch, "SHARD", 16)


@pytest.fixture
def inbox(photos: Path, tmp_path: Path) -> Path:
    """60 pictures, one that is none, one of an odd name, and what is to be passed over."""
    inbox = shutil.copytree(photos, tmp_path / "inbox")
    (inbox / "=cmd.png").write_bytes((photos / "plain" / "000.png").read_bytes())
    (inbox / "plain" / "bad.png").write_bytes(b"no picture")
    (inbox / "notes.md").write_text("no picture either", encoding="utf-8")
    (inbox / ".hidden").mkdir()
    (inbox / ".hidden" / "a.png").write_bytes(b"")
    return inbox


def test_the_csv_is_that_of_predict_line_for_line(trained: Model, inbox: Path, tmp_path: Path, few_a_shard: None):
    done = predict_files(trained, inbox, tmp_path / "out.csv")
    expected = io.StringIO(newline="")
    write_answers(expected, trained.predict(inbox), trained.classes, has_several=False)
    assert done.pictures == 62
    assert (tmp_path / "out.csv").read_bytes().decode() == expected.getvalue()
    assert not (tmp_path / f"out.csv{PARTS}").exists()


def test_jsonl_and_parquet_say_the_same(trained: Model, inbox: Path, tmp_path: Path, few_a_shard: None):
    answers = trained.predict(inbox)
    predict_files(trained, inbox, tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{**one.as_dict(), "is_sure": trained.is_sure(one)} for one in answers]
    predict_files(trained, inbox, tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["source", "label", "prob", "prob_plain", "prob_square", "error"]
    for row, one in zip(table.to_pylist(), answers, strict=True):
        assert (row["source"], row["label"], row["prob"], row["error"]) == (one.source, one.label, one.prob, one.error)
        assert row["prob_plain"] == (one.probs["plain"] if one.probs else None)


@pytest.mark.parametrize("form", FORMS)
def test_lines_without_an_answer_are_counted(trained: Model, inbox: Path, tmp_path: Path, few_a_shard: None, form):
    (inbox / "error\n,.png").write_bytes(b"nor is this one")
    assert predict_files(trained, inbox, tmp_path / f"out.{form}").errors == 2
    listed = tmp_path / "list.txt"
    listed.write_text("gone.png\nlost.png", encoding="utf-8")
    assert predict_files(trained, listed, tmp_path / f"none.{form}").errors == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_shard_is_a_pure_function_of_model_files_and_form(trained: Model, photos: Path, form):
    files = [str(file) for file in sorted((photos / "plain").iterdir())[:3]]
    assert predict_shard(trained.folder, files, form) == predict_shard(trained.folder, files, form)


def test_an_interrupted_run_goes_on_and_gives_the_same_file(
    trained: Model, inbox: Path, tmp_path: Path, few_a_shard: None
):
    predict_files(trained, inbox, tmp_path / "whole.parquet")

    def stop(event: object) -> None:
        if isinstance(event, Progress) and event.what == "predicting" and event.done > 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_files(trained, inbox, tmp_path / "out.parquet", tell=stop)
    heard: list[object] = []
    done = predict_files(trained, inbox, tmp_path / "out.parquet", tell=heard.append)
    assert done.resumed == 32
    assert any("Going on after 32 of 62" in str(one) for one in heard if isinstance(one, Note))
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def interrupted(model: Model, what: Path, out: Path) -> None:
    def stop(event: object) -> None:
        if isinstance(event, Progress) and event.what == "predicting" and event.done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_files(model, what, out, tell=stop)


def test_a_changed_list_of_files_or_another_model_is_noticed(
    trained: Model, inbox: Path, tmp_path: Path, few_a_shard: None, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out.csv"
    interrupted(trained, inbox, out)
    (inbox / "new.png").write_bytes((inbox / "=cmd.png").read_bytes())
    with pytest.raises(ConflictError, match=r"for 62 files, and there are 63 now\. Add --restart"):
        predict_files(trained, inbox, out)
    (inbox / "new.png").unlink()
    (inbox / "=cmd.png").rename(inbox / "other.png")
    with pytest.raises(ConflictError, match="for files of other names"):
        predict_files(trained, inbox, out)
    plan = tmp_path / f"out.csv{PARTS}" / "plan.json"
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"model": "0" * 64}), encoding="utf-8")
    with pytest.raises(ConflictError, match="by another model"):
        predict_files(trained, inbox, out)
    assert predict_files(trained, inbox, out, restart=True).resumed == 0


def test_a_table_that_is_there_is_not_overwritten_unless_asked(trained: Model, inbox: Path, tmp_path: Path):
    out = tmp_path / "out.csv"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(ConflictError, match="is there already"):
        predict_files(trained, inbox / "plain", out)
    assert out.read_text(encoding="utf-8") == "mine"
    predict_files(trained, inbox / "plain", out, restart=True)
    assert out.read_text(encoding="utf-8").startswith("source,label")


def test_shards_without_a_plan_belong_to_nothing(trained: Model, inbox: Path, tmp_path: Path, few_a_shard: None):
    out = tmp_path / "out.csv"
    interrupted(trained, inbox, out)
    (tmp_path / f"out.csv{PARTS}" / "plan.json").unlink()
    assert predict_files(trained, inbox, out).resumed == 0


def test_a_list_of_paths_may_come_from_a_file_or_stdin(
    trained: Model, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    paths = [str(photos / "square" / "001.png"), str(tmp_path / "gone.png"), str(photos / "plain" / "000.png")]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(paths), encoding="utf-8")
    predict_files(trained, listed, tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").open(encoding="utf-8")))
    assert [row["source"] for row in rows] == paths
    assert [row["label"] for row in rows] == ["square", "", "plain"]
    assert "E_MISSING" in rows[1]["error"]

    class Stdin:
        buffer = io.BytesIO(listed.read_bytes())

    monkeypatch.setattr(sys, "stdin", Stdin)
    predict_files(trained, "-", tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_what_is_not_there_is_said_and_leaves_nothing_behind(trained: Model, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for what in ("empty", "nowhere"):
        with pytest.raises(NotFoundError):
            predict_files(trained, tmp_path / what, tmp_path / "out.csv")
    with pytest.raises(UserError, match=r"\.parquet, \.csv or \.jsonl, not as 'out\.xlsx'"):
        predict_files(trained, tmp_path / "empty", tmp_path / "out.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_large_folders_are_sorted_in_runs_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "many"
    (folder / "a b").mkdir(parents=True)
    (folder / "a").mkdir()
    names = [f"{number:04}.png" for number in np.random.default_rng(0).permutation(200)]
    for name in [*names, "a.png", "a b/1.png", "a/2.jpg", "odd\nname.png", os.fsdecode(b"caf\xe9.png"), "B.PNG", "jpg"]:
        (folder / name).touch()
    (folder / "link").symlink_to(folder / "a")
    shutil.copytree(folder, folder / "0100", symlinks=True)  # a large folder in a large one, with the same names
    monkeypatch.setattr(batch_list, "_RUN", 16)
    found = list(batch_list.walk([str(folder)], tmp_path, tell_nobody))
    expected = [str(p) for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix and "link" not in p.parts]
    assert found == expected
    count, _ = batch_list.write_paths(tmp_path / "list", found)
    assert count == len(found)
    assert list(batch_list.read_paths(tmp_path / "list")) == found
    assert not list(tmp_path.glob("*.run"))


KILLED = """
import sys
from winnow.api import batch
batch.SHARD = 8
batch.predict_files(sys.argv[1], sys.argv[2], sys.argv[3])
"""


def test_after_a_kill_minus_nine_the_same_call_gives_the_same_file(
    trained: Model, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(batch, "SHARD", 8)
    predict_files(trained, photos, tmp_path / "whole.jsonl")
    out, parts = tmp_path / "out.jsonl", tmp_path / f"out.jsonl{PARTS}"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(trained.folder) + "/", str(photos), str(out)])
    while process.poll() is None and not list(parts.glob("*.jsonl")):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not out.exists():  # it was not done before we looked
        assert predict_files(trained, photos, out).resumed >= 8
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
