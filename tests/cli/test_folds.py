"""Folds for cross-validation elsewhere, as they are typed."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from terminal import Winnow


@pytest.fixture
def imported(winnow: Winnow, shapes: Path) -> Winnow:
    assert winnow("import", shapes).code == 0
    return winnow


def test_each_picture_to_learn_from_is_in_one_fold_of_each_repeat_and_classes_are_even(imported: Winnow):
    table = list(csv.DictReader(io.StringIO(imported("folds", "shapes", "--folds", 4, "--repeats", 2).out)))
    assert list(table[0]) == ["source", "content", "fold_1", "fold_2"]
    assert len(table) == 48  # the test split's 12 are in none
    for repeat in ("fold_1", "fold_2"):
        assert Counter((row["source"].split("/")[0], row[repeat]) for row in table) == Counter(
            {(label, str(fold)): 6 for label in ("bright", "dark") for fold in range(4)}
        )
    assert any(row["fold_1"] != row["fold_2"] for row in table)


def test_a_group_stays_together(imported: Winnow, tmp_path: Path, shapes: Path):
    folder = Path(shutil.copytree(shapes, tmp_path / "patients"))
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*.png"))]
    rows = [f"{path},{path.parent.name},{path.stem[1]}{path.parent.name}" for path in paths]
    (folder / "patients.csv").write_text("\n".join(["path,label,group", *rows]), encoding="utf-8")
    assert imported("import", folder / "patients.csv").code == 0
    table = json.loads(imported("folds", "patients", "--json").out)["pictures"]
    folds_of: dict[str, set[int]] = {}
    for row in table:
        path = Path(row["source"])
        folds_of.setdefault(path.parent.name + path.stem[1], set()).add(row["fold_1"])
    assert {len(folds) for folds in folds_of.values()} == {1}


def test_more_folds_than_pictures_are_refused(imported: Winnow):
    said = imported("folds", "shapes", "--folds", 100)
    assert said.code == 2
    assert "100 folds cannot be made of 48 independent examples" in said.err
