"""The pictures on which an export is proven: those that the model was judged on, or those that the user gives."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow.api.dataset import Dataset
from winnow.api.evaluation import dataset_of, home_of
from winnow.api.judged_pictures import JudgedPictures
from winnow.api.model import Model
from winnow.api.tasks import answers_to_examples
from winnow.data.blobs import BlobStore
from winnow.data.importing import read_source
from winnow.data.inputs import InputSpec, read_input
from winnow.data.manifest import Example, examples_of
from winnow.data.reading import Keep
from winnow.errors import BadDataError, NotFoundError
from winnow.events import Tell
from winnow.workspace.workspace import Workspace

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ProofPictures:
    """N pictures by content, in an order that does not change.

    Attributes:
        what: which ones, in words: "a validation split".
        contents: (N,) their SHA-256, hex.
        read: gives the bytes of a file by its content.
        dataset: the version that they are of: its name, number and digest; None: the user gave them.
        judged: what they show, in the model's own order of classes; None where nobody says. Its probabilities are not
            used.
        was_learned_from: whether the model has learned from them: then it answers them better than new pictures.
        training: contents that it has learned from and that were not held out to judge it.
    """

    what: str
    contents: tuple[str, ...]
    read: Callable[[str], bytes]
    dataset: dict[str, str | int] | None = None
    judged: JudgedPictures | None = None
    was_learned_from: bool = False
    training: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.contents)

    def inputs(self, spec: InputSpec) -> Callable[[int], Pixels]:
        """Gives picture i as (side, side, 3) for a graph; may be called from several threads."""
        return lambda index: read_input(self.read(self.contents[index]), spec)

    def files(self, folder: Path, at_once: int = 512) -> Iterator[list[Path]]:
        """The pictures as files in `folder`, some at a time and in order; those of before are removed."""
        for start in range(0, len(self), at_once):
            some = [folder / f"{place:07}" for place in range(start, min(start + at_once, len(self)))]
            for file, content in zip(some, self.contents[start : start + at_once], strict=True):
                file.write_bytes(self.read(content))
            yield some
            for file in some:
                file.unlink()

    def without(self, contents: set[str]) -> ProofPictures:
        """Those that are not among `contents`."""
        places = [place for place, content in enumerate(self.contents) if content not in contents]
        kept = tuple(self.contents[place] for place in places)
        judged = None if self.judged is None else self.judged.taken(np.array(places, dtype=np.int64))
        return replace(self, contents=kept, judged=judged)


@contextmanager
def proof_pictures(
    model: Model, given: Any, workspace: str | Path | Workspace | None, tell: Tell
) -> Generator[ProofPictures]:
    """The pictures for a model's proof; their files can be read until the block ends.

    Args:
        model: whose.
        given: anything that `winnow.load` takes, labelled or not; None: those that the model was judged on.
        workspace: as in `winnow.evaluate`.
        tell: hears progress.

    Raises:
        NotFoundError: the pictures that it was judged on are gone, and none were given.
        BadDataError: none of those that were given can be read.
    """
    with home_of(model, workspace) as home, tempfile.TemporaryDirectory(prefix="winnow-export-") as folder:
        data = _dataset(model, home)
        if given is None:
            yield _judged(model, data)
        else:
            yield _given(model, data, given, Path(folder), tell)


def _dataset(model: Model, home: Workspace | None) -> Dataset | None:
    """The version that the model was made on, if it is at hand."""
    try:
        return dataset_of(model.report.numbers, home)
    except NotFoundError:  # a model's folder without its report
        return None


def _judged(model: Model, data: Dataset | None) -> ProofPictures:
    if data is None:
        raise _nothing_to_prove_on(model)
    try:
        judged = JudgedPictures.read(model.folder, "judged")
    except NotFoundError:
        raise _nothing_to_prove_on(model) from None
    facts: dict[str, str | int] = {"name": data.name, "version": data.version, "digest": data.manifest.digest()}
    held_out = _held_out(model)
    what = model.report.numbers.climb.judged_by if held_out else "all pictures that it was judged on, out of fold"
    training = _training(data, held_out)
    return ProofPictures(what, judged.contents, data.workspace.blobs.read, facts, judged, not held_out, training)


def _held_out(model: Model) -> set[str]:
    """The pictures that judged the model and that it has not learned from; none where it was judged out of fold."""
    if model.report.numbers.climb.judged_by.endswith("out-of-fold predictions"):
        return set()
    return set(JudgedPictures.read(model.folder, "judged").contents)


def _training(data: Dataset, held_out: set[str]) -> tuple[str, ...]:
    learned = [example for example in data.examples("train") if example.labels is not None]
    return tuple(sorted({example.content for example in learned} - held_out))


def _nothing_to_prove_on(model: Model) -> NotFoundError:
    return NotFoundError(
        f"An export is proven on the pictures that the model was judged on, and those of {model.full_name} are not "
        "here: name the workspace that has its dataset (--workspace), or pictures to prove it on (--pictures FOLDER)."
    )


def _given(model: Model, data: Dataset | None, given: Any, folder: Path, tell: Tell) -> ProofPictures:
    blobs = BlobStore(folder)
    rows = read_source(given, Keep(blobs), tell=tell).rows
    examples = examples_of(rows.table)
    if not examples:
        first = rows.refused[0] if rows.refused else None
        why = f" The first: {first.source}: {first.reason}" if first else ""
        raise BadDataError(f"None of the pictures to prove the export on can be read.{why}")
    contents, what = tuple(example.content for example in examples), "the pictures that were given"
    if data is None:
        return ProofPictures(what, contents, blobs.read, judged=_truths(model, examples))
    shown = {example.pixels for example in examples}
    was_learned_from = any(example.pixels in shown for example in data.examples() if example.split != "test")
    # Scores of a test split that is still closed would be a look at it that nobody counts.
    is_closed = model.report.numbers.test is None and any(one.pixels in shown for one in data.examples("test"))
    theirs = frozenset(contents)
    return ProofPictures(
        what,
        contents,
        lambda content: (blobs if content in theirs else data.workspace.blobs).read(content),
        judged=None if is_closed else _truths(model, examples),
        was_learned_from=was_learned_from,
        training=_training(data, _held_out(model)),
    )


def _truths(model: Model, examples: list[Example]) -> JudgedPictures | None:
    """What given pictures show; None where one has no label, or one of a class that the model does not know."""
    known = set(model.classes)
    truths = [model.answers.truths_of(example) for example in examples]
    if any(names is None or not set(names) <= known for names in truths):
        return None
    nothing = np.zeros((len(examples), len(known)), dtype=np.float32)
    return answers_to_examples(nothing, examples, model.answers)
