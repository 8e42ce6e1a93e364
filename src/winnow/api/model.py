"""A model: a folder of safe files that predicts, and the report of what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from winnow.api.pictures import Given, pictures_of
from winnow.data.inputs import InputSpec, read_input, to_input
from winnow.errors import UserError
from winnow.events import Tell, tell_nobody
from winnow.graph.join import cut
from winnow.graph.runtime import NumberFormat
from winnow.tasks.answering import is_sure, ranked, said_of
from winnow.tasks.predictor import Predictor, graph_file, is_model

if TYPE_CHECKING:  # pydantic and the drawings are not needed to predict
    from winnow.api.model_exports.writing import ExportedModel
    from winnow.api.report import ReportFile
    from winnow.api.tasks import Answers
    from winnow.workspace.workspace import Workspace

_AT_ONCE = 1024
REPORT = "report.json"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one picture."""

    source: str
    label: str | None
    """The most probable class. Of a model that may answer several classes: the answer if it is exactly one class, else
    None. None, too, if the picture could not be read."""
    prob: float | None
    """Its calibrated probability in [0, 1]."""
    probs: dict[str, float]
    """All classes, most probable first."""
    error: str | None = None
    """Why there is no answer."""
    labels: tuple[str, ...] = ()
    """What is answered, most probable first: the one class, or all whose probability reaches their threshold."""

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "source": self.source,
            "label": self.label,
            "labels": list(self.labels),
            "prob": self.prob,
            "probs": self.probs,
            "error": self.error,
        }


def sure_from_in(folder: Path) -> float | None:
    """`Model.sure_from` of the model in a folder, whose graph need not be opened for that.

    Raises:
        BadDataError: its report is damaged.
    """
    report = folder / REPORT
    if not report.is_file():
        return None
    from winnow.api.report import ReportFile

    return ReportFile.read(report).sure_from


def model_folder(name_or_folder: str | Path, workspace: str | Path | Workspace | None = None) -> Path:
    """Where a model lies, by its folder or by its name in a workspace; see `Model.open`.

    Raises:
        NotFoundError: no model has the name; says which are near.
    """
    folder = Path(name_or_folder).expanduser()
    # A bare word is a model's name, even where a folder is called the same: the user's pictures, most likely.
    is_path = isinstance(name_or_folder, Path) or any(mark in name_or_folder for mark in "/\\")
    if is_path or is_model(folder):
        return folder
    from winnow.api.dataset import using

    with using(workspace) as opened:
        return opened.find_model(str(name_or_folder)).folder


class Model:
    """A trained model.

    Args:
        folder: where its files lie (`model.onnx`, `winnow.json`, `report.json`).

    Raises:
        NotFoundError: no model lies there.
        BadDataError: its files are damaged, or of a newer Winnow.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._predictor = Predictor(self.folder)

    @classmethod
    def open(cls, name_or_folder: str | Path, workspace: str | Path | Workspace | None = None) -> Model:
        """A model by its folder, or by its name in a workspace ("clouds", or "clouds@2" for an older one).

        Raises:
            NotFoundError: there is none; says which are near.
        """
        return cls(model_folder(name_or_folder, workspace))

    @property
    def name(self) -> str:
        """What it is called."""
        return self._predictor.facts.name

    @property
    def full_name(self) -> str:
        """The name that means this very model for ever, such as "clouds@2"; its folder, outside a workspace."""
        is_kept = self.folder.name.isdigit() and self.folder.parent.parent.name == "models"
        return f"{self.name}@{self.folder.name}" if is_kept else str(self.folder)

    @property
    def rung(self) -> str:
        """The rung that made it."""
        return self._predictor.facts.rung

    @property
    def classes(self) -> tuple[str, ...]:
        """What it can answer, in alphabetical order; the order of columns in `predict_proba`."""
        return self._predictor.facts.classes

    @property
    def task(self) -> str:
        """What it answers: "classify", one class a picture; "multilabel", any number."""
        return self._predictor.facts.task

    @property
    def answers(self) -> Answers:
        """What it answers with, for judging it."""
        # The ladder is not needed to predict.
        from winnow.api.tasks import Answers

        return Answers(self.classes, self._predictor.facts.thresholds)

    @property
    def thresholds(self) -> dict[str, float] | None:
        """From which probability on it answers each class; None if it answers the most probable one."""
        chosen = self._predictor.facts.thresholds
        return None if chosen is None else dict(zip(self.classes, chosen, strict=True))

    @property
    def digest(self) -> str:
        """sha256 of its graph, hex: two models with the same digest are the same."""
        return self._predictor.facts.sha256

    @cached_property
    def report(self) -> ReportFile:
        """What was measured of it; `report.save("report.html")` draws it."""
        from winnow.api.report import ReportFile

        return ReportFile.read(self.folder / REPORT)

    @cached_property
    def sure_from(self) -> float | None:
        """The probability from which on its answer may be called sure: then at least 9 of 10 judged answers were right.

        None where no answer may: too few pictures were judged, too many answers were wrong, its report is gone, or it
        answers several classes (each has its own threshold). See `winnow.metrics.sureness.sure_from`.
        """
        return sure_from_in(self.folder)

    def is_sure(self, prediction: Prediction) -> bool:
        """Whether an answer may be called sure: it reaches `sure_from`, or of several classes one its threshold."""
        has_several = self.thresholds is not None
        sure_from = None if has_several else self.sure_from
        return is_sure(prediction.labels, prediction.prob, has_several=has_several, sure_from=sure_from)

    def predict(self, pictures: Any) -> list[Prediction]:
        """Answers with calibrated probabilities, in the order given.

        A picture that cannot be read costs its own answer (`error` says why), not the others.

        Args:
            pictures: a path, folder or pattern, bytes, a PIL image, an array (H, W, 3) or (N, H, W, 3), or a list
                of these.

        Raises:
            NotFoundError: a file is not there, or a folder holds no picture.
        """
        return list(self.predict_each(pictures_of(pictures)))

    def predict_each(self, given: list[Given]) -> Iterator[Prediction]:
        """`predict` one after the other, for many pictures; memory stays flat."""
        for start in range(0, len(given), _AT_ONCE):
            yield from self._predict_some(given[start : start + _AT_ONCE])

    def predict_proba(self, pictures: Any) -> npt.NDArray[np.float32]:
        """Probabilities (N, C) in the order of `classes`.

        Raises:
            UserError: a picture cannot be read.
        """
        given = pictures_of(pictures)
        answers = np.zeros((len(given), len(self.classes)), dtype=np.float32)
        for place, prediction in enumerate(self.predict_each(given)):
            if prediction.error is not None:
                raise UserError(f"{prediction.source}: {prediction.error}")
            answers[place] = [prediction.probs[name] for name in self.classes]
        return answers

    def features(self, pictures: Any) -> npt.NDArray[np.float32]:
        """What the model sees of pictures (N, D): the numbers that its last step, the head, answers from.

        Raises:
            UserError: a picture cannot be read.
        """
        given, spec = pictures_of(pictures), self._predictor.facts.input_spec
        return self._predictor.features(lambda index: to_input(given[index].pixels(spec.side_px), spec), len(given))

    def features_graph(self) -> tuple[bytes, InputSpec, NumberFormat]:
        """The part of its graph that computes `features`, what it wants to see, and what it computes in here."""
        features, _ = cut(graph_file(self.folder).read_bytes())
        return features, self._predictor.facts.input_spec, self._predictor.number_format

    def probabilities(self, names: Sequence[str], read: Callable[[str], bytes]) -> npt.NDArray[np.float32]:
        """Probabilities (N, C) of picture files that `read` gives by name; for files known to be readable.

        Raises:
            UnreadablePictureError: one is not.
        """
        spec = self._predictor.facts.input_spec
        return self._predictor.probabilities(lambda index: read_input(read(names[index]), spec), len(names))

    def export(
        self,
        path: str | Path,
        to: str = "onnx",
        *,
        pictures: Any = None,
        runtime: str | Path | None = None,
        workspace: str | Path | Workspace | None = None,
        tell: Tell = tell_nobody,
    ) -> ExportedModel:
        """Write it to a new folder for other programs, proven: as `winnow.api.model_exports.writing.export_model`.

        Args:
            path: a folder that is not there yet.
            to: "onnx", "openvino", "int8", "standalone", "docker", "huggingface" or "web".
            pictures: others to prove it on (anything that `winnow.load` takes) than those it was judged on.
            runtime: for "web": the folder of the npm package onnxruntime-web; default: WINNOW_ONNXRUNTIME_WEB, else
                node_modules/onnxruntime-web here.
            workspace: where its dataset is; default: the one it lies in, else WINNOW_WORKSPACE, else ~/.winnow.
            tell: hears progress.

        Raises:
            NotFoundError: no such format, or nothing to prove it on.
            UserError: it cannot leave so, something is at `path`, or the proof failed: then nothing is written.
            WorkspaceError: the disk refused.
        """
        # What exports is given models, so it stands above this class; this is its name for those who hold one.
        from winnow.api.model_exports.writing import export_model

        return export_model(self, path, to=to, pictures=pictures, runtime=runtime, workspace=workspace, tell=tell)

    def _predict_some(self, given: list[Given]) -> Iterator[Prediction]:
        spec = self._predictor.facts.input_spec
        blank = np.zeros((spec.side_px, spec.side_px, 3), dtype=np.uint8)
        errors: dict[int, str] = {}

        def picture(index: int) -> npt.NDArray[np.uint8]:
            try:
                return to_input(given[index].pixels(spec.side_px), spec)
            except UserError as error:
                errors[index] = str(error)
            return blank

        probs = self._predictor.probabilities(picture, len(given))
        facts = self._predictor.facts
        for index, (one, row) in enumerate(zip(given, probs, strict=True)):
            if index in errors:
                yield Prediction(one.source, None, None, {}, errors[index])
                continue
            values: list[float] = row.tolist()
            said = said_of(values, self.classes, facts.thresholds)
            answers = {self.classes[place]: values[place] for place in ranked(values)}
            yield Prediction(one.source, said.label, said.prob, answers, labels=said.labels)
