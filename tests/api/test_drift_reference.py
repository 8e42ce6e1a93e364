"""A model carries what its pictures were like, and it is what a server measures of the same pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from winnow.api.drift_reference import DRIFT, read_reference
from winnow.api.model import Model
from winnow.data.decode import decode
from winnow.data.inputs import to_input
from winnow.data.picture_summary import summary_of
from winnow.errors import BadDataError
from winnow.metrics.drift import MEASURES
from winnow.tasks.predictor import ModelFacts


def test_a_climb_leaves_the_means_of_its_own_pictures(trained: Model, photos: Path) -> None:
    reference, spec = read_reference(trained.folder), ModelFacts.read(trained.folder).input_spec
    rows = []
    for file in sorted(photos.rglob("*.png")):
        picture = decode(file.read_bytes(), at_least_px=spec.side_px)
        rows.append(summary_of(to_input(picture.pixels, spec), *picture.full_size))
    for measure, mean, spread in zip(MEASURES, np.mean(rows, axis=0), np.std(rows, axis=0), strict=True):
        # Of all 60 pictures here; those of the test split are not among the model's.
        assert reference.numbers[measure.name].mean == pytest.approx(mean, abs=float(0.5 * spread) + 1e-6)
    assert reference.numbers["size"].mean == 3
    assert len(reference.classes.places) == len(trained.classes)


def test_one_of_a_newer_winnow_is_refused(tmp_path: Path) -> None:
    (tmp_path / DRIFT).write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(BadDataError, match="newer Winnow"):
        read_reference(tmp_path)
