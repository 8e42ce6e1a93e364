"""Train: climb the ladder, open the test split once, hand over the model with its report."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from winnow.api.budget import seconds_of
from winnow.api.dataset import Dataset
from winnow.api.finishing import Finish, finish, keep_newer_report
from winnow.api.loading import load
from winnow.api.model import Model
from winnow.api.tasks import AnyProblem, check_rungs, climb_ladder, plan_ladder, problem_of
from winnow.data.manifest import Example, Task
from winnow.errors import BadDataError, UserError
from winnow.events import Note, Tell
from winnow.graph.backbone import EMBEDDED, NONE, Backbone, choose_backbone, list_backbones
from winnow.graph.features import FeatureStore, PictureReader
from winnow.ladder.climb import Prefer
from winnow.ladder.plan import PlannedRung
from winnow.metrics.families import DEFAULTS, find_metric
from winnow.report.assemble import now
from winnow.version import VERSION
from winnow.workspace.climbs import spec_digest
from winnow.workspace.records import ClimbRecord
from winnow.workspace.workspace import Workspace, default_folder

PREFERENCES: tuple[Prefer, ...] = ("cheapest", "best")


@dataclass(frozen=True, slots=True)
class Wish:
    """How a user wants to climb, checked."""

    budget_s: float | None
    seed: int
    optimise: str | None
    """None: what its task is optimised for by default."""
    prefer: Prefer
    rungs: tuple[str, ...] | None
    opens_test: bool

    @classmethod
    def checked(
        cls,
        *,
        budget: str | float | None = None,
        seed: int = 0,
        optimise: str | None = None,
        prefer: str = "cheapest",
        rungs: Sequence[str] | None = None,
        open_test: bool = True,
    ) -> Wish:
        """The wish, or an error that says which argument makes no sense, before anything is done; see `train`."""
        metric = None if optimise is None else find_metric(optimise).name
        return cls(seconds_of(budget), _seed(seed), metric, _prefer(prefer), _names(rungs), open_test)

    def for_task(self, task: Task) -> Wish:
        """The wish for a dataset of this task, with its own metric and rungs.

        Raises:
            NotFoundError: the task has no metric or rung of a name that was wished for.
        """
        if self.rungs is not None:
            check_rungs(self.rungs, task)
        return replace(self, optimise=find_metric(self.optimise or DEFAULTS[task], task).name)

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


def train(
    dataset: Any,
    y: Any = None,
    *,
    budget: str | float | None = None,
    seed: int = 0,
    optimise: str | None = None,
    prefer: str = "cheapest",
    rungs: Sequence[str] | None = None,
    backbone: str | Path | None = None,
    name: str | None = None,
    open_test: bool = True,
    workspace: str | Path | Workspace | None = None,
    tell: Tell | None = None,
) -> Model:
    """Climb the ladder on a dataset and keep the model that the verdict chose.

    Ctrl-C ends the climb with the best so far; the same call later resumes it. The same seed on the same version
    and machine gives the same model, bit for bit.

    Args:
        dataset: a `Dataset`, or anything that `winnow.load` takes.
        y: labels, where `dataset` is an array or a list of pictures.
        budget: "30s", "5m", "1h" or seconds for the climb; None: as long as it takes.
        seed: of the folds and of every method's randomness.
        optimise: the metric that rungs are compared by (`winnow.metrics.families.FAMILIES`); None: accuracy, or mAP
            (macro_average_precision) where a picture may show several classes.
        prefer: "cheapest": the cheapest rung that nothing dearer is shown to beat; "best": the best mean.
        rungs: names of the rungs to try; None: all.
        backbone: a backbone's folder, or the name of one at hand; None: the first at hand (your own before the one
            that comes with Winnow); "none": climb without.
        name: what to call the model; default: after the dataset.
        open_test: look at the test split once, at the end; False leaves it closed for later.
        workspace: a folder; default: the dataset's, else WINNOW_WORKSPACE, else ~/.winnow.
        tell: hears progress; default: progress bars and the ladder, printed.

    Raises:
        BadDataError: nothing can be learned from the dataset, or the budget lets no rung run.
        NotFoundError: no such dataset, rung, metric or backbone.
        UserError: another argument makes no sense; the sentence says which.
    """
    wish = Wish.checked(budget=budget, seed=seed, optimise=optimise, prefer=prefer, rungs=rungs, open_test=open_test)
    if tell is not None:
        data = dataset if isinstance(dataset, Dataset) else load(dataset, y, workspace=workspace, tell=tell)
        return climb_on(data, wish, backbone, name, tell)
    from winnow.api.printing import Printer

    with Printer(metric=wish.optimise or DEFAULTS["classify"]) as printer:
        data = dataset if isinstance(dataset, Dataset) else load(dataset, y, workspace=workspace, tell=printer)
        model = climb_on(data, wish, backbone, name, printer)
    printer.show(model.report.numbers)
    return model


def shelves(*workspaces: Workspace | None) -> list[Path]:
    """Folders in which backbones are looked for: WINNOW_BACKBONES, then each workspace's own, then Winnow's.

    None, or no workspace, means the default one, which is neither made nor opened.
    """
    given = [Path(entry).expanduser() for entry in os.environ.get("WINNOW_BACKBONES", "").split(os.pathsep) if entry]
    default = default_folder().expanduser() / "backbones"
    own = [default if workspace is None else workspace.backbones_folder for workspace in workspaces or (None,)]
    return [*given, *own, EMBEDDED]


def climb_on(
    data: Dataset,
    wish: Wish,
    backbone: str | Path | None,
    name: str | None,
    tell: Tell,
    *,
    command: str | None = None,
) -> Model:
    """`train` with its arguments checked.

    Args:
        data: the dataset version.
        wish: how to climb.
        backbone: as in `train`.
        name: of the model.
        tell: hears progress.
        command: what a reader of the report types to get the same model; default: the command line's `winnow train`.
    """
    workspace = data.workspace
    task = data.manifest.task
    wish = wish.for_task(task)
    at_hand = choose_backbone(backbone, shelves(workspace))
    problem = _problem(data, wish, at_hand)
    spec = wish.spec(task, at_hand)
    record = workspace.find_unfinished_climb(data.name, data.version, spec_digest(spec))
    if record is None:
        record = workspace.start_climb(data.name, data.version, spec)
    else:
        tell(Note("An earlier climb of the same kind was broken off; it is resumed."))
    try:
        name = name or data.name
        command = command or _command(data, wish, at_hand, name)
        return _climb(data, wish, problem, record, name, command, tell)
    except (KeyboardInterrupt, SystemExit):  # SystemExit: SIGTERM, after a checkpoint
        workspace.finish_climb(record.id, "interrupted")
        raise
    except UserError:
        workspace.finish_climb(record.id, "interrupted")  # the cause can be mended, and the climb resumed
        raise
    except BaseException:
        workspace.finish_climb(record.id, "failed")
        raise


def plan_on(data: Dataset, wish: Wish, backbone: str | Path | None) -> list[PlannedRung]:
    """What `climb_on` would try, and what it would leave out and why, without climbing."""
    wish = wish.for_task(data.manifest.task)
    problem = _problem(data, wish, choose_backbone(backbone, shelves(data.workspace)))
    return plan_ladder(problem, wish.rungs, wish.budget_s)


def _problem(data: Dataset, wish: Wish, backbone: Backbone | None) -> AnyProblem:
    store = FeatureStore(PictureReader(data.workspace.blobs.read, data.workspace.cache_folder))
    task = data.manifest.task
    return problem_of(task, _examples(data), store, wish.optimise or DEFAULTS[task], wish.seed, backbone)


def _climb(
    data: Dataset,
    wish: Wish,
    problem: AnyProblem,
    record: ClimbRecord,
    name: str,
    command: str,
    tell: Tell,
) -> Model:
    workspace = data.workspace
    started = now()
    outcome = climb_ladder(
        problem,
        wish.rungs,
        record.folder / "rungs",
        budget_s=wish.budget_s,
        prefer=wish.prefer,
        tell=tell,
    )
    made_in = record.folder / "model"
    if made_in.exists():  # left by a kill between making and moving in
        shutil.rmtree(made_in)
    made_in.mkdir()
    details = Finish(
        name=name,
        climb_id=record.id,
        started=started,
        budget_s=wish.budget_s,
        prefer=wish.prefer,
        opens_test=wish.opens_test,
        command=command,
    )
    finish(outcome, problem, data, details, made_in, tell)
    assert outcome.chosen.candidate is not None
    digest = hashlib.sha256(outcome.chosen.candidate.graph).hexdigest()
    model = workspace.add_model(name, record.id, data.name, data.version, digest, made_in=made_in)
    if made_in.exists():  # the very same model is there already: what was measured of it now is the newest
        keep_newer_report(made_in, model.folder)
        shutil.rmtree(made_in)
    state = "interrupted" if outcome.was_interrupted else "finished"
    workspace.finish_climb(record.id, state, verdict=outcome.verdict.reason, seconds=outcome.seconds)
    return Model(model.folder)


def _examples(data: Dataset) -> list[Example]:
    examples = [example for example in data.examples() if example.split != "test" and example.labels is not None]
    if not examples:
        raise BadDataError(f"The dataset '{data.name}' has no labelled picture outside its test split.")
    return examples


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


def _command(data: Dataset, wish: Wish, backbone: Backbone | None, name: str) -> str:
    """The command line that climbs the same way on the same version."""
    words = ["winnow", "train", data.name, "--version", str(data.version), "--seed", str(wish.seed)]
    if wish.budget_s is not None:
        words += ["--budget", f"{wish.budget_s:g}s"]
    if wish.optimise not in (None, DEFAULTS[data.manifest.task]):
        words += ["--optimise", wish.optimise]
    if wish.prefer != "cheapest":
        words += ["--prefer", wish.prefer]
    if wish.rungs is not None:
        words += ["--rungs", ",".join(wish.rungs)]
    if not wish.opens_test:
        words += ["--no-test"]
    if name != data.name:
        words += ["--name", name]
    by_name = {other.name: other.digest for other in reversed(list_backbones(shelves(data.workspace)))}
    if backbone is None:
        words += ["--backbone", NONE] if by_name else []
    else:
        is_at_hand = by_name.get(backbone.name) == backbone.digest
        words += ["--backbone", backbone.name if is_at_hand else str(backbone.folder.resolve())]
    return shlex.join(words)
