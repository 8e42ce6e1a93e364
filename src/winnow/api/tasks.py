"""The tasks that a dataset may ask for, behind one door: its problem, its ladder, and how its answers are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from winnow.api.judged_pictures import JudgedPictures
from winnow.data.manifest import Example, Task
from winnow.data.near_duplicates import near_duplicate_pairs
from winnow.data.splits import clusters as find_clusters
from winnow.events import Tell
from winnow.graph.backbone import Backbone
from winnow.graph.features import FeatureStore
from winnow.ladder.climb import Outcome, Prefer, climb
from winnow.ladder.plan import PlannedRung, plan_climb
from winnow.metrics.families import find_metric
from winnow.report.assemble import judgement, multilabel_judgement
from winnow.report.schema import Judgement
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.rungs import find_rungs as find_classify_rungs
from winnow.tasks.multilabel.problem import MultilabelProblem, marks_of
from winnow.tasks.multilabel.rungs import all_rungs as all_multilabel_rungs
from winnow.tasks.multilabel.rungs import find_rungs as find_multilabel_rungs
from winnow.tasks.rung import Candidate, Clock

AnyProblem = ClassifyProblem | MultilabelProblem
Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model answers with."""

    classes: tuple[str, ...]
    """In the order of its columns."""
    thresholds: tuple[float, ...] | None
    """The probability from which on each class is called; None where a picture gets the likeliest class."""

    @property
    def task(self) -> Task:
        """One class a picture, or any number."""
        return "classify" if self.thresholds is None else "multilabel"

    def truths_of(self, example: Example) -> tuple[str, ...] | None:
        """The classes that an answer for this example is held against; None where it has no such labels."""
        if self.thresholds is not None:
            return example.labels
        return None if example.label is None else (example.label,)


def problem_of(
    task: Task, examples: Sequence[Example], store: FeatureStore, optimise: str, seed: int, backbone: Backbone | None
) -> AnyProblem:
    """The problem that a task makes of examples.

    Raises:
        BadDataError: nothing could be learned or judged.
        NotFoundError: the task has no metric of that name.
    """
    kind = ClassifyProblem if task == "classify" else MultilabelProblem
    return kind(examples, store, find_metric(optimise, task), seed=seed, backbone=backbone)


def climb_ladder(
    problem: AnyProblem,
    rungs: Sequence[str] | None,
    folder: Path,
    *,
    budget_s: float | None,
    prefer: Prefer,
    tell: Tell,
) -> Outcome:
    """Climb the rungs of these names (None: all) of the problem's task; see `winnow.ladder.climb.climb`."""
    are_named = rungs is not None
    if isinstance(problem, ClassifyProblem):
        ladder = find_classify_rungs(rungs)
        return climb(problem, ladder, folder, budget_s=budget_s, prefer=prefer, are_named=are_named, tell=tell)
    others = find_multilabel_rungs(rungs)
    return climb(problem, others, folder, budget_s=budget_s, prefer=prefer, are_named=are_named, tell=tell)


def plan_ladder(problem: AnyProblem, rungs: Sequence[str] | None, budget_s: float | None) -> list[PlannedRung]:
    """What `climb_ladder` would try, without climbing; see `winnow.ladder.plan.plan_climb`."""
    is_asked = rungs is not None or budget_s is not None
    if isinstance(problem, ClassifyProblem):
        return plan_climb(problem, find_classify_rungs(rungs), Clock(budget_s), is_asked=is_asked)
    return plan_climb(problem, find_multilabel_rungs(rungs), Clock(budget_s), is_asked=is_asked)


def check_rungs(names: Sequence[str], task: Task | None = None) -> None:
    """Tell a wrong name before anything is done; without a task, one that no task knows.

    Raises:
        NotFoundError: a name is unknown.
    """
    if task == "multilabel":
        find_multilabel_rungs(names)
        return
    of_several = {rung.name for rung in all_multilabel_rungs()} if task is None else set[str]()
    find_classify_rungs([name for name in names if name not in of_several])


def answers_of(problem: AnyProblem, candidate: Candidate) -> Answers:
    """What the model of a candidate answers with."""
    thresholds = None if isinstance(problem, ClassifyProblem) else problem.thresholds(candidate.predictions)
    return Answers(problem.classes, thresholds)


def answers_of_candidate(problem: AnyProblem, candidate: Candidate) -> JudgedPictures:
    """What a candidate answered for the examples that it was judged on in the climb."""
    labels, predictions = problem.labels[problem.judged], candidate.predictions
    called = None if isinstance(problem, ClassifyProblem) else problem.calls(predictions)
    contents = tuple(problem.contents[place] for place in problem.judged.tolist())
    return JudgedPictures(contents, predictions, labels.astype(np.int64), problem.resamples.clusters, called)


def answers_to_examples(probs: Probabilities, examples: Sequence[Example], answers: Answers) -> JudgedPictures:
    """Probabilities (N, C) as answers to labelled examples that took no part in the climb."""
    near = near_duplicate_pairs([e.phash for e in examples]).pairs
    clusters = find_clusters([e.pixels for e in examples], [e.group for e in examples], near)
    contents = tuple(example.content for example in examples)
    if answers.thresholds is None:
        ids = {name: place for place, name in enumerate(answers.classes)}
        labels = np.array([ids[str(example.label)] for example in examples], dtype=np.int64)
        return JudgedPictures(contents, probs, labels, clusters)
    marks = marks_of(examples, answers.classes).astype(np.int64)
    return JudgedPictures(contents, probs, marks, clusters, probs >= np.asarray(answers.thresholds))


def judge(pictures: JudgedPictures, examples: Sequence[Example], answers: Answers, seed: int) -> Judgement:
    """Measure answers.

    Args:
        pictures: what was answered.
        examples: the same N pictures, for their names.
        answers: what the model answers with.
        seed: of the resamples.
    """
    probs, truths, classes, clusters = pictures.probs, pictures.truths, answers.classes, pictures.clusters
    if pictures.called is None or answers.thresholds is None:
        return judgement(probs, truths, classes, examples, clusters, seed)
    return multilabel_judgement(probs, truths, pictures.called, answers.thresholds, classes, examples, clusters, seed)
