"""`winnow export NAME --to FORMAT`: the format's name says whether a model or a dataset is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from winnow.api.dataset import using
from winnow.api.model import Model
from winnow.api.model_exports import MODEL_EXPORTS
from winnow.api.model_exports.writing import ExportedModel, export_model, find_model_export
from winnow.data.targets import TARGETS
from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.events import Tell, tell_nobody
from winnow.workspace.workspace import Workspace


def is_for_models(to: str) -> bool:
    """Whether a format is one for models; else it is one for datasets.

    Raises:
        NotFoundError: it is neither; says what is near.
    """
    models, datasets = [form.name for form in MODEL_EXPORTS], [target.name for target in TARGETS]
    name = to.strip().casefold()
    if name in models or name in datasets:
        return name in models
    known = f"Models can be written as {', '.join(models)}; datasets as {', '.join(datasets)}."
    raise NotFoundError(f"There is no format '{to}'. {did_you_mean(to, [*models, *datasets], otherwise=known)}")


def export_model_named(
    name: str | Path,
    *,
    to: str,
    out: str | Path | None = None,
    pictures: Any = None,
    runtime: str | Path | None = None,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> ExportedModel:
    """`export_model` for a model's name ("clouds", "clouds@2") or folder.

    Args:
        out: a folder that is not there yet; default: <name>-<to> here.

    Raises:
        NotFoundError: no such model; says so where a dataset is called so.
        UserError, WorkspaceError: as `export_model`.
    """
    form = find_model_export(to)
    model = _model_named(name, form.name, workspace)
    path = Path(f"{model.name}-{form.name}") if out is None else out
    return export_model(model, path, to=form.name, pictures=pictures, runtime=runtime, workspace=workspace, tell=tell)


def _model_named(name: str | Path, to: str, workspace: str | Path | Workspace | None) -> Model:
    try:
        return Model.open(name, workspace)
    except NotFoundError:
        with using(workspace) as opened:
            if str(name).lower() not in {record.name.lower() for record in opened.datasets()}:
                raise
            models = [one.full_name for one in opened.models() if one.dataset.lower() == str(name).lower()]
        hint = f"its models are {', '.join(models)}" if models else f"train one: winnow train {name}"
        raise UserError(f"'{name}' is a dataset, and {to} is a format for models; {hint}.") from None
