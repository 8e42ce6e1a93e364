"""The proof of an export: finished, opened afresh and asked as its user would, it answers as the evaluated model.

Two things are measured, on the same pictures.

*Is it the same?* The export is held against the evaluated graph, computed in the same numbers: the greatest difference
of any probability may be `MOST_DIFFERENCE`, and every answer must be the same. A graph of 32-bit numbers is run by
Winnow's own engine for that, whatever runs the export. A graph with 8-bit numbers in it is run by the export's own
engine: engines round those differently, and a difference between engines is none between files.

*Does it answer as judged?* A model may have been judged in 16-bit or 8-bit numbers, as this machine computes them
fastest, and an export computes in others. Where that is so, its answers are also held against those of the model as
Winnow runs it here (as judged, on the machine that judged it), and where labels are known, the change of its score is
measured with a paired interval. An export that is shown to be worse is not handed over.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import winnow
from winnow.api.chain import hash_of_file
from winnow.api.model_exports.change import Change, change_between
from winnow.api.model_exports.model_export import Leaving, ModelExport, Probabilities
from winnow.api.model_exports.running import run_as_evaluated, run_whole
from winnow.data.targets.new_folder import Folder
from winnow.errors import UserError
from winnow.events import Tell
from winnow.graph.runtime import NumberFormat, has_openvino, open_graph, open_small_graph
from winnow.machine import facts as machine_facts
from winnow.report.assemble import libraries, now
from winnow.tasks.predictor import Predictor

PROOF = "proof.json"
MOST_DIFFERENCE = 1e-4
"""Of any probability. Two engines differ by about 1e-6 in 32-bit numbers; a wrong resize by far more."""
_FORMAT = 1
_ENGINES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}


class UnprovenExportError(UserError):
    """The finished export does not answer as the evaluated model; it is not handed over."""


@dataclass(frozen=True, slots=True)
class Sameness:
    """How far the answers of two are apart.

    Attributes:
        greatest_difference: of any probability.
        same_answers: pictures for which both answer the same: the likeliest class, or all classes that reach their
            threshold.
    """

    greatest_difference: float
    same_answers: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven of an export.

    Attributes:
        export: its form, such as "onnx".
        model: the model's full name.
        digest: sha256 of the evaluated graph, hex.
        pictures: which ones, in words.
        n: how many.
        dataset: name, version and digest of the dataset version that they are of; None: they were given.
        was_learned_from: whether the model has learned from them.
        computed_by: what ran the export, and in which numbers.
        compared_with: what ran the evaluated graph.
        same: how far those two are apart.
        allowed: the greatest difference that is allowed.
        judged_in: the numbers that the model was judged in.
        runs_here_in: those in which Winnow runs it here: the same on the machine that judged it.
        as_run: how far the export is from the model as Winnow runs it here; None where that is what it was compared
            with.
        change: of the score, from that model to the export; None where they are the same, or without labels.
        files: sha256 of each file, hex, by its path.
        libraries: versions.
        machine: what this computer is.
        created: UTC.
    """

    export: str
    model: str
    digest: str
    pictures: str
    n: int
    dataset: dict[str, str | int] | None
    was_learned_from: bool
    computed_by: str
    compared_with: str
    same: Sameness
    allowed: float
    judged_in: NumberFormat
    runs_here_in: NumberFormat
    as_run: Sameness | None
    change: Change | None
    files: dict[str, str]
    libraries: dict[str, str]
    machine: dict[str, str | int | float]
    created: str

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {"format": _FORMAT, "winnow": winnow.__version__, **asdict(self)}

    def sentences(self) -> list[str]:
        """What a reader should know, in plain words."""
        where = "" if self.dataset is None else f" ('{self.dataset['name']}', version {self.dataset['version']})"
        said = [
            f"Proven on {self.n:,} pictures: {self.pictures}{where}. It gives the evaluated graph's answer for all of "
            f"them; their probabilities differ by {self.same.greatest_difference:.1g} at most ({self.allowed:g} is "
            "allowed)."
        ]
        if self.as_run is not None or self.judged_in != self.runs_here_in:
            said.append(f"The model was judged in {self.judged_in}; the export computes in {self.computed_by}.")
        if self.as_run is not None:
            said.append(
                f"Against the model as Winnow runs it here ({self.runs_here_in}), "
                f"{self.n - self.as_run.same_answers:,} of {self.n:,} answers differ, and probabilities by "
                f"{self.as_run.greatest_difference:.2g} at most."
            )
        if self.change is not None:
            said.append(self.change.sentence())
            if self.was_learned_from:
                said.append("The model has learned from these pictures: on new ones the change may be greater.")
        return said


def prove(export: ModelExport, leaving: Leaving, out: Folder, tell: Tell) -> Proof:
    """Prove what lies in the folder, and write `proof.json` beside it.

    Raises:
        UnprovenExportError: it does not answer as the evaluated graph, or is shown to be worse than the model.
        UserError: it cannot be asked here.
    """
    pictures, spec = leaving.pictures, leaving.facts.input_spec
    files = {path: hash_of_file(out.path / path) for path in out.files()}
    asked = export.answers(out, leaving, tell)
    model = Predictor(leaving.model.folder)
    own = model.probabilities(pictures.inputs(spec), len(pictures))
    reference, compared_with = _reference(export, leaving, own, model.number_format, tell)
    same = sameness(asked, reference, leaving.facts.thresholds)
    _refuse_other_answers(export, leaving, asked, reference, same)
    proof = Proof(
        export=export.name,
        model=leaving.model.full_name,
        digest=leaving.facts.sha256,
        pictures=pictures.what,
        n=len(pictures),
        dataset=pictures.dataset,
        was_learned_from=pictures.was_learned_from,
        computed_by=_computed_by(export, leaving, model.number_format),
        compared_with=compared_with,
        same=same,
        allowed=MOST_DIFFERENCE,
        judged_in=leaving.facts.number_format,
        runs_here_in=model.number_format,
        as_run=None if reference is own else sameness(asked, own, leaving.facts.thresholds),
        change=None if reference is own else change_between(own, asked, leaving),
        files=files,
        libraries=libraries(),
        machine=machine_facts(),
        created=now(),
    )
    _refuse_loss(proof)
    out.write(PROOF, json.dumps(proof.as_dict(), indent=1, ensure_ascii=False).encode())
    return proof


def sameness(a: Probabilities, b: Probabilities, thresholds: tuple[float, ...] | None) -> Sameness:
    """How far two answers (N, C) to the same pictures are apart.

    Args:
        thresholds: from which probability on each class is answered; None: the likeliest class is.

    >>> sameness(np.array([[0.2, 0.8]]), np.array([[0.3, 0.7]]), None)
    Sameness(greatest_difference=0.1, same_answers=1)
    """
    if thresholds is None:
        is_same = a.argmax(axis=1) == b.argmax(axis=1)
    else:
        is_same = ((a >= np.asarray(thresholds)) == (b >= np.asarray(thresholds))).all(axis=1)
    # What is not a number differs by more than anything: NaN would pass every comparison with a limit.
    apart = np.nan_to_num(np.abs(a.astype(np.float64) - b), nan=np.inf)
    return Sameness(float(round(apart.max(), 9)), int(is_same.sum()))


def _reference(
    export: ModelExport, leaving: Leaving, own: Probabilities, runs_here_in: NumberFormat, tell: Tell
) -> tuple[Probabilities, str]:
    """The answers that the export must give, and what computed them; `own`: those of the model as it runs here."""
    pictures, spec = leaving.pictures, leaving.facts.input_spec
    if export.engine == "as judged":
        return own, f"the model as Winnow runs it here ({runs_here_in})"
    what = "asking the evaluated graph"
    if leaving.number_format == "int8":
        is_openvino = export.engine == "openvino"
        graph = open_graph(leaving.graph, "int8") if is_openvino else open_small_graph(leaving.graph)
        return run_whole(graph, pictures, spec, tell, what), f"the same graph, by {_ENGINES[export.engine]}"
    said = f"the evaluated graph in fp32, by {_ENGINES['openvino' if has_openvino() else 'onnxruntime']}"
    if runs_here_in == "fp32":
        return own, said
    return run_as_evaluated(leaving.graph, "fp32", pictures, spec, tell, what), said


def _computed_by(export: ModelExport, leaving: Leaving, runs_here_in: NumberFormat) -> str:
    if export.engine == "as judged":
        return f"{runs_here_in} by Winnow"
    return f"{'int8' if leaving.number_format == 'int8' else 'fp32'} by {_ENGINES[export.engine]}"


def _refuse_other_answers(
    export: ModelExport, leaving: Leaving, asked: Probabilities, reference: Probabilities, same: Sameness
) -> None:
    n = len(asked)
    if same.greatest_difference <= MOST_DIFFERENCE and same.same_answers == n:
        return
    worst = int(np.nan_to_num(np.abs(asked - reference), nan=np.inf).max(axis=1).argmax())
    raise UnprovenExportError(
        f"The {export.name} export of {leaving.model.full_name} is not handed over: {n - same.same_answers} of its {n} "
        f"answers are not those of the evaluated model, and probabilities differ by up to "
        f"{same.greatest_difference:.2g} ({MOST_DIFFERENCE:g} is allowed), most of all for the picture "
        f"{leaving.pictures.contents[worst][:12]}. Choose another form, and please report this."
    )


def _refuse_loss(proof: Proof) -> None:
    if proof.change is None or not proof.change.is_shown_to_be_worse:
        return
    raise UnprovenExportError(
        f"The {proof.export} export of {proof.model} is not handed over, because it is shown to be worse: "
        f"{proof.change.sentence()} Choose another form, such as onnx."
    )
