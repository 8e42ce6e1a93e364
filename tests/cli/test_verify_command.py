"""`winnow verify`: what a script may rely on, and what a person reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from terminal import Winnow


def test_a_model_is_proven_until_somebody_touches_it(winnow: Winnow, shapes: Path, tmp_path: Path):
    assert winnow("train", shapes, "--name", "shapes", "--rungs", "commonest-class").code == 0
    said = winnow("verify", "shapes")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()[:-1]] == ["ok"] * 5
    assert said.out.splitlines()[-1].endswith("models/shapes/1: proven")

    found = json.loads(winnow("verify", "shapes", "--json").out)
    assert found["is_proven"]
    copy = Path(shutil.copytree(found["folder"], tmp_path / "copy"))
    assert winnow("verify", copy, "--key", found["fingerprint"]).code == 0
    assert winnow("verify", copy, "--key", "0" * 32).code == 3

    (copy / "report.json").write_text("{}")
    said = winnow("verify", copy)
    assert said.code == 3
    assert "BROKEN   files      Not as it was signed: changed: 'report.json'." in said.out
    assert not json.loads(winnow("verify", copy, "--json").out)["is_proven"]


def test_a_model_that_is_not_there_is_told(winnow: Winnow):
    said = winnow("verify", "nobody")
    assert said.code == 4
    assert "No model is called 'nobody'" in said.err
