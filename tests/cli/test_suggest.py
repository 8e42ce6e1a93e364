"""Suggestions as they are typed."""

from __future__ import annotations

import csv
import io
import json
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


def test_an_unknown_way_is_refused(winnow: Winnow, shapes: Path):
    assert winnow("import", shapes).code == 0
    assert "Choose useful, uncertain, typical, wrong" in winnow("suggest", "shapes", "--how", "odd").err
