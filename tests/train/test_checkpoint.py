from __future__ import annotations

from pathlib import Path

import pytest
import torch

from winnow.events import Event, Note, tell_nobody
from winnow.train import checkpoint
from winnow.train.checkpoint import Saved


def saved(number: float) -> Saved:
    return Saved({"w": torch.full((2, 3), number)}, {"number": number, "names": ["a", None]})


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    last = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    tied = torch.randn(5)
    half = torch.randn(3).bfloat16()
    tensors = {"last": last, "tied": tied, "again": tied, "half": half, "count": torch.tensor(3)}
    checkpoint.save(tmp_path / "new" / "folder", 7, Saved(tensors, {"a": [1.5, float("inf")], "b": {"c": None}}))

    found = checkpoint.load(tmp_path / "new" / "folder", tell_nobody)
    assert found is not None
    assert found.facts == {"a": [1.5, float("inf")], "b": {"c": None}}
    assert found.tensors.keys() == tensors.keys()
    assert all(torch.equal(found.tensors[name], tensors[name]) for name in tensors)
    assert found.tensors["half"].dtype == torch.bfloat16


def test_an_empty_or_missing_folder_holds_nothing(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path, tell_nobody) is None
    assert checkpoint.load(tmp_path / "nowhere", tell_nobody) is None


def test_the_last_two_are_kept_and_the_newest_is_found(tmp_path: Path) -> None:
    for step in (1, 2, 9, 10):
        checkpoint.save(tmp_path, step, saved(step))
    assert sorted(int(path.name.split(".")[0]) for path in tmp_path.iterdir()) == [9, 10]
    found = checkpoint.load(tmp_path, tell_nobody)
    assert found is not None
    assert found.facts["number"] == 10


@pytest.mark.parametrize("how", ["cut", "bit", "empty"])
def test_a_damaged_newest_one_is_passed_over_for_the_one_before(tmp_path: Path, how: str) -> None:
    checkpoint.save(tmp_path, 1, saved(1))
    newest = checkpoint.save(tmp_path, 2, saved(2))
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes({"cut": bytes(content[:-5]), "bit": bytes(content), "empty": b""}[how])

    heard: list[Event] = []
    found = checkpoint.load(tmp_path, heard.append)
    assert found is not None
    assert found.facts["number"] == 1
    assert [type(event) for event in heard] == [Note]
    assert "damaged" in str(heard[0])


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path, 1, saved(1))

    def broken(_: int) -> None:
        raise OSError(5, "the disk gave up")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="gave up"):
        checkpoint.save(tmp_path, 2, saved(2))
    assert [path.name[:12] for path in tmp_path.iterdir()] == ["000000000001"]


def test_the_rest_of_a_killed_write_is_no_checkpoint_and_goes(tmp_path: Path) -> None:
    (tmp_path / "draft.part").write_bytes(b"half")
    (tmp_path / "notes.safetensors").write_bytes(b"of somebody else")
    assert checkpoint.load(tmp_path, tell_nobody) is None
    checkpoint.save(tmp_path, 1, saved(1))
    assert not (tmp_path / "draft.part").exists()
    assert (tmp_path / "notes.safetensors").exists()


def test_the_same_step_saved_again_is_the_newest(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 3, saved(1))
    checkpoint.save(tmp_path, 3, saved(2))
    found = checkpoint.load(tmp_path, tell_nobody)
    assert found is not None
    assert found.facts["number"] == 2
