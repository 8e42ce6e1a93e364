"""Suggestions: what to label next and what looks wrong, from a model that learns from the labels so far."""

from __future__ import annotations

from pathlib import Path

import pytest

import winnow
from graph.tiny import tiny_backbone
from winnow.api.dataset import Dataset
from winnow.api.suggesting import Pupil, suggest
from winnow.data.edits import Relabel
from winnow.errors import UserError
from winnow.events import tell_nobody
from winnow.graph import backbone as backbones


@pytest.fixture
def squares(photos: Path, tmp_path: Path) -> Dataset:
    data = winnow.load(photos, name="squares", workspace=tmp_path / "ws", tell=tell_nobody)
    tiny_backbone(data.workspace.backbones_folder / "tiny")
    return data


def test_the_most_uncertain_are_unlabelled_and_come_with_a_guess(squares: Dataset):
    sources = [example.source for example in squares.examples()]
    fewer = squares.edit([Relabel(dict.fromkeys(sources[5:30]))])
    found = suggest(fewer, how="uncertain", most=7)
    assert len(found) == 7
    assert {one.source for one in found} <= set(sources[5:30])
    assert all(one.labels is None and one.prob is not None and one.suggested for one in found)


def test_without_labels_there_is_still_something_to_ask(squares: Dataset):
    bare = squares.edit([Relabel({example.source: None for example in squares.examples()})])
    asked = suggest(bare, most=4)
    assert [(one.suggested, one.prob) for one in asked] == [((), None)] * 4
    assert len({one.source for one in asked}) == 4


def test_a_planted_wrong_label_looks_wrong_and_the_right_one_is_suggested(squares: Dataset):
    odd = squares.examples()[0]
    other = next(name for name in squares.classes if name != odd.label)
    (worst, *_) = suggest(squares.relabel({odd.source: other}), how="wrong", most=3)
    assert (worst.source, worst.labels, worst.suggested) == (odd.source, (other,), (odd.label,))


def test_a_pupil_says_nothing_of_what_it_has_not_seen(squares: Dataset):
    pupil = Pupil(squares.workspace, [example.content for example in squares.examples()])
    labels = [example.labels for example in squares.examples()]
    assert pupil.guess(0) is None
    pupil.look_on(block=20)
    assert pupil.n_seen == 20
    assert pupil.learn(labels) is not None
    assert sum(pupil.guess(row) is not None for row in range(60)) == 20
    pupil.look()
    pupil.learn(labels)
    assert all(pupil.guess(row) is not None for row in range(60))


def test_without_a_backbone_it_says_why(squares: Dataset):
    with pytest.raises(UserError, match="No backbone is at hand"):
        suggest(squares, backbone=backbones.NONE)


def test_an_unknown_way_is_refused_with_a_hint(squares: Dataset):
    with pytest.raises(UserError, match="Did you mean uncertain"):
        suggest(squares, how="uncertian")
