"""A model that was judged in other numbers than its export computes in: two questions, answered one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score

import winnow
from winnow.api.model import Model
from winnow.api.model_exports import proof, writing
from winnow.api.model_exports.change import change_between
from winnow.api.model_exports.model_export import Engine, Leaving
from winnow.api.model_exports.onnx_file import OnnxFile
from winnow.api.model_exports.pictures import proof_pictures
from winnow.api.model_exports.proof import UnprovenExportError
from winnow.data.inputs import InputSpec
from winnow.data.targets.new_folder import Folder
from winnow.events import Tell, tell_nobody
from winnow.tasks.predictor import Predictor

from ..shapes import CLASSES as SHAPES
from ..shapes import MULTILABEL_RUNGS, write_shapes
from ..squares import CLASSES as SQUARES
from ..squares import write_squares
from .made_models import SIDE_PX, weighing_model


@pytest.fixture
def in_bf16(tmp_path: Path) -> Model:
    """A model of squares that says it was judged in 16-bit numbers."""
    return Model.open(weighing_model(tmp_path / "model", number_format="bf16", classes=SQUARES))


class _Rounding(Predictor):
    """Computes as a processor with 16-bit numbers might: every probability a little off, the answers kept."""

    def probabilities(self, *given: object) -> npt.NDArray[np.float32]:
        probs = super().probabilities(*given)  # pyright: ignore[reportArgumentType]
        return np.asarray(0.98 * probs + 0.01, dtype=np.float32)


def test_it_is_compared_in_the_exports_numbers_and_with_the_model_as_judged(
    in_bf16: Model, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(proof, "Predictor", _Rounding)
    found = in_bf16.export(tmp_path / "out", to="onnx", pictures=photos).proof
    assert found.same.greatest_difference < 1e-5
    assert found.compared_with.startswith("the evaluated graph in fp32")
    assert found.judged_in == "bf16"
    assert found.as_run is not None
    assert 0.005 < found.as_run.greatest_difference < 0.1
    assert "The model was judged in bf16; the export computes in fp32 by ONNX Runtime." in " ".join(found.sentences())
    assert found.change is not None
    assert found.change.n == 60


def test_what_was_judged_in_16_bits_elsewhere_is_compared_in_32_bits_and_says_so(photos: Path, tmp_path: Path):
    folder = weighing_model(tmp_path / "model", number_format="bf16", classes=SQUARES, machine="elsewhere")
    found = Model.open(folder).export(tmp_path / "out", to="onnx", pictures=photos).proof
    assert (found.judged_in, found.runs_here_in, found.as_run, found.change) == ("bf16", "fp32", None, None)
    assert found.sentences()[1:] == ["The model was judged in bf16; the export computes in fp32 by ONNX Runtime."]


def test_one_that_is_shown_to_be_worse_than_the_model_as_judged_is_refused(
    in_bf16: Model, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Right(Predictor):
        """Answers every picture rightly, which the export does not."""

        def probabilities(self, *_: object) -> npt.NDArray[np.float32]:
            return np.repeat(np.eye(2, dtype=np.float32), 30, axis=0)  # 30 plain ones, then 30 with a square

    monkeypatch.setattr(proof, "Predictor", Right)
    with pytest.raises(UnprovenExportError, match=r"shown to be worse: .* the model itself has 100 %"):
        in_bf16.export(tmp_path / "out", to="onnx", pictures=photos)
    assert not (tmp_path / "out").exists()


def test_what_computes_as_judged_is_compared_with_that_alone(
    in_bf16: Model, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class AsJudged(OnnxFile):
        engine: Engine = "as judged"

        def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> npt.NDArray[np.float32]:
            pictures = leaving.pictures
            return _Rounding(leaving.model.folder).probabilities(pictures.inputs(InputSpec(SIDE_PX)), len(pictures))

    monkeypatch.setattr(proof, "Predictor", _Rounding)
    monkeypatch.setattr(writing, "MODEL_EXPORTS", (AsJudged(),))
    found = in_bf16.export(tmp_path / "out", to="onnx", pictures=photos).proof
    assert (found.same.greatest_difference, found.as_run, found.change) == (0, None, None)
    assert found.compared_with == "the model as Winnow runs it here (bf16)"


def test_scores_of_a_closed_test_split_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pictures = write_squares(tmp_path / "photos", 60)
    model = winnow.train(
        pictures,
        workspace=tmp_path / "workspace",
        rungs=["commonest-class", "pixels-nearest-neighbour"],
        open_test=False,
        tell=tell_nobody,
    )
    with proof_pictures(model, pictures, None, tell_nobody) as given:
        assert len(given) == 60
        assert given.judged is None
    winnow.evaluate(model)
    with proof_pictures(Model.open(model.folder), pictures, None, tell_nobody) as given:
        assert given.judged is not None


def test_where_pictures_show_several_classes_the_change_is_one_of_map(tmp_path: Path):
    table = write_shapes(tmp_path / "shapes")
    data = winnow.load(table, workspace=tmp_path / "workspace", label_column=list(SHAPES))
    model = winnow.train(data, rungs=MULTILABEL_RUNGS, tell=tell_nobody)
    with proof_pictures(model, None, None, tell_nobody) as pictures:
        leaving = Leaving.of(model, pictures)
        assert pictures.judged is not None
        truths = pictures.judged.truths
        before, after = np.random.default_rng(0).random((2, *truths.shape), dtype=np.float32)
        change = change_between(before, after, leaving)
    assert change is not None
    assert change.before == pytest.approx(average_precision_score(truths, before))
    assert change.after == pytest.approx(average_precision_score(truths, after))
    assert change.gain.value == pytest.approx(change.after - change.before)
    assert change.sentence().startswith("Its mAP on 64 pictures is ")
