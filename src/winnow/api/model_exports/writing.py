"""Write a model in one of its forms, prove it, and hand it over: all or nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from winnow.api.evaluation import home_around
from winnow.api.model import Model
from winnow.api.model_exports import MODEL_EXPORTS
from winnow.api.model_exports.model_export import Leaving, ModelExport
from winnow.api.model_exports.origin import write_origin
from winnow.api.model_exports.pictures import proof_pictures
from winnow.api.model_exports.proof import Proof, prove
from winnow.api.model_exports.web import WebPage
from winnow.data.targets.new_folder import new_folder, refuse_occupied
from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.events import Tell, tell_nobody
from winnow.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What was handed over.

    Attributes:
        path: the new folder.
        format: such as "onnx".
        model: the model's full name.
        files: how many.
        n_bytes: their size.
        proof: what was proven of it; the same lies in the folder as `proof.json`, and where the model is signed, its
            chain beside it as `origin.json`.
    """

    path: Path
    format: str
    model: str
    files: int
    n_bytes: int
    proof: Proof

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {**asdict(self), "path": str(self.path), "proof": self.proof.as_dict()}


def export_model(
    model: Model,
    path: str | Path,
    *,
    to: str = "onnx",
    pictures: Any = None,
    runtime: str | Path | None = None,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> ExportedModel:
    """Write a model to `path` for other programs, whole or not at all, and proven.

    The finished export is opened afresh and answers for the pictures that the model was judged on. Only if these are
    the evaluated model's answers (every answer the same, no probability further apart than 1e-4) is it handed over.

    Args:
        model: which.
        path: a folder that is not there yet, or an empty one.
        to: the form, one of `winnow.api.model_exports.MODEL_EXPORTS`.
        pictures: other pictures for the proof (anything that `winnow.load` takes), where the dataset is gone.
        runtime: for "web": the folder of the npm package onnxruntime-web; default: WINNOW_ONNXRUNTIME_WEB, else
            node_modules/onnxruntime-web here.
        workspace: where the model's dataset is; default: the one the model lies in, else WINNOW_WORKSPACE, else
            ~/.winnow.
        tell: hears progress.

    Raises:
        NotFoundError: no such form, or nothing to prove it on.
        UserError: the model cannot leave so, something is at `path`, a runtime is given to a form that brings none, or
            the proof failed; the sentence says which.
        WorkspaceError: the disk refused.
    """
    export = find_model_export(to)
    if runtime is not None and export.name != WebPage.name:
        raise UserError(f"A runtime belongs to web pages (to='{WebPage.name}'), not to {export.name}: leave it out.")
    path = Path(path).expanduser().absolute()
    refuse_occupied(path)
    with proof_pictures(model, pictures, workspace, tell) as chosen:
        leaving = export.prepare(Leaving.of(model, chosen, None if runtime is None else Path(runtime)), tell)
        with new_folder(path) as out:
            export.write(leaving, out, tell)
            proof = prove(export, leaving, out, tell)
            with home_around(model.folder, workspace) as home:
                write_origin(export.name, leaving, out, home)
            files = out.files()
            size = sum((out.path / file).stat().st_size for file in files)
    return ExportedModel(path, export.name, model.full_name, len(files), size, proof)


def find_model_export(to: str) -> ModelExport:
    """The form of that name.

    Raises:
        NotFoundError: there is none; says what is near.
    """
    forms = {form.name: form for form in MODEL_EXPORTS}
    if (form := forms.get(to.strip().casefold())) is not None:
        return form
    known = ", ".join(forms)
    raise NotFoundError(
        f"There is no format '{to}'. {did_you_mean(to, forms, otherwise=f'Models can be written as {known}.')}"
    )
