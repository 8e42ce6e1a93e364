"""What the tests of studies share: few pictures, so that each takes a moment."""

from __future__ import annotations

import pytest
import torch

from winnow.studies.pictures import StudyPictures, digits


@pytest.fixture(scope="session")
def few_digits() -> StudyPictures:
    """The first 300 of the embedded digits."""
    torch.set_num_threads(1)
    all_, few = digits(), slice(300)
    return StudyPictures("a few digits", all_.pixels[few], all_.labels[few], 10, all_.is_judged[few])
