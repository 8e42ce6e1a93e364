"""What a person can mend is said in one sentence."""

from __future__ import annotations

import pytest

from winnow.errors import (
    BadDataError,
    MissingExtraError,
    NotFoundError,
    UserError,
    WorkspaceError,
    did_you_mean,
    need,
)


def test_all_that_can_be_mended_is_caught_at_once():
    for kind in (BadDataError, NotFoundError, WorkspaceError, MissingExtraError):
        assert issubclass(kind, UserError)


def test_the_nearest_names_are_offered():
    known = ["pixels-svm", "hog-svm", "features-lda"]
    assert did_you_mean("pixel-svm", known).startswith("Did you mean pixels-svm")
    assert did_you_mean("features-lad", known) == "Did you mean features-lda?"


def test_where_nothing_is_near_the_known_names_are_said():
    assert did_you_mean("zzz", ["a", "b"], otherwise="Known: a, b.") == "Known: a, b."
    assert did_you_mean("zzz", []) == ""


def test_at_most_three_names_are_offered():
    assert did_you_mean("name", [f"name{i}" for i in range(9)]).count("name") == 3


def test_a_part_that_is_installed_is_given():
    assert need("json", extra="deep", to="read JSON").loads("[1]") == [1]


def test_a_missing_part_says_what_to_type():
    expected = (
        r"To train a network, install the extra 'deep': pip install 'winnow\[deep\]' \(no_such_module is missing\)"
    )
    with pytest.raises(MissingExtraError, match=expected):
        need("no_such_module", extra="deep", to="train a network")
