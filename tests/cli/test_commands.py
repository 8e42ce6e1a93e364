"""The commands do the work, answer in JSON when asked, and leave with a code that means something."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import Winnow

RUNGS = "commonest-class,pixels-nearest-neighbour"


def test_train_on_a_folder_imports_climbs_and_says_what_next(winnow: Winnow, shapes: Path):
    said = winnow("train", shapes, "--rungs", RUNGS)
    assert said.code == 0
    assert "Chosen: pixels + nearest neighbour" in said.out
    assert "Test split (opening 1)" in said.out
    assert "report.html" in said.out
    assert "Next: winnow predict shapes@1" in said.out


def test_progress_goes_to_stderr_so_that_stdout_is_json_alone(winnow: Winnow, shapes: Path):
    said = winnow("train", shapes, "--rungs", RUNGS, "--json")
    answer = json.loads(said.out)
    assert answer["model"] == "shapes@1"
    assert answer["report"]["openings"] == {"count": 1, "opening": 1}
    assert "rungs to climb, about" in said.err


def test_the_estimate_is_told_before_the_first_rung(winnow: Winnow, shapes: Path):
    said = winnow("train", shapes, "--rungs", RUNGS, "--budget", "30s")
    assert said.err.index("2 rungs to climb, about") < said.err.index("✓ always the commonest class")
    assert "of a budget of 30 s" in said.err


def test_import_shows_classes_splits_and_what_was_left_out(winnow: Winnow, shapes: Path, tmp_path: Path):
    folder = tmp_path / "mine"
    for label in ("bright", "dark"):
        (folder / label).mkdir(parents=True)
        for file in sorted((shapes / label).iterdir())[:6]:
            (folder / label / file.name).write_bytes(file.read_bytes())
    (folder / "dark" / "broken.png").write_bytes(b"not a picture")
    said = winnow("import", folder, "--name", "few")
    assert said.code == 0
    assert "few, version 1: 12 pictures of 2 classes" in said.out
    assert "dark/broken.png" in said.out
    assert "E_NOT_IMAGE" in said.out
    assert "Next: winnow check few, then winnow train few" in said.out


def test_an_import_of_nothing_good_says_why_of_each_to_programs(winnow: Winnow, tmp_path: Path):
    folder = tmp_path / "mine" / "cat"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"not a picture")
    (folder / "b.png").write_bytes(b"")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\3\4")
    for source, codes in (
        (folder.parent, {"cat/a.png": "E_NOT_IMAGE", "cat/b.png": "E_EMPTY"}),
        (broken, {str(broken): "E_ARCHIVE_CORRUPT"}),
    ):
        said = winnow("import", source, "--json")
        assert said.code == 3
        assert {line["source"]: line["code"] for line in json.loads(said.out)["refused"]} == codes
        assert next(iter(codes.values())) in said.err


def test_import_says_once_for_each_kind_what_was_done_to_pictures(winnow: Winnow, shapes: Path, tmp_path: Path):
    folder = tmp_path / "mine"
    shutil.copytree(shapes, folder)
    for label in ("bright", "dark"):
        (folder / label / "00.png").rename(folder / label / "00.jpg")
    said = winnow("import", folder)
    assert "2 pictures of another format than the name says (W_EXT_MISMATCH)" in said.out
    answer = json.loads(winnow("import", folder, "--json").out)
    assert [(one["code"], one["pictures"]) for one in answer["noticed"]] == [("W_EXT_MISMATCH", 2)]


def test_more_pictures_join_those_that_are_there(winnow: Winnow, shapes: Path, tmp_path: Path):
    winnow("import", shapes, "--name", "shapes")
    more = tmp_path / "more" / "dim"
    more.mkdir(parents=True)
    for number in range(4):
        Image.fromarray(np.full((12, 12, 3), 100 + number, dtype=np.uint8)).save(more / f"{number}.png")
    answer = json.loads(winnow("import", more.parent, "--name", "shapes", "--add", "--json").out)
    assert (answer["version"], answer["pictures"]) == (2, 64)
    assert sorted(answer["classes"]) == ["bright", "dark", "dim"]


def test_pictures_may_stay_in_place_and_be_found_again_after_a_move(winnow: Winnow, shapes: Path, tmp_path: Path):
    folder = tmp_path / "photos"
    shutil.copytree(shapes, folder)
    winnow("import", folder, "--name", "mine", "--in-place")
    folder.rename(tmp_path / "moved")
    lost = winnow("train", "mine", "--rungs", RUNGS)
    assert lost.code != 0
    assert "winnow relink" in lost.err
    assert "60 pictures" in winnow("relink", folder, tmp_path / "moved").out
    assert winnow("train", "mine", "--rungs", RUNGS).code == 0


def test_importing_again_changes_nothing(winnow: Winnow, shapes: Path):
    first = json.loads(winnow("import", shapes, "--json").out)
    again = json.loads(winnow("import", shapes, "--json").out)
    assert (first["dataset"], first["version"]) == (again["dataset"], again["version"]) == ("shapes", 1)


def test_predict_says_its_doubt_and_what_is_near(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS)
    file = shapes / "dark" / "00.png"
    answer, first, _ = winnow("predict", "shapes", file, "--near", "2").out.splitlines()
    assert first.startswith("  near: ")
    assert first.endswith("(dark)")
    line = json.loads(winnow("predict", "shapes", file, "--json", "--near", "2").out)
    assert line["is_sure"] != answer.endswith("(not sure)")
    assert [one["labels"] for one in line["nearest"]] == [["dark"], ["dark"]]


def test_predict_writes_a_table_jsonl_and_csv(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS)
    assert "bright" in winnow("predict", "shapes", shapes / "bright" / "00.png").out
    line = json.loads(winnow("predict", "shapes", shapes / "dark" / "00.png", "--to", "jsonl").out)
    assert line["label"] == "dark"
    assert sum(line["probs"].values()) == pytest.approx(1, abs=1e-5)
    rows = list(csv.DictReader(io.StringIO(winnow("predict", "shapes", shapes, "--to", "csv").out)))
    assert len(rows) == 60
    assert set(rows[0]) == {"source", "label", "prob", "prob_bright", "prob_dark", "error"}


def test_a_picture_that_cannot_be_read_costs_only_its_own_answer(winnow: Winnow, shapes: Path, tmp_path: Path):
    winnow("train", shapes, "--rungs", RUNGS)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG nothing")
    said = winnow("predict", "shapes", broken, shapes / "dark" / "01.png")
    assert said.code == 0
    assert f"{shapes / 'dark' / '01.png'}: dark" in said.out
    only = winnow("predict", "shapes", broken)
    assert only.code == 3
    assert "None of these pictures could be read" in only.err


def test_evaluate_shows_the_test_split_and_counts_no_second_opening(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS, "--no-test")
    first = json.loads(winnow("evaluate", "shapes", "--json").out)
    again = json.loads(winnow("evaluate", "shapes", "--json").out)
    assert first["openings"] == again["openings"] == {"count": 1, "opening": 1}


def test_evaluate_on_other_pictures_opens_nothing(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS, "--no-test")
    said = winnow("evaluate", "shapes", shapes, "--per-class", "--confusion")
    assert said.code == 0
    assert "Accuracy" in said.out
    assert json.loads(winnow("list", "--json").out)["datasets"][0]["test_openings"] == 0


def test_list_show_and_rm_follow_the_work(winnow: Winnow, shapes: Path):
    assert "is empty" in winnow("list").out
    winnow("train", shapes, "--rungs", RUNGS)
    assert "shapes@1" in winnow("list").out
    assert "Chosen:" in winnow("show", "shapes").out
    assert "freed" in winnow("rm", "shapes@1").out
    assert "version 1" in winnow("show", "shapes").out  # the dataset is still there
    winnow("rm", "shapes", "--force")
    assert json.loads(winnow("list", "--json").out)["datasets"] == []


def test_doctor_says_what_could_be_better(winnow: Winnow):
    said = winnow("doctor")
    assert said.code == 0
    assert "ok    workspace" in said.out
    assert "look  backbones: none at hand" in said.out


def test_nothing_that_is_typed_as_a_workspace_is_a_stack_trace(winnow: Winnow, tmp_path: Path):
    file = tmp_path / "a file"
    file.write_text("not a folder")
    said = winnow("list", "--workspace", file)
    assert said.code == 5
    assert str(file) in said.err
    assert "Traceback" not in said.err


def test_the_same_model_trained_again_shows_the_newest_report(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS, "--no-test")
    assert "Test split (opening" not in winnow("show", "shapes").out
    again = winnow("train", "shapes", "--rungs", RUNGS)
    assert "Test split (opening 1)" in again.out
    assert "Next: winnow predict shapes@1" in again.out
    closed = winnow("train", "shapes", "--rungs", RUNGS, "--no-test")
    assert "Test split (opening 1)" in closed.out  # what was once measured is not lost


def test_a_name_is_given_to_the_dataset_of_files_and_to_the_model(winnow: Winnow, shapes: Path):
    winnow("train", shapes, "--rungs", RUNGS, "--name", "light")
    found = json.loads(winnow("list", "--json").out)
    assert [one["name"] for one in found["datasets"]] == ["light"]
    assert [one["full_name"] for one in found["models"]] == ["light@1"]


def test_a_reader_who_has_seen_enough_is_no_fault(shapes: Path, tmp_path: Path):
    words = f"{sys.executable} -m winnow train {shapes} --rungs {RUNGS} --workspace {tmp_path}/w --json"
    done = subprocess.run(
        ["bash", "-c", f"{words} | head -c 1; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("words", [["--version"], ["--help"], ["nets", "--help"]])
def test_an_answer_that_a_full_disk_does_not_take_is_one_sentence(words: list[str]):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "winnow", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 5
    assert done.stderr == "winnow: The answer cannot be written (No space left on device): make room where it goes.\n"


def test_the_name_of_a_dataset_is_nothing_to_import(winnow: Winnow, shapes: Path):
    winnow("import", shapes, "--name", "shapes-of-mine")
    again = winnow("import", "shapes-of-mine")
    assert again.code == 4
    assert "There is no file or folder shapes-of-mine" in again.err
