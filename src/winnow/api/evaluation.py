"""Evaluate: open a model's test split once, or measure the model on other labelled pictures."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow.api.dataset import Dataset, using
from winnow.api.finishing import REPORT_FILES, known_test_examples, look_at_test, write_report
from winnow.api.judged_pictures import FILES, JudgedPictures, Split
from winnow.api.measured import Measured
from winnow.api.model import REPORT, Model
from winnow.api.report import ReportFile
from winnow.api.sealing import renew_seal
from winnow.api.tasks import answers_to_examples, judge
from winnow.data.blobs import BlobStore
from winnow.data.importing import read_source
from winnow.data.manifest import Example, examples_of
from winnow.data.reading import Keep
from winnow.data.sources.source import Refused
from winnow.errors import BadDataError, NotFoundError, UserError, did_you_mean
from winnow.events import Note, Progress, Tell, tell_nobody
from winnow.report.schema import Report
from winnow.report.words import count, number
from winnow.workspace.workspace import Workspace, default_folder

_AT_ONCE = 256
"""Pictures between two steps of the progress bar."""
_NAMED = 8
"""At most so many classes are named in an error."""


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Labelled pictures to measure on, and where their bytes are."""

    source: str
    examples: list[Example]
    read: Callable[[str], bytes]
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()


def evaluate(
    model: Model | str | Path,
    source: Any = None,
    y: Any = None,
    *,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> ReportFile | Measured:
    """What a model is worth, with intervals: on its own test split, or on other labelled pictures.

    Without `source`: the report of the model. If the model has not looked at its dataset's test split yet (it was
    trained with `open_test=False`), it does now: the opening is counted, and `report.json`, the page and the model
    card are written anew. Asking again costs no opening.

    With `source`: measured on those pictures, which are only read; nothing is imported and no opening is counted.
    Pictures of the dataset's test split among them are left out while the model has not opened it.

    Args:
        model: a `Model`, its folder, or its name in the workspace ("clouds", "clouds@2").
        source: anything labelled that `winnow.load` takes: a folder of class folders, a zip, a table, arrays with
            `y`, a `Dataset` or the name of one (whose own test split stays closed).
        y: labels (N,) where `source` is an array or a list of pictures.
        workspace: a folder; default: the one the model lies in, else WINNOW_WORKSPACE, else ~/.winnow.
        tell: hears progress and notes.

    Returns:
        Both kinds have `judgement` (metrics with intervals), `as_dict()` and `as_text()`.

    Raises:
        NotFoundError: no such model, file or dataset.
        BadDataError: the pictures are of classes that the model does not know, or none of them can be measured on.
        UserError: the dataset of a model whose test split is to be opened is no longer in the workspace.
    """
    opened = model if isinstance(model, Model) else Model.open(model, workspace)
    if source is None:
        if y is not None:
            raise UserError("Labels were given without pictures: pass both, as evaluate(model, X, y).")
        return _open_test(opened, workspace, tell)
    return _measure(opened, source, y, workspace, tell)


def _open_test(model: Model, workspace: str | Path | Workspace | None, tell: Tell) -> ReportFile:
    report = ReportFile.read(model.folder / REPORT)
    numbers = report.numbers
    has_test_split = numbers.dataset.pictures_in("test") > 0
    if numbers.test is not None:
        return report
    if not has_test_split:
        tell(Note(f"The dataset '{numbers.dataset.name}' has no test split; this is what the climb measured."))
        return report
    with home_of(model, workspace) as home:
        data = dataset_of(numbers, home)
        if data is None:
            where = "there is no workspace" if home is None else f"it is not in the workspace {home.folder}"
            raise UserError(
                f"The test split of the model '{model.name}' cannot be opened, because version "
                f"{numbers.dataset.version} of its dataset '{numbers.dataset.name}' is gone: {where}. Name the "
                f"workspace that has it, or measure the model on other labelled pictures: "
                f"winnow evaluate {model.full_name} FOLDER"
            )
        blobs = data.workspace.blobs
        look = look_at_test(
            data,
            model.name,
            model.digest,
            model.answers,
            lambda examples: _probabilities(model, examples, blobs.read, tell),
            numbers.climb.seed,
            tell,
        )
        if look is None:
            return report
        numbers = numbers.model_copy(update={"test": look.judged, "openings": look.openings})
        try:
            look.pictures.write(model.folder, "test")
            write_report(numbers, model.folder, blobs)
            renew_seal(model.folder, data.workspace, {FILES["test"], *REPORT_FILES})
        except OSError as error:
            raise UserError(
                f"The report in {model.folder} cannot be written anew ({error.strerror}): check space and rights, "
                "then evaluate again. That costs no second opening."
            ) from error
    model.report = ReportFile(numbers, model.folder)
    return model.report


def _measure(model: Model, source: Any, y: Any, workspace: str | Path | Workspace | None, tell: Tell) -> Measured:
    with tempfile.TemporaryDirectory(prefix="winnow-evaluate-") as folder, home_of(model, workspace) as home:
        found = _pictures(source, y, home, Path(folder), tell)
        labelled = [example for example in found.examples if model.answers.truths_of(example) is not None]
        _refuse_unknown_classes(labelled, model)
        kept, notes = _less_the_familiar(labelled, model, home)
        if not kept:
            first = found.refused[0] if found.refused else None
            why = f" The first that could not be read: {first.source}: {first.reason}" if first else ""
            raise BadDataError(f"{found.source} has no labelled picture to measure on.{' '.join(['', *notes])}{why}")
        notes = (
            "These pictures are not the test split of the model's dataset: the figures hold for pictures like these.",
            *found.notes,
            *notes,
            *_about(found, labelled, kept, model),
        )
        pictures = answers_to_examples(_probabilities(model, kept, found.read, tell), kept, model.answers)
        judged = judge(pictures, kept, model.answers, seed=0)
    return Measured(model.full_name, found.source, model.task, judged, found.refused, notes, pictures)


def _pictures(source: Any, y: Any, home: Workspace | None, folder: Path, tell: Tell) -> _Pictures:
    """The pictures of a source; copies go into `folder`, which is removed afterwards."""
    data = source if isinstance(source, Dataset) else _dataset_named(source, y, home)
    if data is not None:
        examples = [example for example in data.examples() if example.split != "test"]
        n_closed = len(data) - len(examples)
        notes = (f"Its test split of {count(n_closed, 'picture')} stays closed.",) if n_closed else ()
        name = f"{data.name}, version {data.version}"
        return _Pictures(name, examples, data.workspace.blobs.read, notes=notes)
    blobs = BlobStore(folder)
    read = read_source(source if y is None else (source, y), Keep(blobs), tell=tell)
    shown = str(read.given) if isinstance(read.given, Path) else "the given pictures"
    rows = read.rows
    return _Pictures(shown, examples_of(rows.table), blobs.read, rows.refused, tuple(note.text for note in rows.notes))


def _dataset_named(source: Any, y: Any, home: Workspace | None) -> Dataset | None:
    if home is None or not isinstance(source, str) or y is not None or Path(source).expanduser().exists():
        return None
    record = next((record for record in home.datasets() if record.name.lower() == source.lower()), None)
    return None if record is None or record.newest is None else Dataset(home, record.name, record.newest.number)


def _refuse_unknown_classes(examples: Sequence[Example], model: Model) -> None:
    strange = [(example, set(example.labels or ()) - set(model.classes)) for example in examples]
    unknown = Counter(name for _, names in strange for name in names)
    if not unknown:
        return
    n_pictures = sum(bool(names) for _, names in strange)
    names = sorted(unknown)
    shown = ", ".join(f"'{name}'" for name in names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    same = [known for known in model.classes if known.casefold() == names[0].casefold()]
    hint = f"Did you mean {same[0]}?" if same else did_you_mean(names[0], model.classes)
    raise BadDataError(
        f"{count(n_pictures, 'picture')} are of {count(len(names), 'class', 'classes')} that the model "
        f"'{model.name}' does not know ({shown}); it answers {', '.join(model.classes[:_NAMED])}"
        f"{', ...' if len(model.classes) > _NAMED else ''}. {hint + ' ' if hint else ''}"
        "Rename or leave out those pictures, or train a model on them."
    )


def _less_the_familiar(
    examples: Sequence[Example], model: Model, home: Workspace | None
) -> tuple[list[Example], tuple[str, ...]]:
    """Leave out pictures of a test split that is still closed; say how many the model has learned from."""
    try:
        numbers = model.report.numbers
    except UserError:  # a model's folder without its report predicts, and can be measured
        return list(examples), ()
    data = dataset_of(numbers, home)
    if data is None:
        return list(examples), ()
    learned = {example.pixels for example in data.examples() if example.split != "test"}
    closed = {example.pixels for example in data.examples("test")} if numbers.test is None else set[str]()
    kept = [example for example in examples if example.pixels not in closed]
    notes: list[str] = []
    if n_closed := len(examples) - len(kept):
        notes.append(
            f"{count(n_closed, 'picture')} lie in the test split of '{data.name}', which this model has not opened: "
            f"they were left out. `winnow evaluate {model.name}` opens it."
        )
    if n_learned := sum(example.pixels in learned for example in kept):
        notes.append(
            f"The model has learned from {number(n_learned)} of these {count(len(kept), 'picture')}: "
            "the figures are better than they will be on new ones."
        )
    return kept, tuple(notes)


def _about(found: _Pictures, labelled: Sequence[Example], kept: Sequence[Example], model: Model) -> list[str]:
    """What else a reader must know of the pictures."""
    notes: list[str] = []
    if n_unlabelled := sum(example.labels is None for example in found.examples):
        notes.append(f"{count(n_unlabelled, 'picture')} without a label could not be measured on.")
    if n_several := len(found.examples) - n_unlabelled - len(labelled):
        notes.append(
            f"{count(n_several, 'picture')} with several labels, or with none that applies, could not be measured on: "
            "the model answers one class a picture."
        )
    if model.task == "multilabel" and all(len(example.labels or ()) == 1 for example in kept):
        notes.append("Each of these pictures names one class: whatever else it shows counts as absent.")
    if found.refused:
        first = found.refused[0]
        notes.append(
            f"{count(len(found.refused), 'file')} could not be read (the first: {first.source}: {first.reason})"
        )
    if absent := sorted(set(model.classes) - {name for example in kept for name in example.labels or ()}):
        shown = ", ".join(absent[:_NAMED]) + (", ..." if len(absent) > _NAMED else "")
        notes.append(f"No picture is of {shown}: averages over classes leave them out.")
    return notes


def _probabilities(
    model: Model, examples: Sequence[Example], read: Callable[[str], bytes], tell: Tell
) -> npt.NDArray[np.float32]:
    """(N, C) for examples, by running the model's graph on their files."""
    parts: list[npt.NDArray[np.float32]] = []
    for start in range(0, len(examples), _AT_ONCE):
        contents = [example.content for example in examples[start : start + _AT_ONCE]]
        parts.append(model.probabilities(contents, read))
        tell(Progress("measuring", start + len(contents), len(examples)))
    return np.concatenate(parts)


def answers_kept(model: Model, split: Split, home: Workspace | None, tell: Tell = tell_nobody) -> JudgedPictures:
    """What a model answered for every picture that it was judged on, or for the test split that it has opened.

    A model of before, which does not keep that of its test split, is asked again; this costs no opening.

    Raises:
        NotFoundError: it does not keep them, and they cannot be had again.
        UserError: its test split was not opened.
    """
    numbers = model.report.numbers
    if split == "test" and numbers.test is None:
        raise UserError(
            f"{model.full_name} has not opened its test split; this opens it, and is counted: "
            f"winnow evaluate {model.full_name}"
        )
    try:
        return JudgedPictures.read(model.folder, split)
    except NotFoundError:
        data = dataset_of(numbers, home)
        if split == "judged" or data is None:
            raise
        examples = known_test_examples(data, model.answers)
        probs = _probabilities(model, examples, data.workspace.blobs.read, tell)
        pictures = answers_to_examples(probs, examples, model.answers)
        pictures.write(model.folder, split)
        renew_seal(model.folder, data.workspace, {FILES[split]})
        return pictures


def dataset_of(numbers: Report, home: Workspace | None) -> Dataset | None:
    """The dataset version that a report is about, if the workspace holds it: by content, whatever its number."""
    if home is None or numbers.dataset.name.lower() not in {record.name.lower() for record in home.datasets()}:
        return None
    same = [record for record in home.versions(numbers.dataset.name) if record.digest == numbers.dataset.digest]
    best = next((record for record in same if record.number == numbers.dataset.version), next(iter(same), None))
    return None if best is None else Dataset(home, best.dataset, best.number)


@contextmanager
def home_of(model: Model, workspace: str | Path | Workspace | None) -> Generator[Workspace | None]:
    """The workspace that was named, that the model lies in, or the default one; None rather than make one."""
    with home_around(model.folder, workspace) as home:
        yield home


@contextmanager
def home_around(folder: Path, workspace: str | Path | Workspace | None) -> Generator[Workspace | None]:
    """As `home_of`, by the model's folder."""
    around = folder.absolute().parents[2:3]  # of workspace/models/name/number
    if workspace is None and around and (around[0] / "winnow.db").is_file():
        workspace = around[0]
    with own_home(workspace) as home:
        yield home


@contextmanager
def own_home(workspace: str | Path | Workspace | None) -> Generator[Workspace | None]:
    """The workspace that was named, or the default one; None rather than make one."""
    if workspace is None and not (default_folder().expanduser() / "winnow.db").is_file():
        yield None
        return
    with using(workspace) as opened:
        yield opened
