"""Train: climb the ladder, open the test split once, hand over the model with its report."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from winnow.api.dataset import Dataset
from winnow.api.finishing import Finish, finish, keep_newer_report
from winnow.api.loading import load
from winnow.api.model import Model
from winnow.api.shelves import shelves
from winnow.api.tasks import AnyProblem, climb_ladder, plan_ladder, problem_of
from winnow.api.wish import Wish
from winnow.data.manifest import Example
from winnow.errors import BadDataError, UserError
from winnow.events import Note, Tell
from winnow.graph.backbone import NONE, Backbone, choose_backbone, list_backbones
from winnow.graph.features import FeatureStore, PictureReader
from winnow.ladder.plan import PlannedRung
from winnow.metrics.families import DEFAULTS
from winnow.report.assemble import now
from winnow.workspace.climbs import spec_digest
from winnow.workspace.records import ClimbRecord
from winnow.workspace.workspace import Workspace


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
    wish = Wish.checked(
        budget=budget,
        seed=seed,
        optimise=optimise,
        prefer=prefer,
        rungs=rungs,
        backbone=backbone,
        name=name,
        open_test=open_test,
    )
    if tell is not None:
        data = dataset if isinstance(dataset, Dataset) else load(dataset, y, workspace=workspace, tell=tell)
        return climb_on(data, wish, tell)
    from winnow.api.printing import Printer

    with Printer(metric=wish.optimise or DEFAULTS["classify"]) as printer:
        data = dataset if isinstance(dataset, Dataset) else load(dataset, y, workspace=workspace, tell=printer)
        model = climb_on(data, wish, printer)
    printer.show(model.report.numbers)
    return model


def climb_on(data: Dataset, wish: Wish, tell: Tell, *, command: str | None = None) -> Model:
    """`train` with its arguments checked.

    Args:
        data: the dataset version.
        wish: how to climb.
        tell: hears progress.
        command: what a reader of the report types to get the same model; default: the command line's `winnow train`.
    """
    workspace = data.workspace
    task = data.manifest.task
    wish = wish.for_task(task)
    at_hand = choose_backbone(wish.backbone, shelves(workspace))
    problem = _problem(data, wish, at_hand)
    spec = wish.spec(task, at_hand)
    record = workspace.find_unfinished_climb(data.name, data.version, spec_digest(spec))
    if record is None:
        record = workspace.start_climb(data.name, data.version, spec)
    else:
        tell(Note("An earlier climb of the same kind was broken off; it is resumed."))
    try:
        command = command or _command(data, wish, at_hand)
        return _climb(data, wish, problem, record, command, tell)
    except (KeyboardInterrupt, SystemExit):  # SystemExit: SIGTERM, after a checkpoint
        workspace.finish_climb(record.id, "interrupted")
        raise
    except UserError:
        workspace.finish_climb(record.id, "interrupted")  # the cause can be mended, and the climb resumed
        raise
    except BaseException:
        workspace.finish_climb(record.id, "failed")
        raise


def plan_on(data: Dataset, wish: Wish) -> list[PlannedRung]:
    """What `climb_on` would try, and what it would leave out and why, without climbing."""
    wish = wish.for_task(data.manifest.task)
    problem = _problem(data, wish, choose_backbone(wish.backbone, shelves(data.workspace)))
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
    command: str,
    tell: Tell,
) -> Model:
    workspace, name = data.workspace, wish.name or data.name
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


def _command(data: Dataset, wish: Wish, backbone: Backbone | None) -> str:
    """The command line that climbs the same way on the same version."""
    is_usual_metric = wish.optimise == DEFAULTS[data.manifest.task]
    said = replace(
        wish,
        optimise=None if is_usual_metric else wish.optimise,
        name=None if wish.name == data.name else wish.name,
        backbone=_as_option(backbone, data.workspace),
    )
    seed = ["--seed", "0"] if wish.seed == 0 else []  # said in any case: another default would be another climb
    return shlex.join(["winnow", "train", data.name, "--version", str(data.version), *seed, *said.options()])


def _as_option(backbone: Backbone | None, workspace: Workspace) -> str | None:
    by_name = {other.name: other.digest for other in reversed(list_backbones(shelves(workspace)))}
    if backbone is None:
        return NONE if by_name else None
    is_at_hand = by_name.get(backbone.name) == backbone.digest
    return backbone.name if is_at_hand else str(backbone.folder.resolve())
