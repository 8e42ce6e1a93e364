"""What every form of an exported model promises, and what it is given: an evaluated model on its way out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from winnow.api.model import Model
from winnow.api.model_exports.pictures import ProofPictures
from winnow.data.targets.new_folder import Folder
from winnow.events import Tell
from winnow.graph.runtime import NumberFormat
from winnow.tasks.predictor import ModelFacts, Probabilities, graph_file

Engine = Literal["onnxruntime", "openvino", "as judged"]
"""What computes the answers of an export: ONNX Runtime and OpenVINO in fp32 (8-bit parts in 8 bits), or Winnow itself,
in the very way in which it runs the model."""


@dataclass(frozen=True)
class Leaving:
    """A model that is to be written.

    Attributes:
        model: as it was evaluated.
        graph: what leaves, ONNX: the evaluated graph; of an export with 8-bit numbers the one made from it.
        number_format: of the graph that leaves: "int8" if 8-bit numbers are part of it, else what the model was judged
            in.
        pictures: on which it is proven.
        runtime: where the npm package onnxruntime-web lies, for a form that brings it; None: where it is usually.
    """

    model: Model
    graph: bytes
    number_format: NumberFormat
    pictures: ProofPictures
    runtime: Path | None = None

    @classmethod
    def of(cls, model: Model, pictures: ProofPictures, runtime: Path | None = None) -> Leaving:
        """A model as it was evaluated."""
        facts = ModelFacts.read(model.folder)
        return cls(model, graph_file(model.folder).read_bytes(), facts.number_format, pictures, runtime)

    @cached_property
    def facts(self) -> ModelFacts:
        """What the graph itself cannot say."""
        return ModelFacts.read(self.model.folder)

    @property
    def facts_of_graph(self) -> ModelFacts:
        """The same of the graph that leaves, which may be another one."""
        digest = hashlib.sha256(self.graph).hexdigest()
        return replace(self.facts, sha256=digest, number_format=self.number_format)


class ModelExport(Protocol):
    """One form in which a model can leave the workspace."""

    @property
    def name(self) -> str:
        """One word, as it is typed."""
        ...

    @property
    def title(self) -> str:
        """In words a user has, as in "openvino (*for OpenVINO*), ..."."""
        ...

    @property
    def engine(self) -> Engine:
        """What computes its answers."""
        ...

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """What leaves: the evaluated graph as it is, or another one made of it. Nothing was written yet.

        Raises:
            UserError: this model cannot leave so; the sentence says which form can hold it.
        """
        ...

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """Write all of it, with a README.md in plain words; the proof is written by others.

        Raises:
            OSError: the disk refused.
        """
        ...

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """(N, C) for `leaving.pictures`: what lies in the folder, opened afresh and asked as its user would ask it.

        Raises:
            UserError: it cannot be asked here; the sentence says what is missing.
        """
        ...
