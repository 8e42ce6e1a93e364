"""Removing: what was asked for is gone with its files, and nothing else is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from winnow.data.manifest import Manifest
from winnow.errors import NotFoundError, UserError
from winnow.workspace.workspace import Workspace

ManifestOf = Callable[..., Manifest]


def pictures(workspace: Workspace) -> list[str]:
    """The contents of all stored pictures, in order."""
    return sorted(workspace.blobs.read(content).decode() for content in workspace.blobs.contents())


def add_model(workspace: Workspace, digest: str) -> Path:
    """A model of the dataset "clouds"; returns its climb's folder."""
    climb = workspace.start_climb("clouds", 1, {})
    (climb.folder / "model").mkdir()
    (climb.folder / "model" / "model.onnx").write_text(digest)
    workspace.add_model(None, climb.id, "clouds", 1, digest, made_in=climb.folder / "model")
    workspace.finish_climb(climb.id, "finished")
    return climb.folder


def test_a_removed_dataset_is_gone_with_its_pictures(clouds: Workspace):
    removed = clouds.remove_dataset("clouds")
    assert removed.bytes > len("cirrus") + len("stratus")
    assert clouds.datasets() == []
    assert pictures(clouds) == []
    assert not (clouds.folder / "datasets" / "clouds").exists()


def test_pictures_that_another_dataset_uses_stay(clouds: Workspace, manifest_of: ManifestOf):
    clouds.add_dataset("sky", "")
    clouds.add_version("sky", manifest_of(clouds, "stratus", "sunset"), "imported")
    clouds.remove_dataset("clouds")
    assert pictures(clouds) == ["stratus", "sunset"]


def test_pictures_of_an_import_that_runs_now_stay_and_yesterdays_leftovers_go(clouds: Workspace, monkeypatch):
    clouds.blobs.put(b"being imported")
    two_days_ago = time.time() - 48 * 3600
    with monkeypatch.context() as yesterday:
        yesterday.setattr(time, "time", lambda: two_days_ago)
        clouds.blobs.put(b"left by a kill")
    clouds.remove_dataset("clouds")
    assert pictures(clouds) == ["being imported"]


def test_nothing_is_thrown_away_while_a_manifest_cannot_be_read(clouds: Workspace, manifest_of: ManifestOf):
    clouds.add_dataset("sky", "")
    clouds.add_version("sky", manifest_of(clouds, "sunset"), "imported")
    clouds.versions("sky")[0].path.write_bytes(b"damaged")
    clouds.remove_dataset("clouds")
    assert pictures(clouds) == ["cirrus", "stratus", "sunset"]


def test_a_dataset_with_models_is_kept_unless_forced(clouds: Workspace):
    add_model(clouds, "aa")
    add_model(clouds, "bb")
    with pytest.raises(UserError, match=r"still has 2 models \(clouds@1, clouds@2\).*--force"):
        clouds.remove_dataset("clouds")
    assert len(clouds.models()) == 2
    removed = clouds.remove_dataset("clouds", force=True)
    assert removed.models == ("clouds@1", "clouds@2")
    assert clouds.models() == []
    for part in ("datasets", "models", "climbs"):
        assert list((clouds.folder / part).iterdir()) == []


def test_a_removed_model_takes_its_climb_along_and_leaves_the_others(clouds: Workspace):
    first = add_model(clouds, "aa")
    second = add_model(clouds, "bb")
    assert clouds.remove_model("clouds@1").models == ("clouds@1",)
    assert not first.exists()
    assert second.exists()
    assert clouds.find_model("clouds").full_name == "clouds@2"


def test_the_bare_name_removes_all_its_models(clouds: Workspace):
    add_model(clouds, "aa")
    add_model(clouds, "bb")
    assert clouds.remove_model("clouds").models == ("clouds@1", "clouds@2")
    assert list((clouds.folder / "models").iterdir()) == []
    assert clouds.find_dataset("clouds").newest is not None


def test_removing_a_model_does_not_undo_the_looks_at_the_test_split(clouds: Workspace):
    add_model(clouds, "aa")
    clouds.record_opening("clouds", 1, "clouds@1", "aa")
    clouds.remove_model("clouds")
    assert clouds.record_opening("clouds", 1, "clouds@1", "bb").number == 2


def test_what_is_being_climbed_on_is_not_removed(clouds: Workspace):
    clouds.start_climb("clouds", 1, {})
    with Workspace.open(clouds.folder) as other, pytest.raises(UserError, match="running now"):
        other.remove_dataset("clouds", force=True)
    assert len(clouds.manifest("clouds")) == 2


def test_the_name_is_free_again(clouds: Workspace, manifest_of: ManifestOf):
    clouds.remove_dataset("clouds")
    clouds.add_dataset("clouds", "")
    assert clouds.add_version("clouds", manifest_of(clouds, "cumulus"), "imported") == 1


def test_a_name_that_is_not_there_gets_a_hint(clouds: Workspace):
    with pytest.raises(NotFoundError, match=r"Did you mean clouds\?"):
        clouds.remove_dataset("cloudz")
    with pytest.raises(NotFoundError, match="none yet"):
        clouds.remove_model("clouds")


def test_sizes_count_every_picture_once(clouds: Workspace, manifest_of: ManifestOf):
    before = clouds.dataset_bytes("clouds")
    clouds.add_version("clouds", manifest_of(clouds, "cirrus", "cumulus"), "changed", parent=1)
    manifest = clouds.versions("clouds")[1].path.stat().st_size
    assert clouds.dataset_bytes("clouds") == before + len("cumulus") + manifest
    assert clouds.cache_bytes() == 0
