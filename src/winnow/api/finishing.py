"""The last part of a climb: measure the chosen candidate, open the test split once, write the model's folder."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from winnow.api.dataset import Dataset
from winnow.api.drift_reference import write_reference
from winnow.api.health_numbers import health_of_climb
from winnow.api.judged_pictures import JudgedPictures
from winnow.api.model import REPORT
from winnow.api.report import CARD, PAGE
from winnow.api.sealing import seal
from winnow.api.tasks import Answers, AnyProblem, answers_of, answers_of_candidate, answers_to_examples, judge
from winnow.data.blobs import BlobStore
from winnow.data.decode import decode
from winnow.data.manifest import Example
from winnow.errors import UserError
from winnow.events import Note, Progress, Tell
from winnow.ladder.climb import Outcome, Prefer, Step
from winnow.machine import cores, energy_method, facts, fingerprint
from winnow.report.assemble import libraries, now, rung_results
from winnow.report.card import as_model_card
from winnow.report.html import as_html
from winnow.report.page.health import pictures_shown
from winnow.report.schema import ClimbFacts, DatasetFacts, Judgement, Report, TestOpenings
from winnow.report.thumbnails import thumbnail
from winnow.tasks.predictor import FACTS, GRAPH, WEIGHTS, ModelFacts, Predictor
from winnow.version import VERSION

REPORT_FILES = (PAGE, CARD, REPORT)
"""What `write_report` writes, in this order."""
MOST_DISAGREEMENT = 1e-4
"""The saved model's probabilities may differ from the measured ones by this much; more is a bug, told as such."""
_CHECKED = 8


@dataclass(frozen=True, slots=True)
class Finish:
    """What the report says of the climb that the climb itself does not know."""

    name: str
    climb_id: str
    started: str
    budget_s: float | None
    prefer: Prefer
    opens_test: bool
    command: str


def finish(outcome: Outcome, problem: AnyProblem, data: Dataset, details: Finish, folder: Path, tell: Tell) -> None:
    """Write the chosen candidate as a model folder: graph, facts, report, page, card.

    Raises:
        RuntimeError: the saved graph does not give the probabilities that were measured.
    """
    step = outcome.chosen
    write_model(step, problem, details.name, folder)
    tell(Progress("measuring the chosen model", 0))
    assert step.candidate is not None
    judged_examples = [problem.examples[place] for place in problem.judged.tolist()]
    pictures = answers_of_candidate(problem, step.candidate)
    pictures.write(folder, "judged")
    write_reference(folder, problem, step.candidate)
    judged = judge(pictures, judged_examples, answers_of(problem, step.candidate), problem.seed)
    task = data.manifest.task
    look = None if outcome.was_interrupted else _open_test(step, problem, data, details, tell)
    if look is not None:
        look.pictures.write(folder, "test")
    if outcome.was_interrupted and details.opens_test:
        tell(Note("The test split stays closed, since the climb is not done; `winnow evaluate` opens it."))
    report = Report(
        model=details.name,
        task=task,
        created=now(),
        dataset=DatasetFacts(
            name=data.name,
            version=data.version,
            classes=problem.classes,
            counts=data.counts(),
            pictures=None if task == "classify" else _pictures_by_split(data),
            digest=data.manifest.digest(),
            notes=tuple(data.manifest.provenance.get("notes", ())),
        ),
        climb=_climb_facts(outcome, problem, details),
        ladder=rung_results(outcome),
        verdict=outcome.verdict.reason,
        judged=judged,
        test=None if look is None else look.judged,
        openings=None if look is None else look.openings,
        health=health_of_climb(data, judged_examples, step.candidate.predictions, problem.classes, problem.seed, tell),
    )
    write_report(report, folder, data.workspace.blobs)
    seal(folder, data.workspace)


def _pictures_by_split(data: Dataset) -> dict[str, int]:
    return dict(Counter(example.split for example in data.examples() if example.labels is not None))


def write_model(step: Step, problem: AnyProblem, name: str, folder: Path) -> None:
    """Write graph, facts and the weights of a network that learned; then check that the saved model answers alike."""
    assert step.candidate is not None
    graph = step.candidate.graph
    (folder / GRAPH).write_bytes(graph)
    if step.candidate.weights is not None:
        (folder / WEIGHTS).write_bytes(step.candidate.weights())
    answers = answers_of(problem, step.candidate)
    ModelFacts(
        name=name,
        rung=step.rung,
        classes=answers.classes,
        input_spec=problem.input_spec_of(step.candidate),
        number_format=problem.number_format_of(step.candidate),
        machine=fingerprint(),
        sha256=hashlib.sha256(graph).hexdigest(),
        winnow_version=VERSION,
        task=answers.task,
        thresholds=answers.thresholds,
    ).write(folder)
    sample = [problem.contents[place] for place in problem.judged[:_CHECKED].tolist()]
    spec = problem.input_spec_of(step.candidate)
    served = Predictor(folder).probabilities(lambda i: problem.store.reader.one(sample[i], spec), len(sample))
    difference = float(np.abs(served - problem.probabilities(step.candidate, sample)).max())
    if difference > MOST_DISAGREEMENT:
        raise RuntimeError(f"The saved graph of {step.rung} differs from the measured one by {difference:.2g}.")


def write_report(report: Report, folder: Path, blobs: BlobStore) -> None:
    """Write the numbers, the page and the model card beside the model."""

    def picture(content: str) -> bytes | None:
        try:
            return thumbnail(decode(blobs.read(content), at_least_px=96).pixels)
        except UserError:
            return None  # the picture was removed since; the page shows its name alone

    shown = {content for part in (report.judged, report.test) if part for content in _shown(part)}
    shown = sorted(shown | set(() if report.health is None else pictures_shown(report.health)))
    with ThreadPoolExecutor(cores()) as pool:
        thumbnails = dict(zip(shown, pool.map(picture, shown), strict=True))
    (folder / PAGE).write_text(as_html(report, thumbnails.get), encoding="utf-8")
    (folder / CARD).write_text(as_model_card(report), encoding="utf-8")
    report.write_json(folder / REPORT)  # last: whoever finds these numbers finds the drawings of them


def keep_newer_report(source: Path, target: Path) -> None:
    """Put the report in `source` over that in `target`, of the same model, unless that would lose a test figure."""
    newer, older = Report.read_json(source / REPORT), Report.read_json(target / REPORT)
    if newer.test is None and older.test is not None:
        return
    # The numbers late, as when they are first written; what names all of them last. A reader meanwhile finds the same
    # graph and facts, be they old or new.
    late = (*REPORT_FILES, FACTS)
    for path in sorted(source.iterdir(), key=lambda path: late.index(path.name) if path.name in late else -1):
        path.replace(target / path.name)


def _shown(part: Judgement) -> Iterator[str]:
    """The pictures that the page of a report shows, by content."""
    yield from (mistake.content for mistake in part.mistakes)
    for contents in part.cells.values():
        yield from contents


@dataclass(frozen=True, slots=True)
class TestLook:
    """What one look at a test split showed."""

    __test__ = False  # no pytest class

    judged: Judgement
    openings: TestOpenings
    pictures: JudgedPictures


def _open_test(step: Step, problem: AnyProblem, data: Dataset, details: Finish, tell: Tell) -> TestLook | None:
    if not details.opens_test:
        return None
    assert step.candidate is not None
    candidate = step.candidate
    return look_at_test(
        data,
        details.name,
        hashlib.sha256(candidate.graph).hexdigest(),
        answers_of(problem, candidate),
        lambda examples: problem.probabilities(candidate, [example.content for example in examples]),
        problem.seed,
        tell,
    )


def look_at_test(
    data: Dataset,
    model: str,
    digest: str,
    answers: Answers,
    probabilities: Callable[[Sequence[Example]], npt.NDArray[np.float32]],
    seed: int,
    tell: Tell,
) -> TestLook | None:
    """Count one look at the test split, then take it; None if there is no test split.

    Args:
        data: the dataset version that the model was made on.
        model: its name.
        digest: of its graph: a second look at the same model is the first one again.
        answers: what it answers with.
        probabilities: gives (N, C) for examples.
        seed: of the resamples.
        tell: hears a warning where this is not the dataset's first opening.
    """
    examples, unknown = _test_examples(data, answers)
    if not examples:
        return None
    if unknown is not None:
        tell(Note(unknown, is_warning=True))
    tell(Progress("opening the test split", 0))
    opening = data.workspace.record_opening(data.name, data.version, model, digest)
    if opening.number > 1:
        tell(
            Note(
                f"The test split of '{data.name}' has been opened {opening.count} times; this figure is from opening "
                f"{opening.number} and more optimistic than the first.",
                is_warning=True,
            )
        )
    pictures = answers_to_examples(probabilities(examples), examples, answers)
    judged = judge(pictures, examples, answers, seed)
    return TestLook(judged, TestOpenings(count=opening.count, opening=opening.number), pictures)


def known_test_examples(data: Dataset, answers: Answers) -> list[Example]:
    """The labelled test pictures that these answers can be held against."""
    return _test_examples(data, answers)[0]


def _test_examples(data: Dataset, answers: Answers) -> tuple[list[Example], str | None]:
    """The labelled test pictures, and what a user should know of classes that nobody could have learned."""
    truths = [(example, answers.truths_of(example)) for example in data.examples("test")]
    labelled = [(example, names) for example, names in truths if names is not None]
    n_strange = sum(not set(names) <= set(answers.classes) for _, names in labelled)
    if not n_strange:
        return [example for example, _ in labelled], None
    if answers.task == "multilabel":
        said = f"{n_strange} test pictures also show classes of which there is none to learn from; those are left out."
        return [example for example, _ in labelled], said
    known = [example for example, names in labelled if names[0] in answers.classes]
    return known, f"{n_strange} test pictures are of classes of which there is none to learn from; they are left out."


def _climb_facts(outcome: Outcome, problem: AnyProblem, details: Finish) -> ClimbFacts:
    return ClimbFacts(
        id=details.climb_id,
        seed=problem.seed,
        budget_s=details.budget_s,
        optimise=problem.metric.name,
        prefer=details.prefer,
        judged_by=problem.judged_by,
        n_judged=problem.n_judged,
        started=details.started,
        seconds=outcome.seconds,
        joules=outcome.joules,
        energy_method=energy_method(),
        was_interrupted=outcome.was_interrupted,
        machine=facts(),
        winnow_version=VERSION,
        libraries=libraries(),
        command=details.command,
    )
