"""Openings of the test split: each look counts, once a model, over all versions of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from winnow.data.manifest import Manifest
from winnow.errors import NotFoundError
from winnow.workspace.records import Opening
from winnow.workspace.workspace import Workspace


def test_the_first_look_is_number_1_of_1(clouds: Workspace):
    assert clouds.record_opening("clouds", 1, "clouds@1", "aa") == Opening(number=1, count=1, is_new=True)
    assert clouds.find_dataset("clouds").openings == 1


def test_another_model_is_another_look(clouds: Workspace):
    clouds.record_opening("clouds", 1, "clouds@1", "aa")
    assert clouds.record_opening("clouds", 1, "clouds@2", "bb") == Opening(number=2, count=2, is_new=True)


def test_measuring_the_same_model_again_shows_nothing_new_and_is_not_counted(clouds: Workspace):
    clouds.record_opening("clouds", 1, "clouds@1", "aa")
    clouds.record_opening("clouds", 1, "clouds@2", "bb")
    assert clouds.record_opening("clouds", 1, "clouds@1", "aa") == Opening(number=1, count=2, is_new=False)


def test_versions_of_one_dataset_share_the_count(clouds: Workspace, manifest_of: Callable[..., Manifest]):
    clouds.record_opening("clouds", 1, "clouds@1", "aa")
    clouds.add_version("clouds", manifest_of(clouds, "cumulus"), "more", parent=1)
    assert clouds.record_opening("clouds", 2, "clouds@1", "aa").count == 2


def test_datasets_do_not_share_the_count(clouds: Workspace):
    clouds.record_opening("clouds", 1, "clouds@1", "aa")
    clouds.add_dataset("flowers", "")
    assert clouds.record_opening("flowers", 1, "flowers@1", "bb").number == 1


def test_looks_at_the_same_moment_get_different_numbers(clouds: Workspace):
    def look(place: int) -> int:
        return clouds.record_opening("clouds", 1, f"clouds@{place}", f"{place}").number

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(look, range(8))) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_an_unknown_dataset_has_no_test_split(workspace: Workspace):
    with pytest.raises(NotFoundError):
        workspace.record_opening("clouds", 1, "clouds@1", "aa")
