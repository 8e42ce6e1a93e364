"""Answers for millions of files: in flat memory, in shards that a kill does not lose, joined to one table at the end.

Beside the table that is asked for lies a folder `NAME.parts` while the work goes on: the list of files, what the work
is (`plan.json`, written last of the two), and a file for each shard that is done, each whole or not there. The same
command goes on from there and gives the same file; then the folder goes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from winnow.api.batch_forms import Form, errors_in, form_of, join
from winnow.api.batch_list import read_paths, walk, write_paths
from winnow.api.batch_shard import OpenModel, open_model, predict_shard
from winnow.api.model import Model, model_folder
from winnow.data.paths import at_home
from winnow.data.whole_files import disk_errors, write_whole, write_with
from winnow.errors import BadDataError, ConflictError, NotFoundError
from winnow.events import Note, Progress, Tell, tell_nobody

SHARD = 1024
"""Files a shard: so many answers a kill costs at most."""
PARTS = ".parts"
_FORMAT = 1
_LIST, _PLAN, _NEW_LIST = "files", "plan.json", "files.new"


@dataclass(frozen=True, slots=True)
class BatchDone:
    """What was written.

    Attributes:
        out: the table of answers.
        pictures: how many lines it has.
        resumed: how many of them were there from an interrupted run.
        errors: how many of them say why there is no answer.
    """

    out: Path
    pictures: int
    resumed: int
    errors: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an interrupted run was about."""

    format: int
    model: str
    files: int
    sha256: str
    form: Form
    shard: int


def predict_files(
    model: Model | str | Path,
    what: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    restart: bool = False,
    workspace: str | Path | None = None,
    tell: Tell = tell_nobody,
) -> BatchDone:
    """Write a model's answers for any number of picture files, a line each, in the order of `winnow predict`.

    The columns are those of `winnow predict --to csv`: source, label and prob (or labels), prob_<class> for each class,
    error; lines of JSON are those of `winnow predict --json`. A file that cannot be read costs its own line, and if all
    are such, that is no exception either: `errors` counts them. If it is interrupted, however hard, the same call goes
    on and gives the same file.

    Args:
        model: it, its name or its folder.
        what: folders, files, patterns, as many as there are; a text file (.txt) of paths, a line each, or "-" for such
            lines from stdin. A path in such a list that is not there costs its own line.
        out: the table to be written: .parquet, .csv or .jsonl.
        restart: forget what an interrupted run did, and overwrite `out`.
        workspace: where a name is looked for.
        tell: hears how far it is.

    Raises:
        NotFoundError: there is no such model, or nothing to answer.
        ConflictError: `out` is there, or the model or the list of files is not that of the interrupted run.
        UserError: `out` has another ending.
        WorkspaceError: the disk refuses.
    """
    folder = model.folder if isinstance(model, Model) else model_folder(model, workspace)
    opened = open_model(folder)  # a damaged model is told before a million files are listed
    target = at_home(Path(out))
    form = form_of(target)
    named = [str(what)] if isinstance(what, (str, Path)) else map(str, what)
    parts = target.with_name(target.name + PARTS)
    with disk_errors("write", target, place="place"):
        before = None if restart else _read_plan(parts)
        if target.exists() and before is None and not restart:
            raise ConflictError(f"{target} is there already: choose another name, or add --restart to overwrite it.")
        if before is None:
            _forget(parts)  # what a run left that was stopped before it had a plan, or after it had done all
            parts.mkdir(parents=True)
        plan = _planned(opened, named, form, parts, before, tell)
        resumed = _work(folder, plan, parts, tell)
        tell(Progress("joining", 0))
        shards = [_shard(parts, number, form) for number in range(-(-plan.files // plan.shard))]
        has_several = opened.facts.thresholds is not None
        errors = sum(errors_in(shard, form) for shard in shards)
        joined = parts / target.name
        write_with(
            joined,
            lambda file: join(shards, form, opened.facts.classes, has_several=has_several, file=file),
            is_durable=True,
        )
        joined.replace(target)
        _forget(parts)
    return BatchDone(target, plan.files, resumed, errors)


def _forget(parts: Path) -> None:
    """The plan goes first: without it, shards that a kill leaves belong to nothing."""
    (parts / _PLAN).unlink(missing_ok=True)
    if parts.exists():
        shutil.rmtree(parts)


def _planned(
    model: OpenModel, named: Iterable[str], form: Form, parts: Path, before: _Plan | None, tell: Tell
) -> _Plan:
    """What is to be done; that of the interrupted run if there was one.

    Raises:
        ConflictError: it is not the same.
        NotFoundError: no picture was found.
    """
    tell(Progress("listing files", 0))
    try:
        count, sha256 = write_paths(parts / _NEW_LIST, _counted(walk(named, parts, tell), tell))
        if not count:
            raise NotFoundError("No picture was found there: name files, or folders that hold some.")
    except NotFoundError:
        if before is None:
            _forget(parts)
        raise
    plan = _Plan(_FORMAT, model.identity, count, sha256, form, SHARD)
    if before is not None:
        (parts / _NEW_LIST).unlink()
        _check_same(before, plan, parts)
        return before
    (parts / _NEW_LIST).replace(parts / _LIST)
    write_whole(parts / _PLAN, json.dumps(asdict(plan)).encode(), is_durable=True)
    return plan


def _counted(paths: Iterator[str], tell: Tell) -> Iterator[str]:
    for count, path in enumerate(paths, start=1):
        if count % 10_000 == 0:
            tell(Progress("listing files", count))
        yield path


def _check_same(before: _Plan, now: _Plan, parts: Path) -> None:
    if before.model != now.model:
        why = "by another model"
    elif before.files != now.files:
        why = f"for {before.files} files, and there are {now.files} now"
    elif before.sha256 != now.sha256:
        why = "for files of other names or in another order"
    elif (before.format, before.shard) != (now.format, now.shard):
        why = "by another version of Winnow"
    else:
        return
    raise ConflictError(
        f"The interrupted run in {parts} was {why}. Add --restart to begin anew, or choose another name."
    )


def _read_plan(parts: Path) -> _Plan | None:
    try:
        values: dict[str, Any] = json.loads((parts / _PLAN).read_text(encoding="utf-8"))
        return _Plan(**values)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise BadDataError(f"{parts / _PLAN} is damaged ({error}). Add --restart to begin anew.") from error


def _work(folder: Path, plan: _Plan, parts: Path, tell: Tell) -> int:
    """Write the shards that are missing; gives how many pictures were answered before."""
    paths = read_paths(parts / _LIST)
    done = resumed = 0
    for number in range(-(-plan.files // plan.shard)):
        files = list(islice(paths, plan.shard))
        shard = _shard(parts, number, plan.form)
        if shard.exists():
            resumed += len(files)
            done += len(files)
            continue
        if resumed == done and resumed:
            tell(Note(f"Going on after {resumed} of {plan.files} pictures, which were answered before."))

        def more(count: int) -> None:
            nonlocal done
            done += count
            tell(Progress("predicting", done, plan.files))

        write_whole(shard, predict_shard(folder, files, plan.form, done=more), is_durable=True)
    return resumed


def _shard(parts: Path, number: int, form: Form) -> Path:
    return parts / f"{number:07}.{form}"
