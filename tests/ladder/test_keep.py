"""A finished rung is kept whole or not at all, and read back to the last bit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from winnow.errors import WorkspaceError
from winnow.ladder import keep
from winnow.ladder.keep import Kept, Shelf
from winnow.tasks.rung import Candidate, Epoch, LearningCurve

KEPT = Kept(
    Candidate(
        np.random.default_rng(0).random((7, 3), dtype=np.float32),
        b"\x00a graph\xff",
        1.25,
        {"C": 0.1, "features": "pixels", "trees": 100, "is_grey": True},
        (LearningCurve("all pictures", (Epoch({"loss": 1 / 3}, {"accuracy": 0.7}, 0.1), Epoch({}, {}, 0.0))),),
    ),
    seconds=0.1 + 0.2,
    joules=1 / 3,
)


def test_what_was_put_is_got_to_the_last_bit(tmp_path: Path):
    Shelf(tmp_path / "climb" / "rungs").put("features-lda", KEPT)
    found = Shelf(tmp_path / "climb" / "rungs").get("features-lda")
    assert found is not None
    assert found.candidate.predictions.tobytes() == KEPT.candidate.predictions.tobytes()
    assert found.candidate.predictions.dtype == np.float32
    assert found.candidate.graph == KEPT.candidate.graph
    assert (found.candidate.picture_ms, found.candidate.settings) == (1.25, KEPT.candidate.settings)
    assert found.candidate.curves == KEPT.candidate.curves
    assert (found.seconds, found.joules) == (KEPT.seconds, KEPT.joules)


def test_a_networks_weights_are_read_from_the_folder(tmp_path: Path):
    kept = replace(KEPT, candidate=replace(KEPT.candidate, weights=lambda: b"weights"))
    for found in (Shelf(tmp_path).put("small-net", kept), Shelf(tmp_path).get("small-net")):
        assert found is not None
        assert found.candidate.weights is not None
        assert found.candidate.weights() == b"weights"
    (tmp_path / "small-net.safetensors").write_bytes(b"other")
    assert Shelf(tmp_path).get("small-net") is None


def test_a_rung_kept_before_there_were_learning_curves_is_got_without(tmp_path: Path):
    Shelf(tmp_path).put("a", KEPT)
    facts = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    del facts["curves"]
    (tmp_path / "a.json").write_text(json.dumps(facts), encoding="utf-8")
    found = Shelf(tmp_path).get("a")
    assert found is not None
    assert found.candidate.curves == ()


def test_what_was_never_put_is_not_there(tmp_path: Path):
    assert Shelf(tmp_path).get("features-lda") is None


def test_only_whole_files_lie_in_the_folder(tmp_path: Path):
    Shelf(tmp_path).put("a", KEPT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.npz", "a.onnx"]


def test_a_kill_before_the_last_file_leaves_nothing_to_be_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write = keep.write_whole

    def killed_at_the_json(path: Path, data: bytes, *, is_durable: bool) -> None:
        assert is_durable
        if path.suffix == ".json":
            raise KeyboardInterrupt
        write(path, data, is_durable=is_durable)

    monkeypatch.setattr(keep, "write_whole", killed_at_the_json)
    with pytest.raises(KeyboardInterrupt):
        Shelf(tmp_path).put("a", KEPT)
    assert Shelf(tmp_path).get("a") is None


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"x"', "{}", '{"sha256": null}', '{"sha256": {".npz": "x"}}', "\x00"]
)
def test_a_json_of_another_shape_is_not_believed(tmp_path: Path, text: str):
    Shelf(tmp_path).put("a", KEPT)
    (tmp_path / "a.json").write_text(text)
    assert Shelf(tmp_path).get("a") is None


def test_files_of_another_run_under_the_same_name_are_not_believed(tmp_path: Path):
    Shelf(tmp_path).put("a", KEPT)
    Shelf(tmp_path / "other").put("a", Kept(Candidate(np.zeros((7, 3), np.float32), b"other", 1, {}), 1, 1))
    (tmp_path / "a.npz").write_bytes((tmp_path / "other" / "a.npz").read_bytes())
    assert Shelf(tmp_path).get("a") is None


def test_facts_are_plain_and_readable(tmp_path: Path):
    Shelf(tmp_path).put("a", KEPT)
    facts = json.loads((tmp_path / "a.json").read_text())
    assert facts.keys() == {"picture_ms", "settings", "curves", "seconds", "joules", "sha256"}


def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match=r"Cannot write .*a file stands where a folder is needed"):
        Shelf(tmp_path / "file" / "rungs")
    shelf = Shelf(tmp_path / "rungs")
    (tmp_path / "rungs").rmdir()
    with pytest.raises(WorkspaceError, match="Cannot write"):
        shelf.put("a", KEPT)
