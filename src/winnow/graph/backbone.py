"""A backbone: a network that turns pictures into features, as a folder with one graph and one small JSON."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from winnow.data.inputs import InputSpec
from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.graph.join import FEATURES, PIXELS
from winnow.graph.runtime import NumberFormat, OpenGraph, open_graph
from winnow.graph.safe_opening import checked_graph

EMBEDDED = Path(__file__).parent / "backbones"
"""The shelf of backbones that come with Winnow."""
NONE = "none"
"""What a user says who wants no backbone, though some are at hand."""
FACTS, WEIGHTS = "backbone.json", "weights.safetensors"
_GRAPH = "graph.onnx"


@dataclass(frozen=True, slots=True)
class Backbone:
    """A features graph and what a user should know of it."""

    name: str
    folder: Path
    input_spec: InputSpec
    dim: int
    """Features of one picture."""
    digest: str
    """sha256 of the graph, hex."""
    licence: str
    source: str
    transfer: Mapping[str, float] = field(default_factory=dict[str, float])
    """Measured by its makers: test accuracy of logistic regression on its features, by dataset; may be empty."""

    network: Mapping[str, Any] | None = None
    """Which network it is, where its weights lie beside the graph (`winnow.nets.backbone_weights`)."""

    def graph(self) -> bytes:
        """The graph's bytes, checked against the digest.

        Raises:
            UserError: the file is missing, or was changed or cut short.
            UnsafeModelError: it is no graph that may be opened.
        """
        try:
            data = (self.folder / _GRAPH).read_bytes()
        except OSError as error:
            raise UserError(
                f"The backbone '{self.name}' in {self.folder} has no {_GRAPH} that can be read; "
                "make or copy the backbone again."
            ) from error
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise UserError(
                f"The graph of backbone '{self.name}' in {self.folder} does not match its backbone.json; "
                "make or copy the backbone again."
            )
        checked_graph(data, str(self.folder / _GRAPH))
        return data

    def open(self, number_format: NumberFormat = "fp32") -> OpenGraph:
        """The graph, ready to run one picture at a time."""
        return open_graph(self.graph(), number_format, one_at_a_time=True)


def write_backbone(
    folder: Path, graph: bytes, *, name: str, input_spec: InputSpec, licence: str, source: str
) -> Backbone:
    """Write a backbone folder from a graph: `pixels` uint8 (N, side, side, 3) to `features` float32 (N, D).

    Raises:
        UserError: the graph's input or output is not of that kind.
        UnsafeModelError: it is no graph that may be opened.
    """
    model = checked_graph(graph, f"The graph of the backbone '{name}'")
    if [entry.name for entry in model.graph.input] != [PIXELS] or [e.name for e in model.graph.output] != [FEATURES]:
        raise UserError(f"A backbone's graph has one input '{PIXELS}' and one output '{FEATURES}'.")
    blank = np.zeros((1, input_spec.side_px, input_spec.side_px, 3), dtype=np.uint8)
    features = open_graph(graph, one_at_a_time=True).run(blank)
    if features.ndim != 2:
        raise UserError(f"A backbone gives one row of features a picture, not an array of shape {features.shape}.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _GRAPH).write_bytes(graph)
    facts = {
        "name": name,
        "input": input_spec.to_json(),
        "dim": int(features.shape[1]),
        "sha256": hashlib.sha256(graph).hexdigest(),
        "licence": licence,
        "source": source,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return open_backbone(folder)


def open_backbone(folder: Path) -> Backbone:
    """The backbone in a folder.

    Raises:
        NotFoundError: no backbone lies there.
        UserError: its JSON cannot be read.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return Backbone(
            name=str(facts["name"]),
            folder=folder,
            input_spec=InputSpec.from_json(facts["input"]),
            dim=int(facts["dim"]),
            digest=str(facts["sha256"]),
            licence=str(facts["licence"]),
            source=str(facts["source"]),
            network=dict(facts["network"]) if "network" in facts and (folder / WEIGHTS).is_file() else None,
            transfer={str(name): float(accuracy) for name, accuracy in facts.get("transfer", {}).items()},
        )
    except FileNotFoundError:
        raise NotFoundError(
            f"No backbone lies in {folder}: a backbone is a folder with {_GRAPH} and {FACTS} "
            "(`winnow backbones add` makes one)."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{folder / FACTS} is not a backbone's JSON ({error}); make the backbone again.") from error


def find_backbone(name_or_folder: str | Path, shelves: Iterable[Path]) -> Backbone:
    """A backbone by folder, or by name on the shelves (folders of backbones).

    Raises:
        NotFoundError: there is none; names near ones and those at hand.
    """
    folder = Path(name_or_folder).expanduser()
    if (folder / FACTS).is_file():
        return open_backbone(folder)
    at_hand = {backbone.name: backbone for backbone in reversed(list_backbones(shelves))}  # the first shelf wins
    if str(name_or_folder) in at_hand:
        return at_hand[str(name_or_folder)]
    known = f"At hand: {', '.join(sorted(at_hand))}." if at_hand else "None is at hand; give a backbone's folder."
    raise NotFoundError(
        f"No backbone is called '{name_or_folder}'. {did_you_mean(str(name_or_folder), at_hand, otherwise=known)}"
    )


def choose_backbone(asked: str | Path | None, shelves: Iterable[Path]) -> Backbone | None:
    """The backbone that a user asks for; None: the first on the shelves, if any; "none": no backbone.

    Raises:
        NotFoundError: none is called so.
    """
    if asked == NONE:
        return None
    return next(iter(list_backbones(shelves)), None) if asked is None else find_backbone(asked, shelves)


def list_backbones(shelves: Iterable[Path]) -> list[Backbone]:
    """All backbones on the shelves, by shelf and name; damaged ones are left out, so that they stop nobody."""
    found: list[Backbone] = []
    for shelf in shelves:
        for facts in sorted(shelf.glob(f"*/{FACTS}")) if shelf.is_dir() else []:
            with contextlib.suppress(UserError, OSError):
                found.append(open_backbone(facts.parent))
    return found
