"""The studies there are, by name. To add one, write its file and add its line.

Other packages add studies through the entry-point group `winnow.studies`; each names a `Study`.
"""

from __future__ import annotations

from winnow.errors import NotFoundError, did_you_mean
from winnow.installed import with_installed
from winnow.studies import (
    activations,
    cut_at_layer,
    dropout,
    initialisation,
    momentum,
    normalisation,
    optimisers,
    pooling,
    transfer_or_scratch,
    xor,
)
from winnow.studies.study import Study

ENTRY_POINTS = "winnow.studies"

_OURS: tuple[Study, ...] = (
    xor.STUDY,
    activations.STUDY,
    initialisation.STUDY,
    normalisation.STUDY,
    dropout.STUDY,
    pooling.STUDY,
    momentum.STUDY,
    optimisers.STUDY,
    cut_at_layer.STUDY,
    transfer_or_scratch.STUDY,
)


def all_studies() -> tuple[Study, ...]:
    """Our studies, then those of installed packages.

    Raises:
        UserError: an installed package's study cannot be loaded, or has the name of another.
    """
    return with_installed(_OURS, ENTRY_POINTS, what="study")


def find_study(name: str) -> Study:
    """The study of that name.

    Raises:
        NotFoundError: no study is called so; the sentence names the nearest.
    """
    known = {study.name: study for study in all_studies()}
    if name in known:
        return known[name]
    hint = did_you_mean(name, known, otherwise=f"The studies are {', '.join(known)}.")
    raise NotFoundError(f"No study is called '{name}'. {hint}")
