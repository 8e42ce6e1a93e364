"""What a user wishes for in a climb: checked once, kept as JSON while it waits, said as options of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from winnow.api.budget import budget_in_words, seconds_of
from winnow.api.shelves import shelves
from winnow.api.tasks import check_rungs
from winnow.data.manifest import Task
from winnow.errors import UserError
from winnow.graph.backbone import Backbone, choose_backbone
from winnow.ladder.climb import Prefer
from winnow.metrics.families import DEFAULTS, find_metric
from winnow.version import VERSION
from winnow.workspace.names import valid_name
from winnow.workspace.workspace import Workspace

PREFERENCES: tuple[Prefer, ...] = ("cheapest", "best")


@dataclass(frozen=True, slots=True)
class Wish:
    """How a user wants to climb, checked; without arguments, as usual."""

    budget_s: float | None = None
    seed: int = 0
    optimise: str | None = None
    """None: what its task is optimised for by default."""
    prefer: Prefer = "cheapest"
    rungs: tuple[str, ...] | None = None
    backbone: str | None = None
    """A name or a folder, as `winnow.train` takes it; None: the first at hand."""
    name: str | None = None
    """Of the model; None: as the dataset."""
    opens_test: bool = True

    @classmethod
    def checked(
        cls,
        *,
        budget: str | float | None = None,
        seed: int = 0,
        optimise: str | None = None,
        prefer: str = "cheapest",
        rungs: Sequence[str] | None = None,
        backbone: str | Path | None = None,
        name: str | None = None,
        open_test: bool = True,
    ) -> Wish:
        """The wish, or an error that says which argument makes no sense, before anything is done; see `winnow.train`.

        Raises:
            NotFoundError: no rung or metric is called so.
            UserError: another argument makes no sense.
        """
        return cls(
            seconds_of(budget),
            _seed(seed),
            None if optimise is None else find_metric(optimise).name,
            _prefer(prefer),
            _names(rungs),
            None if backbone is None else str(backbone),
            None if name is None else valid_name(name),
            open_test,
        )

    def as_json(self) -> dict[str, Any]:
        """The keywords of `winnow.train` as JSON values, for a job that waits."""
        return {
            "budget": self.budget_s,
            "seed": self.seed,
            "optimise": self.optimise,
            "prefer": self.prefer,
            "rungs": None if self.rungs is None else list(self.rungs),
            "backbone": self.backbone,
            "name": self.name,
            "open_test": self.opens_test,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Wish:
        """A wish back from what `as_json` gave; another Winnow may know other rungs, which `for_task` tells."""
        return cls(
            values["budget"],
            values["seed"],
            values["optimise"],
            values["prefer"],
            None if values["rungs"] is None else tuple(values["rungs"]),
            values["backbone"],
            values["name"],
            values["open_test"],
        )

    def for_task(self, task: Task) -> Wish:
        """The wish for a dataset of this task, with its own metric and rungs.

        Raises:
            NotFoundError: the task has no metric or rung of a name that was wished for.
        """
        if self.rungs is not None:
            check_rungs(self.rungs, task)
        return replace(self, optimise=find_metric(self.optimise or DEFAULTS[task], task).name)

    def to_wait(self, task: Task, workspace: Workspace) -> Wish:
        """The wish as it can wait, after a look at all that the climb would refuse.

        The climb may run in another folder than the one that a backbone's path was given in.

        Raises:
            NotFoundError: the task has no such metric or rung, or no backbone is called so.
            BadDataError: the backbone's files are damaged.
        """
        self.for_task(task)
        chosen = choose_backbone(self.backbone, shelves(workspace))
        if chosen is None or self.backbone is None or self.backbone == chosen.name:
            return self
        return replace(self, backbone=str(chosen.folder.resolve()))

    def options(self) -> list[str]:
        """What differs from the usual, as words for `winnow train`."""
        words: list[str] = []
        if self.budget_s is not None:
            words += ["--budget", budget_in_words(self.budget_s)]
        if self.seed:
            words += ["--seed", str(self.seed)]
        if self.optimise is not None:
            words += ["--optimise", self.optimise]
        if self.prefer != "cheapest":
            words += ["--prefer", self.prefer]
        if self.rungs is not None:
            words += ["--rungs", ",".join(self.rungs)]
        if self.backbone is not None:
            words += ["--backbone", self.backbone]
        if self.name is not None:
            words += ["--name", self.name]
        return words if self.opens_test else [*words, "--no-test"]

    def spec(self, task: Task, backbone: Backbone | None) -> dict[str, Any]:
        """What decides the result: two climbs of the same spec on the same version are the same climb."""
        return {
            "winnow": VERSION,
            "task": task,
            "seed": self.seed,
            "budget_s": self.budget_s,
            "optimise": self.optimise,
            "prefer": self.prefer,
            "rungs": None if self.rungs is None else list(self.rungs),
            "backbone": None if backbone is None else backbone.digest,
        }


def _prefer(prefer: str) -> Prefer:
    for known in PREFERENCES:
        if prefer == known:
            return known
    raise UserError(f"'{prefer}' is no preference: choose {' or '.join(PREFERENCES)}.")


def _seed(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise UserError(f"A seed is a whole number from 0 to 4294967295, not {seed}.")
    return int(seed)


def _names(rungs: Sequence[str] | None) -> tuple[str, ...] | None:
    if rungs is None:
        return None
    check_rungs(list(rungs))
    return tuple(sorted(set(rungs)))
