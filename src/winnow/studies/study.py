"""The words of this room: a study, what it is run with, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from winnow.errors import UserError
from winnow.events import Progress, Tell, tell_nobody
from winnow.report.study_schema import Chart, Comparison
from winnow.studies.pictures import StudyPictures

LEAST_SEEDS = 2
"""One seed has no spread, so it has no interval either."""


@dataclass(frozen=True)
class Setup:
    """What a study is run with.

    Attributes:
        seeds: one whole comparison each: weights, order and draws.
        of: the pictures, where the study needs some.
        effort: share of the training steps, in (0, 1]; 1 is the study as it is meant.
        tell: hears progress.

    Raises:
        UserError: fewer than two seeds, or an effort outside of (0, 1].
    """

    seeds: tuple[int, ...]
    of: StudyPictures | None = None
    effort: float = 1.0
    tell: Tell = tell_nobody

    def __post_init__(self) -> None:
        if len(self.seeds) < LEAST_SEEDS:
            raise UserError(f"{len(self.seeds)} seeds have no spread and decide nothing: give {LEAST_SEEDS} or more.")
        if not 0 < self.effort <= 1:
            raise UserError(f"An effort of {self.effort} is no share of the steps: give more than 0 and at most 1.")

    @property
    def pictures(self) -> StudyPictures:
        """The pictures.

        Raises:
            UserError: there are none.
        """
        if self.of is None:
            raise UserError("This study learns from pictures and was given none: name a dataset or a folder.")
        return self.of

    def share_of(self, steps: int, at_least: int = 1) -> int:
        """So many steps or epochs, by the effort."""
        return max(at_least, round(steps * self.effort))

    def counter(self, what: str, total: int) -> Callable[[], None]:
        """A function to call after each of `total` parts of the work, so that somebody may hear of it."""
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            self.tell(Progress(what, done, total))

        self.tell(Progress(what, 0, total))
        return count


@dataclass(frozen=True)
class Findings:
    """What a study measured.

    Attributes:
        comparisons: all must hold for the claim to hold.
        charts: what is worth seeing.
        settings: what a reader needs to judge the comparison: net, sizes, optimiser, rates.
    """

    comparisons: tuple[Comparison, ...]
    charts: tuple[Chart, ...]
    settings: dict[str, str | int | float]


@dataclass(frozen=True)
class Study:
    """One question and how it is put to the test.

    Attributes:
        name: as a user types it, in lower case with dashes.
        title: a few words.
        claim: what the books say; one sentence, with its full stop.
        source: who says so; enough to find it.
        run: measures.
        needs_pictures: whether it learns from pictures.
        n_seeds: as many as the figures of the documentation have.
    """

    name: str
    title: str
    claim: str
    source: str
    run: Callable[[Setup], Findings]
    needs_pictures: bool = True
    n_seeds: int = 5
