"""A rung that looks at one kind of features and learns one head on them: all of the light rungs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from winnow.events import Tell
from winnow.graph.join import join
from winnow.seeds import seed_for
from winnow.tasks.classify.calibration import choose, cross_fitted
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.graph_notes import graph_notes
from winnow.tasks.heads.head import Head, Lesson, Write, head_graph, learn_all_classes
from winnow.tasks.learning import estimate, heeding, learn_in_parts, picture_ms, telling_parts
from winnow.tasks.looks import Look
from winnow.tasks.rung import Candidate, Clock, Estimate, Settings


@dataclass(frozen=True)
class HeadRung:
    """Features, then a head; one object per file in `rungs/`."""

    name: str
    title: str
    look: Look
    head: Head

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """Why this rung cannot pay here."""
        return self.look.skip_reason(problem)

    def estimate(self, problem: ClassifyProblem) -> Estimate:
        """Features that are not at hand are counted in full; folds share the cores."""
        features = self.look.features(problem)
        if features is None:
            return Estimate(0.0)
        n_train, grid = len(problem.parts[0].train), len(self.head.grid(features.dim))
        once_s = self.head.estimate_s(n_train, features.dim, len(problem.classes), grid)
        return estimate(problem, features, once_s)

    def climb(self, problem: ClassifyProblem, clock: Clock, tell: Tell) -> Candidate:
        """Learn in every part, choose the settings, learn from all, and write the graph."""
        features = self.look.features(problem)
        assert features is not None, "skip_reason was asked first"
        rows = problem.rows(features, heeding(clock, tell))
        grid = self.head.grid(features.dim)
        seed, n_classes = seed_for(problem.seed, self.name), len(problem.classes)

        def learn(places: npt.NDArray[np.int64]) -> list[Write]:
            weights = None if problem.weights is None else problem.weights[places]
            lesson = Lesson(rows[places], problem.labels[places], n_classes, seed, problem.is_balanced, weights)
            return learn_all_classes(self.head, lesson, grid)

        parts_done = telling_parts(self.title, tell)
        grid_logits, writes = learn_in_parts(problem, rows, n_classes, len(grid), learn, clock, parts_done)
        labels = problem.labels[problem.judged]
        predictions = cross_fitted(grid_logits, labels, problem.judging.groups)
        best, temperature = choose(grid_logits, labels)
        head = head_graph(writes[best], temperature, features.dim, n_classes)
        choice = problem.format_of(features)
        settings: Settings = {**grid[best], "features": features.name, "temperature": round(temperature, 4)}
        if features.is_backbone:
            settings["number_format"] = choice.number_format
        if problem.weights is not None:
            settings["weights"] = "heeded" if self.head.heeds_weights else "ignored"
        notes = graph_notes("classify", self.name, problem.classes, features.input_spec)
        return Candidate(
            predictions,
            join(problem.graph_of(features), head, notes=notes),
            picture_ms(features, choice, head),
            settings,
        )
