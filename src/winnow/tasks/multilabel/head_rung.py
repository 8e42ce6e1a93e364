"""A rung that looks at one kind of features and learns one head on them, each class against the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from winnow.events import Tell
from winnow.graph.join import join
from winnow.seeds import seed_for
from winnow.tasks.graph_notes import graph_notes
from winnow.tasks.heads.head import EachLesson, Head, Write, each_head_graph, learn_each_class
from winnow.tasks.learning import estimate, heeding, learn_in_parts, picture_ms, telling_parts
from winnow.tasks.looks import Look
from winnow.tasks.multilabel.calibration import choose, cross_fitted
from winnow.tasks.multilabel.problem import MultilabelProblem
from winnow.tasks.rung import Candidate, Clock, Estimate, Settings


@dataclass(frozen=True)
class EachHeadRung:
    """Features, then a head that answers for every class by itself."""

    name: str
    title: str
    look: Look
    head: Head

    def skip_reason(self, problem: MultilabelProblem) -> str | None:
        """Why this rung cannot pay here."""
        return self.look.skip_reason(problem)

    def estimate(self, problem: MultilabelProblem) -> Estimate:
        """Features that are not at hand are counted in full; folds share the cores."""
        features = self.look.features(problem)
        if features is None:
            return Estimate(0.0)
        n_train, grid = len(problem.parts[0].train), len(self.head.grid(features.dim))
        once_s = self.head.estimate_each_s(n_train, features.dim, len(problem.classes), grid)
        return estimate(problem, features, once_s)

    def climb(self, problem: MultilabelProblem, clock: Clock, tell: Tell) -> Candidate:
        """Learn in every part, choose the settings, learn from all, and write the graph."""
        features = self.look.features(problem)
        assert features is not None, "skip_reason was asked first"
        rows = problem.rows(features, heeding(clock, tell))
        grid = self.head.grid(features.dim)
        seed, n_classes = seed_for(problem.seed, self.name), len(problem.classes)

        def learn(places: npt.NDArray[np.int64]) -> list[Write]:
            weights = None if problem.weights is None else problem.weights[places]
            return learn_each_class(self.head, EachLesson(rows[places], problem.labels[places], seed, weights), grid)

        parts_done = telling_parts(self.title, tell)
        grid_logits, writes = learn_in_parts(problem, rows, n_classes, len(grid), learn, clock, parts_done)
        labels = problem.labels[problem.judged]
        predictions = cross_fitted(grid_logits, labels, problem.judging.groups)
        best, sigmoids = choose(grid_logits, labels)
        head = each_head_graph(writes[best], sigmoids.slopes, sigmoids.offsets, sigmoids.most, features.dim)
        choice = problem.format_of(features)
        settings: Settings = {**grid[best], "features": features.name}
        if features.is_backbone:
            settings["number_format"] = choice.number_format
        if problem.weights is not None:
            settings["weights"] = "heeded" if self.head.heeds_weights else "ignored"
        thresholds = problem.thresholds(predictions)
        notes = graph_notes("multilabel", self.name, problem.classes, features.input_spec, thresholds)
        return Candidate(
            predictions,
            join(problem.graph_of(features), head, notes=notes),
            picture_ms(features, choice, head),
            settings,
        )
