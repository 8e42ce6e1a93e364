"""Studies: what the books say, measured on this machine."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.api.dataset import Dataset, using
from winnow.api.loading import EXAMPLE, load
from winnow.data.inputs import InputSpec
from winnow.data.paths import is_there
from winnow.errors import BadDataError, UserError, need
from winnow.events import Note, Tell, tell_nobody
from winnow.graph.features import PictureReader
from winnow.report.study_page import as_study_page, as_study_svg
from winnow.report.study_schema import StudyReport, Verdict
from winnow.seeds import seed_for
from winnow.workspace.workspace import Workspace

if TYPE_CHECKING:
    from winnow.studies.pictures import StudyPictures

_FOLDS = 3
"""One of them is judged."""
_MOST_PX = 32
_MOST_PICTURES = 6000


@dataclass(frozen=True)
class Studied:
    """A study that was run.

    Attributes:
        numbers: all that was measured, as one document (`winnow.report.study_schema.StudyReport`).
    """

    numbers: StudyReport

    @property
    def verdict(self) -> Verdict:
        """Whether the claim holds."""
        return self.numbers.verdict

    @property
    def sentence(self) -> str:
        """The claim, what was measured with which certainty, and whether it holds."""
        return self.numbers.sentence

    def to_json(self) -> dict[str, Any]:
        """All numbers as plain values."""
        return self.numbers.model_dump(mode="json")

    def save(self, path: str | Path) -> Path:
        """Write it where the user wants it: `.html` a page, `.svg` the charts alone, `.json` the numbers.

        Raises:
            UserError: another ending, or the place cannot be written.
        """
        target = Path(path).expanduser()
        if target.suffix not in _WRITERS:
            raise UserError(f"A study is saved as {', '.join(_WRITERS)}, not as '{target.name}'.")
        try:
            target.write_text(_WRITERS[target.suffix](self.numbers), encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"The study cannot be written to {target} ({error.strerror}); choose another place."
            ) from error
        return target

    def __str__(self) -> str:
        return self.sentence


def _as_json(numbers: StudyReport) -> str:
    return numbers.model_dump_json(indent=1)


_WRITERS = {".html": as_study_page, ".svg": as_study_svg, ".json": _as_json}


def study(
    name: str,
    *,
    on: Any = None,
    seeds: int | None = None,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> Studied:
    """Put a claim of the books to the test: what is said, what we measured, whether it holds.

    No test split is opened: where a dataset has one, its pictures take no part.

    Args:
        name: of the study; `studies()` lists them.
        on: pictures to learn from, where the study needs some: a `Dataset`, the name of one, or files, which are
            looked at and not kept; default: the embedded digits.
        seeds: how many whole comparisons, 2 or more; default: as many as the documentation's figures have.
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        tell: hears progress.

    Raises:
        MissingExtraError: the extra 'deep' is not installed.
        NotFoundError: no such study, dataset or file.
        BadDataError: these pictures cannot be studied.
        UserError: fewer than 2 seeds.
    """
    need("torch", extra="deep", to="run a study")
    from winnow.studies.catalogue import find_study
    from winnow.studies.running import run_study
    from winnow.studies.study import Setup

    chosen = find_study(name)
    n_seeds = chosen.n_seeds if seeds is None else seeds
    setup = Setup(tuple(range(n_seeds)), tell=tell)  # refuses seeds that decide nothing before pictures are read
    if chosen.needs_pictures:
        setup = Setup(setup.seeds, _pictures(on, workspace, tell), tell=tell)
    return Studied(run_study(chosen, setup, _command(name, on, n_seeds)))


def studies() -> list[dict[str, str | int | bool]]:
    """The studies there are: name, title, claim, source, seeds, and whether they learn from pictures.

    Raises:
        MissingExtraError: the extra 'deep' is not installed.
    """
    need("torch", extra="deep", to="run a study")
    from winnow.studies.catalogue import all_studies

    return [
        {
            "name": one.name,
            "title": one.title,
            "claim": one.claim,
            "source": one.source,
            "seeds": one.n_seeds,
            "needs_pictures": one.needs_pictures,
        }
        for one in all_studies()
    ]


def _command(name: str, on: Any, n_seeds: int) -> str:
    words = ["winnow", "study", name, "--seeds", str(n_seeds)]
    if on is not None:
        words += ["--on", on.name if isinstance(on, Dataset) else str(on)]
    return shlex.join(words)


def _pictures(on: Any, workspace: str | Path | Workspace | None, tell: Tell) -> StudyPictures:
    from winnow.studies.pictures import digits

    if on is None or on == EXAMPLE:
        return digits()
    with _opened(on, workspace, tell) as data:
        return _of_dataset(data, tell)


@contextmanager
def _opened(on: Any, workspace: str | Path | Workspace | None, tell: Tell) -> Generator[Dataset]:
    if isinstance(on, Dataset):
        yield on
    elif isinstance(on, str) and not is_there(on):
        with using(workspace) as opened:
            yield load(on, workspace=opened, tell=tell)
    else:
        tell(Note("This is not in the workspace: it is imported into a temporary one for the study, and not kept."))
        with tempfile.TemporaryDirectory(prefix="winnow-study-") as folder, Workspace.open(Path(folder)) as temporary:
            yield load(on, workspace=temporary, tell=tell)


def _of_dataset(data: Dataset, tell: Tell) -> StudyPictures:
    """Its training and validation pictures; a third is judged, and copies and groups are never cut in two."""
    from winnow.studies.pictures import StudyPictures

    if data.manifest.task == "multilabel":
        raise BadDataError(f"The pictures of {data.name} may show several classes; studies need one class a picture.")
    examples, folds = data.examples(), data.folds(_FOLDS, seed=0)[0]
    places = np.flatnonzero(folds >= 0)
    if len(places) > _MOST_PICTURES:
        tell(Note(f"{_MOST_PICTURES:,} of {len(places):,} pictures are drawn: a study asks a question, not a record."))
        chance = np.random.default_rng(seed_for(0, "study-pictures"))
        places = np.sort(chance.permutation(places)[:_MOST_PICTURES])
    kept = [examples[place] for place in places]
    sides = {(example.width, example.height) for example in kept}
    side_px = min(_MOST_PX, max(max(side) for side in sides))
    reader = PictureReader(data.workspace.blobs.read, data.workspace.cache_folder)
    pixels = reader.small([example.content for example in kept], InputSpec(side_px), tell)
    if all(example.is_grey for example in kept):
        pixels = pixels[..., :1]
    classes = {name: number for number, name in enumerate(data.classes)}
    labels = np.array([classes[(example.labels or ("",))[0]] for example in kept], dtype=np.int64)
    return StudyPictures(data.name, np.asarray(pixels), labels, len(classes), folds[places] == 0)
