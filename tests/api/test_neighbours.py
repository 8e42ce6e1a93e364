"""The training pictures nearest to a picture: found by the model's own features, and said when they cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import winnow
from winnow.api.dataset import Dataset
from winnow.api.model import Model
from winnow.api.neighbours import TrainingPictures, nearest_training_pictures
from winnow.errors import UserError
from winnow.events import tell_nobody
from winnow.workspace.workspace import Workspace

from .squares import squares, write_squares


def training_example(model: Model):
    with Workspace.open(model.folder.parents[2]) as home:
        example = Dataset(home, model.report.numbers.dataset.name, 1).examples("train")[0]
        return example, home.blobs.read(example.content)


def test_a_training_picture_is_nearest_to_itself(trained: Model):
    example, file = training_example(trained)
    first, *others = nearest_training_pictures(trained, file)
    assert first.content == example.content
    assert first.labels == example.labels
    assert first.similarity == pytest.approx(1)
    assert [one.similarity for one in others] == sorted((one.similarity for one in others), reverse=True)


def test_similarity_is_the_cosine_of_the_centred_features(trained: Model):
    picture = squares(2, seed=9)[0][1]
    features = trained.features(picture)[0]
    with Workspace.open(trained.folder.parents[2]) as home:
        data = Dataset(home, trained.report.numbers.dataset.name, 1)
        files = {one.content: home.blobs.read(one.content) for one in data.examples("train")}
    rows = dict(zip(files, trained.features(list(files.values())), strict=True))
    mean = np.mean(list(rows.values()), axis=0)
    for one in nearest_training_pictures(trained, picture, k=3):
        a, b = features - mean, rows[one.content] - mean
        assert one.similarity == pytest.approx(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), abs=1e-4)


def test_the_backbone_s_rows_of_the_climb_are_not_computed_again(tmp_path: Path, embedded_backbone: object):
    model = winnow.train(
        write_squares(tmp_path / "photos", 40),
        workspace=tmp_path / "workspace",
        rungs=["features-nearest-mean"],
        tell=tell_nobody,
    )
    cached = tmp_path / "workspace" / "cache" / "features"
    before = {path.name for path in cached.iterdir()}
    _, file = training_example(model)
    assert nearest_training_pictures(model, file)[0].similarity == pytest.approx(1, abs=1e-3)
    assert {path.name for path in cached.iterdir()} == before


def test_a_model_far_from_its_dataset_says_so(trained: Model, tmp_path: Path):
    shutil.copytree(trained.folder, tmp_path / "away")
    with pytest.raises(UserError, match="not at hand"):
        TrainingPictures.of(Model(tmp_path / "away"))


def test_one_picture_at_a_time(trained: Model):
    with pytest.raises(UserError, match="one at a time"):
        nearest_training_pictures(trained, list(squares(2)[0]))
