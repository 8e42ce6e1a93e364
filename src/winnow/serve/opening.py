"""What a person names to be served, opened: facts alone, graphs are for the workers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from winnow.api.model import sure_from_in
from winnow.errors import NotFoundError, UserError
from winnow.graph.join import PIXELS, PROBABILITIES
from winnow.serve.foreign_graph import inputs_and_outputs, read_foreign
from winnow.serve.served import Lineup, Served, Share, Tensor
from winnow.tasks.predictor import ModelFacts, is_model
from winnow.workspace.names import name_from_source, valid_name

if TYPE_CHECKING:
    from winnow.workspace.workspace import Workspace

_DIGITS = 12  # of a digest that stands for a version


def lineup_of(
    models: Sequence[str], canaries: Sequence[str] = (), workspace: str | Path | Workspace | None = None
) -> Lineup:
    """What shall be served.

    Args:
        models: each as `open_served` takes it. The first version named of a model answers its questions; others of the
            same name only those that ask for them.
        canaries: versions that get a share of their model's questions, such as "clouds@3=0.1".
        workspace: where names are looked up; None: the default one.

    Raises:
        NotFoundError: one is not there.
        UserError: nothing is named, a version is named twice, or shares do not fit.
    """
    shares: dict[str, list[Share]] = {}
    for spec in models:
        served = open_served(spec, workspace)
        there = shares.setdefault(served.name, [])
        there.append(Share(served, 0.0 if there else 1.0))
    for canary in canaries:
        spec, share = _canary(canary)
        served = open_served(spec, workspace)
        if served.name not in shares:
            raise UserError(f"The canary {served.full_name} has no model beside it; serve {served.name} as well.")
        first, *others = shares[served.name]
        if served.version == first.served.version:
            raise UserError(
                f"{served.full_name} answers the others already, so it is no canary; name the version that shall "
                f"answer them, such as {served.name}@1."
            )
        if share > first.share:
            raise UserError(f"The canaries of '{served.name}' get more than all questions; let shares add up to 1.")
        shares[served.name] = [Share(first.served, first.share - share), *others, Share(served, share)]
    return Lineup([share for versions in shares.values() for share in versions])


def open_served(spec: str, workspace: str | Path | Workspace | None = None) -> Served:
    """One version of one model, as the server knows it.

    Args:
        spec: a model's name in the workspace, "clouds" (the newest) or "clouds@2"; a model's folder; an ONNX file that
            was made elsewhere. Before a folder or file, "name=" says what it shall be called.
        workspace: where names are looked up; None: the default one.

    Raises:
        NotFoundError: there is no such model.
        BadDataError: its files are damaged; of an ONNX file also: it is not safe to open, or takes no plain tensors.
        UserError: the name cannot be one.
    """
    name, equals, place = spec.partition("=")
    if not equals:
        name, place = "", spec
    wanted = valid_name(name) if equals else None
    path = Path(place).expanduser()
    # A bare word is a model's name, even where a folder or file is called the same.
    is_path = bool(equals) or any(mark in place for mark in "/\\")
    if path.suffix.lower() == ".onnx" or (is_path and path.is_file()):
        return _foreign(path, wanted)
    if is_path or is_model(path):
        return _of_folder(path, wanted)
    return _of_workspace(place, workspace)


def _canary(text: str) -> tuple[str, float]:
    spec, equals, share = text.rpartition("=")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not equals or not spec or not 0 < value < 1:
        raise UserError(f"'{text}' is no canary; name a version and its share between 0 and 1, such as clouds@3=0.1.")
    return spec, value


def _of_workspace(name: str, workspace: str | Path | Workspace | None) -> Served:
    # The workspace's database is not needed to serve a folder.
    from winnow.api.dataset import using

    with using(workspace) as opened:
        record = opened.find_model(name)
    return _pictures(record.folder, record.name, str(record.number))


def _of_folder(folder: Path, name: str | None) -> Served:
    facts = ModelFacts.read(folder)
    is_kept = folder.resolve().name.isdecimal() and folder.resolve().parent.parent.name == "models"
    version = folder.resolve().name if is_kept and name is None else facts.sha256[:_DIGITS]
    # The folder may be somebody else's, and its name goes into addresses and onto the screen.
    return _pictures(folder, name or valid_name(facts.name), version)


def _pictures(folder: Path, name: str, version: str) -> Served:
    facts = ModelFacts.read(folder)
    side, n_classes = facts.input_spec.side_px, len(facts.classes)
    return Served(
        name=name,
        version=version,
        path=folder,
        digest=facts.sha256,
        kind="pictures",
        task=facts.task,
        classes=facts.classes,
        thresholds=facts.thresholds,
        sure_from=sure_from_in(folder),
        input_spec=facts.input_spec,
        inputs=(Tensor(PIXELS, "uint8", (None, side, side, 3)),),
        outputs=(Tensor(PROBABILITIES, "float32", (None, n_classes)),),
    )


def _foreign(path: Path, name: str | None) -> Served:
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}; name an ONNX file, such as digits=models/digits.onnx.")
    model, digest = read_foreign(path)
    inputs, outputs = inputs_and_outputs(model, path)
    return Served(
        name=name or name_from_source(path.with_suffix("")),
        version=digest[:_DIGITS],
        path=path,
        digest=digest,
        kind="tensors",
        inputs=inputs,
        outputs=outputs,
    )
