"""`winnow verify` follows an export back to its model, climb and dataset version, until somebody touches it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from winnow.api.model import Model
from winnow.api.model_exports import MODEL_EXPORTS
from winnow.api.model_exports.proof import PROOF
from winnow.api.model_exports.writing import ExportedModel
from winnow.api.verification import Verification
from winnow.api.verifying import verify
from winnow.tasks.predictor import FACTS
from winnow.workspace.workspace import Workspace


@pytest.fixture
def home(trained: Model) -> Path:
    return trained.folder.parents[2]


@pytest.fixture
def copy(exported: Callable[[str], ExportedModel], tmp_path: Path) -> Path:
    """The standalone folder, to be touched."""
    return Path(shutil.copytree(exported("standalone").path, tmp_path / "copy"))


def states(found: Verification) -> list[tuple[str, str]]:
    return [(link.name, link.state) for link in found.links]


def said(found: Verification, name: str) -> tuple[str, str]:
    return next((link.state, link.sentence) for link in found.links if link.name == name)


def change(file: Path, with_values: Callable[[dict[str, Any]], object]) -> None:
    values = json.loads(file.read_text(encoding="utf-8"))
    with_values(values)
    file.write_text(json.dumps(values), encoding="utf-8")


# A model of plain pixels has nothing to store in 8 bits.
@pytest.mark.parametrize("to", [form.name for form in MODEL_EXPORTS if form.name != "int8"])
def test_every_export_of_a_signed_model_is_proven(
    exported: Callable[[str], ExportedModel], trained: Model, home: Path, to: str
):
    found = verify(exported(to).path, workspace=home)
    names = ("dataset", "climb", "export", "files", "signature", "key")
    assert states(found) == [(name, "holds") for name in names]
    assert found.is_proven
    assert found.fingerprint == verify(trained.folder).fingerprint
    assert f"'{trained.full_name}' was exported as '{to}'" in said(found, "export")[1]
    assert "'photos'" in said(found, "dataset")[1]


@pytest.mark.parametrize(
    ("touch", "broken", "sentence"),
    [
        (lambda folder: (folder / "predict.py").write_text("evil"), {"files"}, "changed: 'predict.py'"),
        (lambda folder: (folder / "README.md").unlink(), {"files"}, "missing: 'README.md'"),
        (lambda folder: (folder / "more.txt").touch(), {"files"}, "extra: 'more.txt'"),
        (lambda folder: (folder / "more").symlink_to("/"), {"files"}, "extra: 'more'"),
        (
            lambda folder: change(folder / "proof.json", lambda proof: proof["files"].update({"predict.py": "0" * 64})),
            {"export", "files"},
            "is not the one that was signed",
        ),
        (lambda folder: (folder / "proof.json").unlink(), {"export", "files"}, "proof.json is missing"),
        (
            lambda folder: change(folder / "origin.json", lambda origin: origin["export"].update({"form": "onnx"})),
            {"signature"},
            "signature of the export does not fit",
        ),
        (
            lambda folder: change(folder / "origin.json", lambda origin: origin["model"].update({"name": "mine"})),
            {"signature"},
            "signature of the model does not fit",
        ),
        (
            lambda folder: change(
                folder / "origin.json", lambda origin: origin["model"]["chain"][0].update({"name": "other"})
            ),
            {"climb", "signature"},
            "a link does not hold the hash",
        ),
        (
            lambda folder: change(
                folder / "origin.json", lambda origin: origin["model"]["chain"][2].update({"graph": "0" * 64})
            ),
            {"export", "signature"},
            "the export does not hold the hash of the model's link",
        ),
        (lambda folder: (folder / "origin.json").write_text("[]"), {"signature"}, "is damaged"),
        (lambda folder: (folder / "origin.json").write_text("{}"), {"signature"}, "names no chain"),
    ],
)
def test_what_was_touched_is_told(
    copy: Path, home: Path, touch: Callable[[Path], object], broken: set[str], sentence: str
):
    touch(copy)
    found = verify(copy, workspace=home)
    assert {link.name for link in found.links if link.state == "broken"} == broken
    assert sentence in " ".join(link.sentence for link in found.links)
    assert not found.is_proven


def test_one_may_make_a_model_and_another_export_it(trained: Model, photos: Path, tmp_path: Path):
    carried = Path(shutil.copytree(trained.folder, tmp_path / "carried"))
    with Workspace.open(tmp_path / "other"):
        pass
    out = Model.open(carried).export(tmp_path / "out", pictures=photos, workspace=tmp_path / "other").path
    makers, unasked = verify(trained.folder).fingerprint, verify(out, workspace=tmp_path / "other")
    assert makers is not None
    assert makers != unasked.fingerprint
    assert [link.state for link in unasked.links if link.name == "key"] == ["unknown", "holds"]
    assert verify(out, key=makers, workspace=tmp_path / "other").is_proven
    assert not verify(out, key="0" * 32, workspace=tmp_path / "other").is_proven


def test_a_key_that_came_with_an_export_proves_nothing(
    copy: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WINNOW_WORKSPACE", str(tmp_path / "mine"))
    theirs = tmp_path / "theirs"
    with Workspace.open(theirs):
        shutil.copy(home / "signing.key", theirs)
    found = verify(shutil.move(copy, theirs / "models" / "clouds" / "1"))
    assert said(found, "key")[0] == "unknown"
    assert not found.is_proven


def test_a_model_that_nobody_signed_leaves_without_an_origin(trained: Model, photos: Path, tmp_path: Path):
    unsigned = Path(shutil.copytree(trained.folder, tmp_path / "unsigned"))
    change(unsigned / FACTS, lambda facts: facts.pop("signature"))
    out = Model.open(unsigned).export(tmp_path / "out", pictures=photos).path
    assert not (out / "origin.json").exists()
    assert not verify(out).is_proven


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_the_proof_is_not_waited_for(copy: Path, home: Path):
    (copy / PROOF).unlink()
    os.mkfifo(copy / PROOF)
    assert said(verify(copy, workspace=home), "export")[0] == "broken"
