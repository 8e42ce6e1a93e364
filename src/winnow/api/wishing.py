"""How a climb is wished for, as JSON values that wait in a job: checked before anybody waits, read by who climbs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from winnow.api.dataset import Dataset
from winnow.api.training import Wish, shelves
from winnow.graph.backbone import choose_backbone
from winnow.workspace.names import valid_name
from winnow.workspace.records import JobRecord


def checked_wish(
    data: Dataset,
    *,
    budget: str | float | None,
    seed: int,
    optimise: str | None,
    prefer: str,
    rungs: Sequence[str] | None,
    backbone: str | Path | None,
    name: str | None,
    open_test: bool,
) -> dict[str, Any]:
    """The wish as JSON values, or the error that the climb would end with, before anybody waits for it."""
    wish = Wish.checked(budget=budget, seed=seed, optimise=optimise, prefer=prefer, rungs=rungs, open_test=open_test)
    wish.for_task(data.manifest.task)
    return {
        "budget": wish.budget_s,
        "seed": wish.seed,
        "optimise": wish.optimise,
        "prefer": wish.prefer,
        "rungs": None if wish.rungs is None else list(wish.rungs),
        "backbone": _backbone(data, backbone),
        "name": None if name is None else valid_name(name),
        "open_test": wish.opens_test,
    }


def _backbone(data: Dataset, backbone: str | Path | None) -> str | None:
    """As it can be asked for from anywhere: the climb may run in another folder than the one a path was given in."""
    chosen = choose_backbone(backbone, shelves(data.workspace))
    if chosen is None or backbone is None or str(backbone) == chosen.name:
        return None if backbone is None else str(backbone)
    return str(chosen.folder.resolve())


def wish_of(record: JobRecord) -> Wish:
    """The wish of a job; the backbone and the model's name are told apart from it."""
    wish = record.wish
    return Wish.checked(
        budget=wish["budget"],
        seed=wish["seed"],
        optimise=wish["optimise"],
        prefer=wish["prefer"],
        rungs=wish["rungs"],
        open_test=wish["open_test"],
    )
