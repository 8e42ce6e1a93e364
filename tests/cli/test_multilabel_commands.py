"""Pictures with several classes at a terminal: train, predict, evaluate."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import Winnow

RUNGS = "base-rates,pixels-logistic-regression"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures of 12 px, reddish or not and greenish or not, and a table that says so in one column."""
    folder = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(0)
    rows = [["path", "label"]]
    for number in range(60):
        is_red, is_green = rng.random(2) < 0.5
        level = np.array([60 + 120 * is_red, 60 + 120 * is_green, 60])
        pixels = np.clip(rng.normal(level, 25, (12, 12, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
        rows.append([f"{number:02}.png", json.dumps(["red"] * bool(is_red) + ["green"] * bool(is_green))])
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder / "labels.csv"


def test_train_chooses_by_map_and_says_what_next(winnow: Winnow, table: Path):
    said = winnow("train", table, "--rungs", RUNGS)
    assert said.code == 0
    assert "Chosen: pixels + logistic regression" in said.out
    assert "mAP" in said.out
    assert "Subset accuracy" in said.out
    assert "Next: winnow predict" in said.out


def test_predict_marks_the_classes_that_are_answered(winnow: Winnow, table: Path):
    winnow("train", table, "--rungs", RUNGS, "--name", "colours")
    lines = [json.loads(line) for line in winnow("predict", "colours", table.parent, "--json").out.splitlines()]
    assert len(lines) == 60
    both = next(line for line in lines if set(line["labels"]) == {"green", "red"})
    none = next(line for line in lines if not line["labels"])
    shown = winnow("predict", "colours", both["source"], none["source"], "--top", 1).out.splitlines()
    assert shown[0].count("*") == 2, "all that is answered is shown, however few were asked for"
    assert "*" not in shown[1].split(": ")[1]
    rows = list(csv.DictReader(io.StringIO(winnow("predict", "colours", table.parent, "--to", "csv").out)))
    assert list(rows[0]) == ["source", "labels", "prob_green", "prob_red", "error"]
    assert [row["labels"].split("|") if row["labels"] else [] for row in rows] == [line["labels"] for line in lines]


def test_evaluate_shows_thresholds_and_what_is_missed(winnow: Winnow, table: Path):
    winnow("train", table, "--rungs", RUNGS, "--name", "colours", "--no-test")
    said = winnow("evaluate", "colours", table, "--per-class", "--confusion").out
    for words in ("mAP", "Hamming loss (less is better)", "Called from", "Falsely called", "Missed"):
        assert words in said
    answer = json.loads(winnow("evaluate", "colours", "--json").out)
    assert answer["task"] == "multilabel"
    assert answer["openings"] == {"count": 1, "opening": 1}
    assert {one["name"] for one in answer["test"]["evaluation"]["per_class"]} == {"green", "red"}


def test_a_metric_of_the_other_task_is_told_with_the_right_ones(winnow: Winnow, table: Path):
    said = winnow("train", table, "--optimise", "accuracy")
    assert said.code == 4
    assert "'accuracy' is not made for pictures with any number of classes. Did you mean subset_accuracy?" in said.err
