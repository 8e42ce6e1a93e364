"""The report: all that was measured of a model, as one JSON document that every drawing reads.

The HTML page, the terminal tables, the model card and the studio draw these numbers and compute none of
their own, so they cannot disagree.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from winnow.errors import BadDataError, NotFoundError
from winnow.metrics.evaluation import Evaluation
from winnow.metrics.intervals import Interval
from winnow.report.health_schema import HealthPart

SCHEMA = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetFacts(_Part):
    """The dataset version that was climbed on."""

    name: str
    version: int
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    """Pictures by class, then by split ("train", "validation", "test")."""
    pictures: dict[str, int] | None = None
    """Labelled pictures by split; None: the sums of `counts`, which count a picture once for each of its classes."""
    digest: str
    notes: tuple[str, ...] = ()
    """What lowers the worth of the figures, a sentence each."""

    def pictures_in(self, split: str) -> int:
        """Labelled pictures of a split."""
        if self.pictures is not None:
            return self.pictures.get(split, 0)
        return sum(counts.get(split, 0) for counts in self.counts.values())

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that hold pictures."""
        return tuple(split for split in ("train", "validation", "test") if self.pictures_in(split))


class EpochFacts(_Part):
    """Means while a network saw all its examples once."""

    losses: dict[str, float]
    scores: dict[str, float] = {}
    """What validation gave; more is better."""
    lr: float


class LearningCurve(_Part):
    """How one network learned, epoch by epoch."""

    network: str
    """What it learned from: "all pictures", "without fold 2"."""
    epochs: tuple[EpochFacts, ...]


class RungResult(_Part):
    """What one rung cost and what it bought."""

    rung: str
    title: str
    state: Literal["climbed", "skipped", "failed"]
    reason: str | None = None
    """Why it was skipped or failed."""
    estimate_s: float | None = None
    score: Interval | None = None
    """The optimised metric on the judged examples."""
    gain: Interval | None = None
    """Over the best cheaper rung, corrected for all comparisons of the climb; more is better."""
    gain_over: str | None = None
    has_earned: bool = False
    is_chosen: bool = False
    seconds: float | None = None
    joules: float | None = None
    graph_bytes: int | None = None
    picture_ms: float | None = None
    """Milliseconds for one picture through the whole graph on one core, decoding not counted."""
    settings: dict[str, str | float | int | bool] = {}
    """What the rung chose by itself (penalty, neighbours, ...) and the number format it ran in."""
    curves: tuple[LearningCurve, ...] = ()
    """Of the networks that were taught, that of the model last; none in reports of before."""


class ClimbFacts(_Part):
    """How the climb was run, and how to run it again."""

    id: str
    seed: int
    budget_s: float | None
    optimise: str
    prefer: Literal["cheapest", "best"]
    judged_by: str
    """In words: "5-fold out-of-fold predictions" or "a validation split"."""
    n_judged: int
    started: str
    seconds: float
    joules: float
    energy_method: str
    was_interrupted: bool = False
    machine: dict[str, str | int | float]
    winnow_version: str
    libraries: dict[str, str]
    command: str
    """The command line that gives the same model again."""


class Mistake(_Part):
    """One judged picture whose answer was wrong."""

    content: str
    source: str
    truth: str
    """Its class; of several classes their names in a row, or "nothing"."""
    answer: str
    prob: float
    """How sure the model was of the worst wrong answer."""
    worst: str | None = None
    """The class of that answer where a picture may show several: it was missed, or falsely called."""
    missed: tuple[str, ...] = ()
    """What it shows and was not called, where a picture may show several classes."""
    false: tuple[str, ...] = ()
    """What was called and it does not show, likewise."""


class Judgement(_Part):
    """The chosen model measured on one set of pictures."""

    evaluation: Evaluation
    mistakes: tuple[Mistake, ...]
    """Most sure first."""
    cells: dict[str, tuple[str, ...]] = {}
    """Content hashes of some pictures behind a cell; the key is "row,column" of the confusion matrix, or where a
    picture may show several classes "class,found", "class,missed" and "class,false"."""


class TestOpenings(_Part):
    """How often this dataset's test split has been looked at."""

    __test__ = False  # a report part, not a pytest class

    count: int
    """All openings of the lineage so far, this one included."""
    opening: int
    """Which opening gave this report's figure; 1 is the honest one."""


class Report(_Part):
    """All that was measured of one model."""

    schema_version: int = SCHEMA
    model: str
    task: str
    created: str
    dataset: DatasetFacts
    climb: ClimbFacts
    ladder: tuple[RungResult, ...]
    verdict: str
    judged: Judgement
    test: Judgement | None = None
    openings: TestOpenings | None = None
    health: HealthPart | None = None
    """What to look at in the data; None in reports of before."""

    @property
    def is_multilabel(self) -> bool:
        """Whether a picture may show several classes."""
        return self.judged.evaluation.misses is not None

    def write_json(self, path: Path) -> None:
        """Write the report as UTF-8 JSON, whole or not at all."""
        partial = path.with_name(path.name + ".partial")
        partial.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read_json(cls, path: Path) -> Report:
        """Read a report that `write_json` wrote.

        Raises:
            NotFoundError: there is no such file.
            BadDataError: it is no report, is damaged, or was written by a newer Winnow.
        """
        try:
            written = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no report at {path}; `winnow train` writes one beside its model.") from error
        try:
            return cls.model_validate_json(written)
        except ValidationError as error:
            raise BadDataError(_why_unreadable(path, written, error)) from error


def _why_unreadable(path: Path, written: bytes, error: ValidationError) -> str:
    try:
        found = json.loads(written)["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if isinstance(found, int) and found > SCHEMA:
        return (
            f"The report {path} has schema {found}; this Winnow reads up to {SCHEMA}. "
            "Update it: pip install --upgrade winnow"
        )
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the file"
    return f"{path} is no report or is damaged ({where}: {first['msg']}). Make it again with `winnow evaluate`."
