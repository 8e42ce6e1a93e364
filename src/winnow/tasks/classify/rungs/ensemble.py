"""The mean of what the best rungs say: several methods that err in different places, weighed against each other.

Members are chosen greedily, each time the one that makes the mean's log loss least, and one may be chosen several
times: how often is its weight. The judged examples of a fold are answered with weights that the other folds chose.

Source: Caruana, Niculescu-Mizil, Crew, Ksikes, Ensemble Selection from Libraries of Models, ICML 2004.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from winnow.events import Progress, Tell
from winnow.graph.ensemble import Member, join_all
from winnow.graph.join import cut
from winnow.graph.runtime import NumberFormat
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.graph_notes import graph_notes
from winnow.tasks.rung import Candidate, CannotPayError, Clock, Estimate, Workbench

Stack = npt.NDArray[np.float32]
"""(M, N, C): what M members say of N examples."""

ROUNDS = 20
_MOST_MEMBERS = 5
"""More would be slow to use, and the sixth hardly ever helps."""


class Ensemble:
    """Of what the rungs below it made."""

    name = "ensemble"
    title = "ensemble of the best"

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """None: what is there to be joined is known only when all others are done."""
        return None

    def estimate(self, problem: ClassifyProblem) -> Estimate:
        """Graphs are joined; nothing is learned but the weights."""
        return Estimate(1.0 + 1e-8 * ROUNDS * 10 * problem.n_judged * len(problem.classes))

    def climb(self, problem: ClassifyProblem, clock: Clock, tell: Tell) -> Candidate:
        """It cannot work alone.

        Raises:
            CannotPayError: always.
        """
        raise CannotPayError("it needs other methods to choose from")

    def climb_at(self, bench: Workbench, problem: ClassifyProblem, clock: Clock, tell: Tell) -> Candidate:
        """Weigh the candidates at hand, and write their graphs as one.

        Raises:
            CannotPayError: there is nothing to be joined, or one method alone does as well.
        """
        members = _eligible(bench.earlier, problem)
        said: Stack = np.stack([candidate.predictions for candidate in members.values()])
        labels = problem.labels[problem.judged]
        predictions = np.empty_like(said[0])
        for group in np.unique(problem.judging.groups):
            mine = problem.judging.groups == group
            weights = choose_weights(said[:, ~mine], labels[~mine])
            predictions[mine] = np.tensordot(weights, said[:, mine], axes=1)
        weights = choose_weights(said, labels)
        chosen = {name: (members[name], w) for name, w in zip(members, weights.tolist(), strict=True) if w > 0}
        if len(chosen) == 1:
            raise CannotPayError(f"no other method adds to what '{next(iter(chosen))}' says")
        tell(Progress(self.title, 1, 1))
        return self._candidate(problem, chosen, predictions)

    def _candidate(
        self, problem: ClassifyProblem, chosen: Mapping[str, tuple[Candidate, float]], predictions: Stack
    ) -> Candidate:
        joined = [
            Member(str(one.settings["features"]), *cut(one.graph), weight=weight) for one, weight in chosen.values()
        ]
        first = next(iter(chosen.values()))[0]
        name = f"all that {', '.join(chosen)} look at"
        notes = graph_notes("classify", self.name, problem.classes, problem.input_spec_of(first))
        ms_of = {str(one.settings["features"]): one.picture_ms for one, _ in chosen.values()}
        return Candidate(
            predictions / predictions.sum(axis=1, keepdims=True),
            join_all(joined, notes=notes),
            round(sum(ms_of.values()), 3),
            {
                "features": name,
                "members": ", ".join(f"{name} {weight:.2f}" for name, (_, weight) in chosen.items()),
                "number_format": _common([problem.number_format_of(one) for one, _ in chosen.values()]),
            },
        )


def _eligible(earlier: Mapping[str, Candidate], problem: ClassifyProblem) -> dict[str, Candidate]:
    """The best few of those that see the same pictures as the best; a graph has one input.

    Raises:
        CannotPayError: there are none to be joined.
    """
    labels = problem.labels[problem.judged]
    losses = {name: _log_loss(candidate.predictions, labels) for name, candidate in earlier.items()}
    ranked = sorted(losses, key=losses.__getitem__)
    if not any(problem.brings_features(earlier[name]) for name in ranked):
        raise CannotPayError("no network was trained: the light methods see the same and say the same")
    spec = problem.input_spec_of(earlier[ranked[0]])
    alike = [name for name in ranked if problem.input_spec_of(earlier[name]) == spec][:_MOST_MEMBERS]
    if len(alike) < 2:
        raise CannotPayError(f"no other method sees the same pictures as the best one, '{ranked[0]}'")
    return {name: earlier[name] for name in earlier if name in alike}


def choose_weights(said: Stack, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """(M,) weights that sum to 1, of the mean with the least log loss, found greedily.

    Args:
        said: (M, N, C) probabilities.
        labels: (N,) class ids.
    """
    counts = np.zeros(len(said))
    true = said[:, np.arange(len(labels)), labels].astype(np.float64)
    total = np.zeros(len(labels))
    best, best_counts = np.inf, counts
    for size in range(1, ROUNDS + 1):
        losses = [_mean_loss((total + one) / size) for one in true]
        member = int(np.argmin(losses))
        counts, total = counts + (np.arange(len(said)) == member), total + true[member]
        if losses[member] < best - 1e-9:
            best, best_counts = losses[member], counts
    return (best_counts / best_counts.sum()).astype(np.float32)


def _mean_loss(true: npt.NDArray[np.float64]) -> float:
    return float(-np.log(np.maximum(true, 1e-15)).mean())


def _log_loss(predictions: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    return _mean_loss(predictions[np.arange(len(labels)), labels].astype(np.float64))


def _common(formats: Sequence[NumberFormat]) -> NumberFormat:
    """What all can run in: bf16 only if all were judged in it; int8 graphs carry their own int8."""
    if set(formats) == {"bf16"}:
        return "bf16"
    return "int8" if "int8" in formats else "fp32"


RUNG = Ensemble()
