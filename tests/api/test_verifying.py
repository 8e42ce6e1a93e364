"""A model's chain: what holds, and what is said once somebody touched it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nacl.signing import SigningKey as Ed25519

import winnow
from winnow.api.chain import canonical, read_document
from winnow.api.model import Model
from winnow.api.tasks import climb_ladder
from winnow.api.verifying import Verification, verify
from winnow.errors import NotFoundError, UserError
from winnow.events import tell_nobody
from winnow.ladder.climb import Outcome
from winnow.tasks.predictor import FACTS, GRAPH, WEIGHTS
from winnow.workspace.workspace import Workspace

from .squares import RUNGS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(trained: Model, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.folder, tmp_path / "carried away"))


@pytest.fixture
def home(trained: Model) -> Path:
    return trained.folder.parents[2]


def said(found: Verification, name: str) -> tuple[str, str]:
    return next((link.state, link.sentence) for link in found.links if link.name == name)


def change(folder: Path, with_values: Callable[[dict[str, Any]], None]) -> None:
    values = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    with_values(values)
    (folder / FACTS).write_text(json.dumps(values), encoding="utf-8")


def test_a_model_in_its_workspace_is_proven(trained: Model):
    found = verify(trained.folder)
    assert [(link.name, link.state) for link in found.links] == [
        ("dataset", "holds"),
        ("climb", "holds"),
        ("files", "holds"),
        ("signature", "holds"),
        ("key", "holds"),
    ]
    assert found.is_proven
    assert re.search(rf"signed by the key of the workspace \S+, {found.fingerprint}", said(found, "key")[1])
    assert "'photos'" in said(found, "dataset")[1]


def test_every_file_of_the_folder_is_named(trained: Model):
    links = read_document(trained.folder)["chain"]
    assert set(links[2]["files"]) == {path.name for path in trained.folder.iterdir()} - {FACTS}
    assert links[0]["digest"] == trained.report.numbers.dataset.digest
    assert links[1]["id"] == trained.report.numbers.climb.id


def test_the_weights_of_a_network_lie_beside_its_graph_and_are_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def with_weights(*args: Any, **kwargs: Any) -> Outcome:
        outcome = climb_ladder(*args, **kwargs)
        assert outcome.chosen.candidate is not None
        outcome.chosen.candidate = replace(outcome.chosen.candidate, weights=lambda: b"of a network")
        return outcome

    monkeypatch.setattr("winnow.api.training.climb_ladder", with_weights)
    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody)
    assert (model.folder / WEIGHTS).read_bytes() == b"of a network"
    named = read_document(model.folder)["chain"][2]["files"]
    assert named[WEIGHTS] == hashlib.sha256(b"of a network").hexdigest()


def test_the_key_is_for_its_owner_alone_and_nowhere_in_the_model(trained: Model, home: Path):
    key = home / "signing.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = key.read_text().strip()
    assert len(bytes.fromhex(secret)) == 32
    assert all(secret.encode() not in path.read_bytes() for path in trained.folder.iterdir())


def test_elsewhere_the_key_has_to_be_given(folder: Path, trained: Model, tmp_path: Path):
    found = verify(folder)
    state, sentence = said(found, "key")
    assert (state, found.is_proven) == ("unknown", False)
    assert "ask the maker, by another way than the one on which the model came, whether" in sentence
    assert sentence.endswith(f"verify with --key {found.fingerprint}.")
    assert said(found, "dataset")[0] == "unknown"

    public = tmp_path / "key.txt"
    public.write_text(read_document(folder)["signature"]["public_key"])
    for key in (str(found.fingerprint), f" {found.fingerprint}".upper(), public, trained.folder / FACTS):
        assert verify(folder, key=key).is_proven
    other = verify(folder, key="0" * 32)
    assert said(other, "key")[0] == "broken"
    assert "somebody else signed it" in said(other, "key")[1]


@pytest.mark.parametrize("key", ["abc", "", "nowhere.txt", "x" * 32])
def test_what_is_no_key_is_refused(folder: Path, key: str):
    with pytest.raises(UserError, match=r"is no key: give the 32 hex digits of a fingerprint"):
        verify(folder, key=key)


@pytest.mark.parametrize(
    ("touch", "expected"),
    [
        (lambda folder: (folder / "report.json").write_text("{}"), "changed: 'report.json'"),
        (lambda folder: (folder / "judged.npz").unlink(), "missing: 'judged.npz'"),
        (lambda folder: (folder / "run_me.py").write_text("1"), "extra: 'run_me.py'"),
        (lambda folder: (folder / "test.npz").rename(folder / "t.npz"), "missing: 'test.npz'; extra: 't.npz'"),
        (lambda folder: (folder / GRAPH).write_bytes(b"\x80\x04N."), "changed: 'model.onnx'"),
    ],
)
def test_it_says_which_file_is_not_as_it_was(folder: Path, home: Path, touch: Callable[[Path], object], expected: str):
    touch(folder)
    found = verify(folder, workspace=home)
    assert not found.is_proven
    assert said(found, "files") == ("broken", f"Not as it was signed: {expected}. Get the folder again, whole.")
    assert said(found, "signature")[0] == "holds"


def test_a_link_in_place_of_a_file_is_not_that_file(folder: Path, tmp_path: Path):
    (folder / GRAPH).rename(tmp_path / GRAPH)
    (folder / GRAPH).symlink_to(tmp_path / GRAPH)
    assert "changed: 'model.onnx'" in said(verify(folder), "files")[1]


def test_no_word_of_the_facts_can_be_changed(folder: Path, home: Path):
    change(folder, lambda values: values.update(classes=["square", "plain"]))
    found = verify(folder, workspace=home)
    assert not found.is_proven
    assert said(found, "signature") == (
        "broken",
        "The signature does not fit winnow.json: somebody changed what it says. Get the folder again, whole.",
    )
    assert found.fingerprint is None


def test_a_link_that_was_changed_is_known_though_it_was_signed_again(folder: Path):
    def forge(values: dict[str, Any]) -> None:
        values["chain"][0]["version"] = 7
        del values["signature"]
        key = Ed25519(b"1" * 32)
        signature = key.sign(canonical(values)).signature.hex()
        values["signature"] = {
            "algorithm": "ed25519",
            "public_key": bytes(key.verify_key).hex(),
            "value": signature,
        }

    change(folder, forge)
    found = verify(folder)
    assert said(found, "signature")[0] == "holds"
    assert said(found, "climb")[0] == "broken"
    assert said(found, "key")[0] == "unknown"


def test_another_dataset_version_in_the_workspace_is_said(folder: Path, photos: Path, tmp_path: Path):
    pictures = Path(shutil.copytree(photos, tmp_path / "photos"))
    next(pictures.rglob("*.png")).unlink()
    with Workspace.open(tmp_path / "other") as other:
        winnow.load(pictures, name="photos", workspace=other, tell=tell_nobody)
        found = verify(folder, workspace=other)
    assert said(found, "dataset")[0] == "broken"
    assert "the one in this workspace is another" in said(found, "dataset")[1]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{", "signature"),
        ("[]", "signature"),
        ('{"format": 3, "sha256": NaN}', "signature"),
        (
            '{"chain": [{"link": "dataset", "x": 1e999}, {"link": "climb"}, {"link": "model", "files": {}}]}',
            "signature",
        ),
        (
            r'{"chain": [{"link": "dataset", "name": "\ud800"}, {"link": "climb"}, {"link": "model", "files": {}}]}',
            "signature",
        ),
        ('{"signature": {"public_key": "", "value": ""}, "deep": ' + "[" * 989 + "]" * 989 + "}", "signature"),
        ('{"format": 3}', "signature"),
        ('{"format": 3, "chain": [1, 2, 3]}', "signature"),
        ('{"chain": [{"link": "dataset"}, {"link": "climb"}, {"link": "model", "files": {}}]}', "files"),
        (
            '{"chain": [{"link": "dataset"}, {"link": "climb"}, {"link": "model", "files": {"../../x": 1}}], '
            '"signature": {"algorithm": "ed25519", "public_key": "00", "value": 1}}',
            "signature",
        ),
    ],
)
def test_whatever_the_file_says_there_is_an_answer(folder: Path, text: str, name: str):
    (folder / FACTS).write_text(text, encoding="utf-8")
    found = verify(folder)
    assert not found.is_proven
    assert said(found, name)[0] == "broken"


def test_a_model_of_an_older_winnow_says_that_nothing_is_signed(folder: Path):
    (folder / FACTS).rename(folder / "model.json")
    (folder / GRAPH).rename(folder / "graph.onnx")
    found = verify(folder)
    assert not found.is_proven
    assert "made by an older Winnow, which signed nothing" in found.links[0].sentence


def test_no_model_is_told_from_a_broken_one(tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"No model lies in .* a folder with model\.onnx and winnow\.json"):
        verify(tmp_path)


def test_opening_the_test_split_signs_anew_and_hides_no_earlier_change(photos: Path, tmp_path: Path):
    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, open_test=False, tell=tell_nobody)
    before = read_document(model.folder)["chain"][2]["files"]
    winnow.evaluate(model, tell=tell_nobody)
    after = read_document(model.folder)["chain"][2]["files"]
    assert verify(model.folder).is_proven
    assert set(after) - set(before) == {"test.npz"}
    assert after["report.json"] != before["report.json"]
    assert after[GRAPH] == before[GRAPH]

    again = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody)  # the very same model
    assert again.folder == model.folder
    assert verify(model.folder).is_proven


def test_a_change_made_before_the_test_split_was_opened_stays_known(photos: Path, tmp_path: Path):
    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, open_test=False, tell=tell_nobody)
    (model.folder / "judged.npz").write_bytes(b"other")
    winnow.evaluate(model, tell=tell_nobody)
    found = verify(model.folder)
    assert said(found, "signature")[0] == "holds"
    assert "changed: 'judged.npz'." in said(found, "files")[1]


def test_the_lines_in_the_manual_verify_a_model_without_winnow(trained: Model, folder: Path, tmp_path: Path):
    page = (ROOT / "docs/model-folder.md").read_text(encoding="utf-8")
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "VerifyKey" in code]
    script = tmp_path / "verify.py"
    script.write_text(code, encoding="utf-8")
    fingerprint = str(verify(trained.folder).fingerprint)

    def answer() -> str:
        command = [sys.executable, "-I", str(script), str(folder), fingerprint]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr

    assert answer() == ""
    (folder / "report.html").write_text("other")
    assert "the files are others" in answer()


def test_a_signed_number_is_read_back_to_the_last_digit():
    rng = np.random.default_rng(0)
    values = {"thresholds": [*rng.random(1000).tolist(), 1e-300, 1 / 3, 1e22]}
    assert canonical(json.loads(json.dumps(values, indent=1))) == canonical(values)
