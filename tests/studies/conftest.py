"""What the tests of studies share: few pictures, so that each takes a moment."""

from __future__ import annotations

import pytest
import torch

from winnow.studies.pictures import StudyPictures, digits


@pytest.fixture(scope="session")
def few_digits() -> StudyPictures:
    """300 of the embedded digits."""
    torch.set_num_threads(1)
    return digits().at_most(300)
