"""A model is a folder that predicts on its own, or says why it cannot."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import winnow
from winnow.api.model import Model
from winnow.errors import BadDataError, NotFoundError, UserError
from winnow.events import tell_nobody

from .squares import CLASSES, RUNGS, squares


@pytest.fixture
def folder(trained: Model, tmp_path: Path) -> Path:
    """The model alone, copied to a place without a workspace."""
    return shutil.copytree(trained.folder, tmp_path / "carried away")


def test_probabilities_add_up_and_are_sorted(trained: Model, photos: Path) -> None:
    for answer in trained.predict(photos):
        assert sum(answer.probs.values()) == pytest.approx(1, abs=1e-6)
        assert list(answer.probs.values()) == sorted(answer.probs.values(), reverse=True)
        assert answer.probs[str(answer.label)] == answer.prob


def test_the_two_ways_to_ask_agree(trained: Model) -> None:
    pictures, _ = squares(10)
    rows = trained.predict_proba(pictures)
    assert [[one.probs[name] for name in CLASSES] for one in trained.predict(pictures)] == rows.tolist()


def test_an_answer_is_plain_json(trained: Model) -> None:
    (answer,) = trained.predict(squares(1)[0])
    assert json.loads(json.dumps(answer.as_dict()))["label"] == "plain"


def test_it_is_opened_by_name_number_or_folder(trained: Model) -> None:
    workspace = trained.folder.parents[2]
    for name in ("photos", "PHOTOS", "photos@1", str(trained.folder), trained.folder):
        assert Model.open(name, workspace).digest == trained.digest


def test_an_unknown_name_names_the_nearest(trained: Model) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean photos\?"):
        Model.open("photo", trained.folder.parents[2])


def test_a_folder_without_a_model_is_said_to_hold_none(photos: Path) -> None:
    with pytest.raises(NotFoundError, match=r"No model lies in .*plain: a model is a folder with"):
        Model.open(str(photos / "plain"))


ALONE = """
import sys
import winnow
model = winnow.Model(sys.argv[1])
print([answer.label for answer in model.predict([sys.argv[2], sys.argv[3]])])
print(sorted({"sklearn", "torch", "sqlalchemy", "pydantic", "pyarrow"} & set(sys.modules)))
"""


def test_its_folder_predicts_without_workspace_scikit_learn_or_torch(folder: Path, photos: Path) -> None:
    pictures = [str(photos / "plain" / "000.png"), str(photos / "square" / "001.png")]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(folder), *pictures], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == ["['plain', 'square']", "[]"]


def test_it_predicts_after_its_workspace_is_gone(photos: Path, tmp_path: Path) -> None:
    model = winnow.train(photos, workspace=tmp_path / "workspace", rungs=RUNGS, tell=tell_nobody)
    shutil.copytree(model.folder, tmp_path / "kept")
    shutil.rmtree(tmp_path / "workspace")
    assert np.array_equal(Model(tmp_path / "kept").predict_proba(photos), model.predict_proba(photos))


def test_away_from_a_workspace_its_full_name_is_its_folder(trained: Model, folder: Path) -> None:
    assert trained.full_name == "photos@1"
    assert Model(folder).full_name == str(folder)


@pytest.mark.parametrize("number", [1, 2])
def test_a_model_of_an_older_winnow_is_found_predicts_and_is_evaluated(photos: Path, tmp_path: Path, number: int):
    made = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, open_test=False, tell=tell_nobody)
    answers = made.predict_proba(photos)
    facts = json.loads((made.folder / "winnow.json").read_text(encoding="utf-8"))
    for unknown_then in ("chain", "signature"):
        del facts[unknown_then]
    (made.folder / "model.json").write_text(json.dumps({**facts, "format": number}), encoding="utf-8")
    (made.folder / "winnow.json").unlink()
    (made.folder / "model.onnx").rename(made.folder / "graph.onnx")

    model = Model.open("photos", tmp_path)
    assert np.array_equal(model.predict_proba(photos), answers)
    assert winnow.evaluate(model, workspace=tmp_path).numbers.test is not None  # type: ignore[union-attr]
    assert Model.open(made.folder).report.numbers.test is not None
    assert not (made.folder / "winnow.json").exists()


def test_a_changed_graph_is_refused(folder: Path) -> None:
    graph = folder / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")
    with pytest.raises(BadDataError, match=r"is not the graph that winnow\.json names; copy the model again"):
        Model(folder)


def test_a_missing_graph_is_said(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    with pytest.raises(NotFoundError, match=r"has no model\.onnx"):
        Model(folder)


def test_a_model_of_a_newer_winnow_says_how_to_update(folder: Path) -> None:
    facts = json.loads((folder / "winnow.json").read_text(encoding="utf-8"))
    (folder / "winnow.json").write_text(json.dumps({**facts, "format": 99, "winnow_version": "7.1"}), encoding="utf-8")
    with pytest.raises(BadDataError, match=r"made by Winnow 7\.1, which is newer .* pip install --upgrade winnow"):
        Model(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": "one"}'])
def test_damaged_facts_are_told_as_such(folder: Path, text: str) -> None:
    (folder / "winnow.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadDataError, match=r"winnow\.json is damaged"):
        Model(folder)


def test_without_its_report_it_still_predicts(folder: Path, photos: Path) -> None:
    (folder / "report.json").unlink()
    model = Model(folder)
    assert model.predict(photos / "plain" / "000.png")[0].label == "plain"
    with pytest.raises(NotFoundError, match="There is no report"):
        _ = model.report


def test_a_directory_is_no_picture_file(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no picture"):
        trained.predict(tmp_path)


def test_too_few_judged_pictures_make_no_answer_sure(trained: Model, photos: Path):
    n = trained.report.numbers.judged.evaluation.n
    answer = trained.predict(next(photos.rglob("*.png")))[0]
    assert trained.is_sure(answer) == (trained.sure_from is not None and n >= 29)


def test_features_are_what_the_head_is_given(trained: Model, photos: Path):
    files = sorted(photos.rglob("*.png"))[:2]
    features = trained.features(files)
    assert len(features) == 2
    assert features.ndim == 2
