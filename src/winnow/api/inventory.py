"""What is in a workspace, and how to take things out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from winnow.api.dataset import using
from winnow.api.shelves import shelves
from winnow.errors import NotFoundError, did_you_mean
from winnow.graph.backbone import list_backbones
from winnow.workspace.workspace import Workspace


def inventory(workspace: str | Path | Workspace | None = None) -> dict[str, Any]:
    """Datasets, models and backbones at hand, as plain values."""
    with using(workspace) as opened:
        return {
            "workspace": str(opened.folder),
            "datasets": [
                {
                    "name": record.name,
                    "version": record.newest.number,
                    "pictures": record.newest.examples,
                    "classes": record.newest.classes,
                    "bytes": opened.dataset_bytes(record.name),
                    "test_openings": record.openings,
                    "source": record.source,
                }
                for record in opened.datasets()
                if record.newest is not None
            ],
            "models": [
                {
                    "name": record.name,
                    "full_name": record.full_name,
                    "is_current": record.is_current,
                    "dataset": record.dataset,
                    "version": record.version,
                    "created": record.created,
                    "folder": str(record.folder),
                }
                for record in opened.models()
            ],
            "backbones": [
                {
                    "name": backbone.name,
                    "dim": backbone.dim,
                    "side_px": backbone.input_spec.side_px,
                    "licence": backbone.licence,
                    "folder": str(backbone.folder),
                }
                for backbone in list_backbones(shelves(opened))
            ],
        }


def describe_dataset(workspace: Workspace, name: str) -> dict[str, Any]:
    """A dataset's versions and its newest version's classes.

    Raises:
        NotFoundError: no such dataset.
    """
    record = workspace.find_dataset(name)
    return {
        "name": record.name,
        "source": record.source,
        "test_openings": record.openings,
        "versions": [
            {
                "number": version.number,
                "parent": version.parent,
                "what": version.what,
                "pictures": version.examples,
                "created": version.created,
            }
            for version in workspace.versions(name)
        ],
        "classes": workspace.manifest(name).counts() if record.newest is not None else {},
    }


def remove(name: str, *, force: bool = False, workspace: str | Path | Workspace | None = None) -> dict[str, Any]:
    """Remove the models of a name, or the dataset of that name.

    A name that is both means the models; with `force`, the dataset together with all its models.

    Raises:
        NotFoundError: nothing is called so.
        UserError: the dataset has models under other names, and `force` is False.
    """
    with using(workspace) as opened:
        bare = name.split("@", 1)[0].lower()
        is_model = bare in {record.name.lower() for record in opened.models()}
        datasets = {record.name.lower() for record in opened.datasets()}
        if name.lower() in datasets and (force or not is_model):
            removed = opened.remove_dataset(name, force=force)
        elif is_model:
            removed = opened.remove_model(name)
        else:
            known = datasets | {record.full_name for record in opened.models()}
            hint = did_you_mean(name, known, otherwise="`winnow list` shows what is there.")
            raise NotFoundError(f"Neither a model nor a dataset is called '{name}'. {hint}")
        return {"dataset": removed.dataset, "models": list(removed.models), "bytes": removed.bytes}
