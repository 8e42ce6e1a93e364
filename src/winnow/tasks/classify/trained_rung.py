"""A rung that trains a network: in every part of the judging, then on all examples; ends as a calibrated graph.

What is special to a rung is its `Way`. Torch is met in `winnow.train` and `winnow.nets` alone, and only once a rung is
at work: asking what it would cost imports nothing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from winnow.data.inputs import InputSpec
from winnow.errors import UserError, WorkspaceError
from winnow.events import Event, Progress, StepDone, Tell, tell_nobody
from winnow.graph.features import FeatureGraph
from winnow.graph.join import join
from winnow.graph.pictures import run_on_pictures
from winnow.graph.runtime import NumberFormat
from winnow.machine import cores
from winnow.seeds import seed_for
from winnow.tasks.classify.calibration import choose, cross_fitted
from winnow.tasks.classify.paces import pace_of, written_picture_s
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.graph_notes import graph_notes
from winnow.tasks.heads.head import head_graph
from winnow.tasks.judging import Part
from winnow.tasks.learning import heeding, picture_ms
from winnow.tasks.rung import (
    Candidate,
    CannotPayError,
    Clock,
    Epoch,
    Estimate,
    LearningCurve,
    OutOfTimeError,
    Settings,
    Workbench,
)

if TYPE_CHECKING:
    from winnow.train.course import Course, Lesson, Taught
    from winnow.train.pictures import LabelledPictures

PATIENCE_S = 30.0
"""A climb that nobody gave a budget shall not grow from seconds to minutes because torch is installed."""
_FLOPS = 3e10
"""A second, of one reference core in the training steps of convolutions (an AMD EPYC 9004 core, torch 2)."""
_IMPORT_S, _EXPORT_S = 5.0, 2.5
_CHECKED = 32
"""Judged pictures on which network and graph are compared."""


class Way(Protocol):
    """How one rung's network is made and taught."""

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """Why it cannot pay here."""
        ...

    def network(self, problem: ClassifyProblem) -> str:
        """What the network is called in reports; with the side of its pictures it names what is timed."""
        ...

    def input_spec(self, problem: ClassifyProblem) -> InputSpec:
        """What it wants to see."""
        ...

    def epochs(self, problem: ClassifyProblem, n: int) -> int:
        """Times that each of n examples is learned from; pre-training counts as well."""
        ...

    def flops(self, problem: ClassifyProblem) -> float:
        """Roughly, floating-point operations for learning once from one picture."""
        ...

    def course(self, problem: ClassifyProblem, n: int) -> Course:
        """How it is taught from n examples; imports torch."""
        ...


def too_few(problem: ClassifyProblem, least_each: int) -> str | None:
    """The reason where there are fewer examples a class to learn from, on average."""
    n_each = len(problem.parts[0].train) / len(problem.classes)
    if n_each >= least_each:
        return None
    return f"there are {n_each:.0f} examples a class to learn from; it takes {least_each}"


@dataclass(frozen=True)
class TrainedRung:
    """A network of its own for every part; one object per file in `rungs/`."""

    name: str
    title: str
    way: Way

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """Why this rung cannot pay here."""
        if importlib.util.find_spec("torch") is None:
            return "it needs the extra 'deep': pip install 'winnow[deep]'"
        return self.way.skip_reason(problem)

    def estimate(self, problem: ClassifyProblem) -> Estimate:
        """By a timing of real steps, if one was made on this machine; else roughly, by counting operations."""
        picture_s = written_picture_s(problem, self._timed(problem))
        if picture_s is None:
            flops = self._n_looks(problem) * self.way.flops(problem)
            rough_s = flops / (_FLOPS * cores()) + self._other_s(problem)
            return Estimate(rough_s, unasked_s=PATIENCE_S, measure=lambda: self._measured(problem))
        return Estimate(self._n_looks(problem) * picture_s + self._other_s(problem), unasked_s=PATIENCE_S)

    def climb(self, problem: ClassifyProblem, clock: Clock, tell: Tell) -> Candidate:
        """As `climb_at`, without a folder: a kill loses all."""
        return self._climb(None, problem, clock, tell)

    def climb_at(self, bench: Workbench, problem: ClassifyProblem, clock: Clock, tell: Tell) -> Candidate:
        """Teach a network in every part and one on all, and write the graph; a killed one goes on, to the same bits.

        Raises:
            OutOfTimeError: the budget ended first.
            CannotPayError: a network cannot learn from these pictures, or its graph answers otherwise.
        """
        return self._climb(bench.folder, problem, clock, tell)

    def _climb(self, folder: Path | None, problem: ClassifyProblem, clock: Clock, tell: Tell) -> Candidate:
        from winnow.train.course import ParityError, TimeUpError

        pictures = self._pictures(problem, heeding(clock, tell))
        try:
            taught = [
                self._teach(problem, pictures, part, number, folder, clock, tell)
                for number, part in enumerate(_lessons(problem))
            ]
        except TimeUpError:
            raise OutOfTimeError from None
        except ParityError as error:
            raise CannotPayError(str(error)) from error
        tell(Progress(self.title, len(taught), len(taught)))
        return self._candidate(problem, pictures, taught)

    def _pictures(self, problem: ClassifyProblem, tell: Tell) -> LabelledPictures:
        from winnow.train.pictures import LabelledPictures

        mapped = problem.mapped(self.way.input_spec(problem), tell)
        return LabelledPictures(
            mapped.rows, problem.labels, mapped.places, keys=problem.contents, n_classes=len(problem.classes)
        )

    def _teach(
        self,
        problem: ClassifyProblem,
        pictures: LabelledPictures,
        part: Part,
        number: int,
        folder: Path | None,
        clock: Clock,
        tell: Tell,
    ) -> Taught:
        from winnow.train.course import Lesson, teach

        lesson = Lesson(
            replace(pictures.subset(part.train), weights=_weights(problem, part.train)),
            seed_for(problem.seed, self.name),
            None if folder is None else folder / f"network-{number}",
            clock.left_s,
            _telling(f"{self.title}, network {number + 1} of {len(_lessons(problem))}", tell),
        )
        course = self._course(problem, lesson)
        checked = (part.judged if len(part.judged) else part.train)[:_CHECKED]
        try:
            taught = teach(
                course,
                lesson,
                side_px=self.way.input_spec(problem).side_px,
                check=np.asarray(pictures.read(checked)),
            )
            # Of all networks, the last becomes the model: the others need not wait for it in memory.
            return taught if number + 1 == len(_lessons(problem)) else replace(taught, net=None)
        except WorkspaceError:
            raise
        except UserError as error:  # one network that does not learn must not cost the user the other rungs
            raise CannotPayError(f"its network could not learn: {error}") from error

    def _course(self, problem: ClassifyProblem, lesson: Lesson) -> Course:
        """The course in the precision that is fastest here."""
        course = self.way.course(problem, len(lesson.pictures))
        precision = pace_of(problem, self._timed(problem), course, lesson).precision
        return replace(course, plan=replace(course.plan, precision=precision))

    def _candidate(self, problem: ClassifyProblem, pictures: LabelledPictures, taught: Sequence[Taught]) -> Candidate:
        final, n_classes = taught[-1], len(problem.classes)
        features = self._features(problem, final)
        choice = problem.store.format_of(features, problem.contents)
        logits = self._judged_logits(problem, pictures, taught, choice.number_format)
        labels = problem.labels[problem.judged]
        _, temperature = choose([logits], labels)
        weights = self._weights_file(problem, final, temperature)
        head = head_graph(lambda pen, x: pen.linear(x, final.weights, final.bias), temperature, features.dim, n_classes)
        course = self.way.course(problem, len(_lessons(problem)[-1].train))
        settings: Settings = {
            "features": features.name,
            "epochs": course.plan.n_epochs or 0,
            "batch_size": course.batch_size,
            "mirrored": course.augmentation.flip != "none",
            "temperature": round(temperature, 4),
            "number_format": choice.number_format,
        }
        if problem.weights is not None:
            settings["weights"] = "heeded"
        notes = graph_notes("classify", self.name, problem.classes, features.input_spec)
        return Candidate(
            cross_fitted([logits], labels, problem.judging.groups),
            join(problem.store.graph_of(features, choice), head, notes=notes),
            picture_ms(features, choice, head),
            settings,
            tuple(_curve(name, one) for name, one in zip(_lesson_names(problem), taught, strict=True)),
            None if weights is None else lambda: weights,
        )

    def _weights_file(self, problem: ClassifyProblem, taught: Taught, temperature: float) -> bytes | None:
        """The network that became the model, for whoever wants to go on with it in torch."""
        from winnow.nets.kept_net import net_file

        course = self.way.course(problem, len(_lessons(problem)[-1].train))
        if not course.network or taught.net is None:
            return None
        about = {
            **course.network,
            "mean": course.normalisation.mean,
            "std": course.normalisation.std,
            "pad_px": course.pad_px,
            "is_mirrored": course.is_mirrored,
            "temperature": temperature,
            "classes": problem.classes,
        }
        return net_file(taught.net, about)

    def _features(self, problem: ClassifyProblem, taught: Taught) -> FeatureGraph:
        spec = self.way.input_spec(problem)
        name = f"{self.way.network(problem)} ({spec.side_px} px)"
        return FeatureGraph(name, taught.graph, spec, len(taught.weights), is_backbone=True)

    def _judged_logits(
        self,
        problem: ClassifyProblem,
        pictures: LabelledPictures,
        taught: Sequence[Taught],
        number_format: NumberFormat,
    ) -> npt.NDArray[np.float32]:
        """Logits (n_judged, C), each part's from its own network's graph, run as the final one is."""
        logits = np.empty((problem.n_judged, len(problem.classes)), dtype=np.float32)
        place_of = np.zeros(len(problem.labels), dtype=np.int64)
        place_of[problem.judged] = np.arange(problem.n_judged)
        for part, network in zip(problem.parts, taught, strict=False):
            opened = problem.store.open_as(self._features(problem, network), problem.contents, number_format)
            judged = pictures.subset(part.judged)
            rows = run_on_pictures(opened, lambda i, seen=judged: np.asarray(seen.read(np.array([i])))[0], len(judged))
            logits[place_of[part.judged]] = np.stack(list(rows)) @ network.weights + network.bias
        return logits

    def _timed(self, problem: ClassifyProblem) -> str:
        return f"{self.name} {self.way.network(problem)} {self.way.input_spec(problem).key}"

    def _n_looks(self, problem: ClassifyProblem) -> int:
        sizes = [len(part.train) for part in _lessons(problem)]
        return sum(n * self.way.epochs(problem, n) for n in sizes)

    def _other_s(self, problem: ClassifyProblem) -> float:
        n_read = problem.n_judged + len(problem.labels)
        return _IMPORT_S + _EXPORT_S * (len(_lessons(problem)) + 1) + 0.002 * n_read / cores()

    def _measured(self, problem: ClassifyProblem) -> Estimate:
        """The estimate after real steps were timed on some of the pictures."""
        from winnow.train.course import Lesson
        from winnow.train.pictures import LabelledPictures

        course = self.way.course(problem, len(problem.parts[-1].train))
        some = np.arange(min(course.batch_size, len(problem.labels)))
        spec = self.way.input_spec(problem)
        pixels = np.stack([problem.store.reader.one(problem.contents[place], spec) for place in some])
        keys = [problem.contents[place] for place in some]
        pictures = LabelledPictures(pixels, problem.labels[some], keys=keys, n_classes=len(problem.classes))
        pace_of(problem, self._timed(problem), course, Lesson(pictures, 0, tell=tell_nobody))
        return self.estimate(problem)


def _lessons(problem: ClassifyProblem) -> list[Part]:
    """Who is learned from: part by part, and then from all, where more than one part judges."""
    parts = list(problem.parts)
    if problem.is_out_of_fold:
        parts.append(Part(np.arange(len(problem.labels)), np.empty(0, dtype=np.int64)))
    return parts


def _lesson_names(problem: ClassifyProblem) -> list[str]:
    """What each of the lessons was learned from, in words."""
    if not problem.is_out_of_fold:
        return ["training pictures"] * len(problem.parts)
    return [*(f"without fold {number}" for number in range(1, len(problem.parts) + 1)), "all pictures"]


def _curve(name: str, taught: Taught) -> LearningCurve:
    return LearningCurve(name, tuple(Epoch(epoch.losses, epoch.scores, epoch.lr) for epoch in taught.epochs))


def _weights(problem: ClassifyProblem, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
    """What each example counts: its own weight, times that of its class where all classes shall count the same."""
    weights = None if problem.weights is None else problem.weights[places]
    if problem.is_balanced:
        labels = problem.labels[places]
        counts = np.bincount(labels, minlength=len(problem.classes))
        balance = len(labels) / (np.count_nonzero(counts) * counts[labels])
        weights = balance if weights is None else weights * balance
    return weights


def _telling(what: str, tell: Tell) -> Tell:
    """Tells steps as the progress of `what`, and everything else as it is."""

    def heed(event: Event) -> None:
        tell(Progress(what, event.done, event.total) if isinstance(event, StepDone) else event)

    return heed
