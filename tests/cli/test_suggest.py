"""Suggestions as they are typed."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

from terminal import Winnow

from winnow.graph.backbone import Backbone


def test_pictures_to_look_at_come_as_a_table_or_in_json(winnow: Winnow, shapes: Path, embedded_backbone: Backbone):
    assert winnow("import", shapes).code == 0
    table = list(csv.DictReader(io.StringIO(winnow("suggest", "shapes", "--how", "typical", "--most", 3).out)))
    assert list(table[0]) == ["source", "labels", "suggested", "probability"]
    assert [row["suggested"] for row in table] == [row["source"].split("/")[0] for row in table]
    found = json.loads(winnow("suggest", "shapes", "--json").out)
    assert (found["how"], found["pictures"]) == ("useful", [])  # every picture has a label


def test_no_spreadsheet_runs_a_pictures_name(winnow: Winnow, shapes: Path, tmp_path: Path, embedded_backbone: Backbone):
    photos = tmp_path / "shapes"
    shutil.copytree(shapes, photos)
    (photos / "=evil").mkdir()
    sorted(photos.rglob("*.png"))[0].rename(photos / "=evil" / "1.png")
    assert winnow("import", photos).code == 0
    table = csv.DictReader(io.StringIO(winnow("suggest", "shapes", "--how", "typical").out))
    assert {row["source"]: row["labels"] for row in table}["'=evil/1.png"] == "'=evil"


def test_an_unknown_way_is_refused(winnow: Winnow, shapes: Path):
    assert winnow("import", shapes).code == 0
    assert "Choose useful, uncertain, typical, wrong" in winnow("suggest", "shapes", "--how", "odd").err
