"""A model at work: files or arrays in, probabilities out; no workspace and no training stack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from winnow.data.inputs import InputSpec
from winnow.errors import BadDataError, NotFoundError
from winnow.graph.join import FEATURES, PIXELS, PROBABILITIES, cut
from winnow.graph.pictures import run_on_pictures
from winnow.graph.runtime import NumberFormat, open_graph, open_small_graph, run_in_chunks
from winnow.graph.safe_opening import checked_graph
from winnow.machine import fingerprint

Pixels = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]
Features = npt.NDArray[np.float32]

GRAPH, FACTS, WEIGHTS = "model.onnx", "winnow.json", "weights.safetensors"
_OLDER_GRAPH, _OLDER_FACTS = "graph.onnx", "model.json"
"""What the two files were called in formats 1 and 2; such folders still open."""
_FORMAT = 3


def graph_file(folder: Path) -> Path:
    """Where the graph of the model in a folder lies, or would lie."""
    return folder / (GRAPH if facts_file(folder).name == FACTS else _OLDER_GRAPH)


def facts_file(folder: Path) -> Path:
    """Where the facts of the model in a folder lie, or would lie."""
    older = folder / _OLDER_FACTS
    return older if older.is_file() and not (folder / FACTS).is_file() else folder / FACTS


def is_model(folder: Path) -> bool:
    """Whether a model lies in a folder."""
    return facts_file(folder).is_file()


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What `winnow.json` says: all that the graph itself cannot."""

    name: str
    rung: str
    classes: tuple[str, ...]
    input_spec: InputSpec
    number_format: NumberFormat
    """What the features were computed in when the model was judged; used on the same kind of machine only."""
    machine: str
    sha256: str
    winnow_version: str
    task: str = "classify"
    thresholds: tuple[float, ...] | None = None
    """The probability from which on each class is called; None where a picture gets the likeliest class."""

    def write(self, folder: Path) -> None:
        """Write `winnow.json`."""
        values: dict[str, Any] = {
            "format": _FORMAT,
            "task": self.task,
            "name": self.name,
            "rung": self.rung,
            "classes": list(self.classes),
            "input": self.input_spec.to_json(),
            "number_format": self.number_format,
            "machine": self.machine,
            "sha256": self.sha256,
            "winnow_version": self.winnow_version,
        }
        if self.thresholds is not None:
            values["thresholds"] = list(self.thresholds)
        (folder / FACTS).write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ModelFacts:
        """Read `winnow.json`, or the `model.json` of an older Winnow.

        Raises:
            NotFoundError: no model lies in the folder.
            BadDataError: the file is damaged, or of a newer Winnow.
        """
        file = facts_file(folder)
        try:
            values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            if values["format"] > _FORMAT:
                raise BadDataError(
                    f"The model in {folder} was made by Winnow {values['winnow_version']}, which is newer than "
                    "this one. Update Winnow: pip install --upgrade winnow"
                )
            return cls(
                name=str(values["name"]),
                rung=str(values["rung"]),
                classes=tuple(str(name) for name in values["classes"]),
                input_spec=InputSpec.from_json(values["input"]),
                number_format=values["number_format"],
                machine=str(values["machine"]),
                sha256=str(values["sha256"]),
                winnow_version=str(values["winnow_version"]),
                task=str(values["task"]),
                thresholds=None if "thresholds" not in values else tuple(map(float, values["thresholds"])),
            )
        except OSError:
            raise NotFoundError(
                f"No model lies in {folder}: a model is a folder with {GRAPH} and {FACTS}, as `winnow train` makes it."
            ) from None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise BadDataError(f"{file} is damaged ({error}); train the model again.") from error


def _pieces(model: onnx.ModelProto, file: Path, facts: ModelFacts) -> tuple[bytes, bytes]:
    inputs, outputs = ([one.name for one in side] for side in (model.graph.input, model.graph.output))
    if inputs != [PIXELS] or outputs != [PROBABILITIES]:
        raise BadDataError(
            f"{file} is not a model of Winnow's: it takes {', '.join(inputs) or 'nothing'} and gives "
            f"{', '.join(outputs)}, not {PIXELS} and {PROBABILITIES}; copy the model again, whole."
        )
    answers = [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim[1:]]
    if answers != [len(facts.classes)] or not any(FEATURES in node.output for node in model.graph.node):
        raise BadDataError(
            f"{file} does not answer the {len(facts.classes)} classes that lie beside it; copy the model again, whole."
        )
    return cut(model)


class Predictor:
    """Runs a model's graph: its features part one picture at a time on every core, its head on all at once."""

    def __init__(self, folder: Path, *, streams: int | None = None) -> None:
        """Open the model in a folder.

        Args:
            streams: how many threads will ask at once; None: one a core.

        Raises:
            NotFoundError: no model lies there.
            BadDataError: its files are damaged, or its graph is none that may be opened (`UnsafeModelError`).
        """
        self.facts = ModelFacts.read(folder)
        file = graph_file(folder)
        try:
            graph = file.read_bytes()
        except OSError:
            raise NotFoundError(f"The model in {folder} has no {file.name}; train it again or copy it whole.") from None
        if hashlib.sha256(graph).hexdigest() != self.facts.sha256:
            named_in = facts_file(folder).name
            raise BadDataError(f"{file} is not the graph that {named_in} names; copy the model again, whole.")
        features, head = _pieces(checked_graph(graph, str(file)), file, self.facts)
        # Another machine may compute bf16 in software, slowly: there fp32 is the safe choice.
        is_same_machine = self.facts.machine == fingerprint()
        self.number_format: NumberFormat = self.facts.number_format if is_same_machine else "fp32"
        self._features = open_graph(features, self.number_format, one_at_a_time=True, streams=streams)
        self._head = open_small_graph(head)

    def probabilities(self, picture: Callable[[int], Pixels], count: int) -> Probabilities:
        """Probabilities (count, C) of the pictures that `picture` gives as (side, side, 3) uint8."""
        if count == 0:
            return np.empty((0, len(self.facts.classes)), dtype=np.float32)
        return run_in_chunks(self._head, self.features(picture, count))

    def answer(self, pixels: Pixels) -> Probabilities:
        """Probabilities (C,) of one picture (side, side, 3) uint8, computed in the calling thread."""
        return self._head.run(self._features.run(pixels[None]))[0]

    def features(self, picture: Callable[[int], Pixels], count: int) -> Features:
        """What the head is given (count, D), of at least one picture (side, side, 3) uint8."""
        return np.stack(list(run_on_pictures(self._features, picture, count)))

    def features_here(self, pixels: Pixels) -> Features:
        """What the head is given (N, D), of pictures (N, side, side, 3) uint8, computed in the calling thread."""
        return np.concatenate([self._features.run(one[None]) for one in pixels])

    def answers_to(self, features: Features) -> Probabilities:
        """Probabilities (N, C) of features (N, D)."""
        return run_in_chunks(self._head, features)
