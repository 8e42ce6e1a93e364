"""Winnow as a scikit-learn classifier of pictures: the same climb, behind fit and predict."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from winnow.api.dataset import Dataset
from winnow.api.loading import keep_in
from winnow.api.model import Model
from winnow.api.report import ReportFile
from winnow.api.shelves import shelves
from winnow.api.targets import FitError, Targets
from winnow.api.training import climb_on
from winnow.api.wish import Wish
from winnow.data.importing import import_examples
from winnow.data.manifest import Manifest
from winnow.data.pixels import as_uint8, scale_of
from winnow.data.splitting import SplitPlan
from winnow.errors import UserError
from winnow.events import tell_nobody
from winnow.graph.backbone import NONE, choose_backbone
from winnow.workspace.workspace import Workspace

Pictures = npt.NDArray[Any] | list[Any]
_Scale = tuple[bool, float]
"""For floats (else whole numbers): what makes 0 to 255 of them."""


class Classifier(ClassifierMixin, BaseEstimator):
    """A classifier of pictures that climbs Winnow's ladder in `fit`.

    Works inside `cross_val_score`, `GridSearchCV` and `Pipeline`. Every picture given to `fit` is learned from; what
    the rungs are worth is judged out of fold, so no test split is put aside and none is opened: the caller has one.
    `fit` writes to no workspace and prints nothing.

    Args:
        budget: "30s", "5m", "1h" or seconds for the climb; None: as long as it takes.
        random_state: a whole number gives the same model every time; None draws another seed in every `fit`; a
            `numpy.random.RandomState` gives one. scikit-learn's word for what `winnow.train` calls `seed`.
        optimise: the metric that rungs are compared by; None: accuracy, or mAP (macro_average_precision) where a
            picture may show several classes.
        prefer: "cheapest": the cheapest rung that nothing dearer is shown to beat; "best": the best mean.
        rungs: names of the rungs to try; None: all.
        backbone: a backbone's folder, or the name of one at hand; None: the first at hand; "none": learn without.

    Attributes:
        classes_: (C,) the labels of `y`, sorted, in y's own type; the order of `predict_proba`'s columns. Where `y` has
            a column a class, their numbers 0..C-1.
        model_: the model; `model_.folder` lives as long as this estimator, copy it to keep the model alone.
        report_: what was measured of it; `report_.save("report.html")` draws it.

    `n_features_in_` is not set: pictures of other sizes than those of `fit` may be predicted.

    >>> from winnow import Classifier
    >>> clf = Classifier(budget="1m").fit(X, y)  # doctest: +SKIP
    >>> clf.predict(["sky.jpg"])  # doctest: +SKIP
    """

    def __init__(
        self,
        budget: str | float | None = None,
        random_state: int | np.random.RandomState | None = 0,
        optimise: str | None = None,
        prefer: str = "cheapest",
        rungs: Sequence[str] | None = None,
        backbone: str | Path | None = None,
    ) -> None:
        self.budget = budget
        self.random_state = random_state
        self.optimise = optimise
        self.prefer = prefer
        self.rungs = rungs
        self.backbone = backbone

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Classifier:
        """Climb the ladder on labelled pictures.

        Args:
            X: pictures (N, H, W) or (N, H, W, 1, 3 or 4 channels), or a list of N paths, PIL images or arrays.
                Floats are 0 to 1 or 0 to 255; which of the two is decided here and kept for `predict`.
            y: (N,) labels: whole numbers, strings or booleans. Where a picture may show several classes, (N, C) of 0
                and 1 (scikit-learn's multilabel indicator, dense or sparse; a DataFrame's columns name the classes).
            sample_weight: (N,) how much each picture counts in learning, 0 or more; what a rung is worth is judged on
                all pictures of more than 0 alike. None: all count the same.

        Raises:
            ValueError: pictures, labels or an argument cannot be used; the sentence says which and why.
        """
        with _as_value_errors():
            seed = self._seed()
            wish = Wish.checked(
                budget=self.budget,
                seed=seed,
                optimise=self.optimise,
                prefer=self.prefer,
                rungs=self.rungs,
                backbone=self._find_backbone(),
                name="classifier",
                open_test=False,
            )
            pictures = _pictures(X)
            targets = Targets.of(y)
            check_consistent_length(pictures, targets.truths)
            weights = _weights(sample_weight, len(targets.truths))
            scale = _find_scale(pictures)
            files = _climb(_to_uint8(pictures, scale), targets, weights, wish, f"winnow.{self!r}.fit(X, y)")
        self.classes_ = targets.classes
        self._marks_type = targets.marks_type
        self._n_fitted = len(targets.truths)
        self._scale = scale
        self._files = files
        self.model_ = _open(files)
        # The model's classes are text in alphabetical order; "10" comes before "2" there. It knows none that no
        # picture shows.
        known = {name: column for column, name in enumerate(self.model_.classes)}
        self._columns = [known.get(name) for name in targets.names]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Calibrated probabilities (N, C), in the order of `classes_`.

        Rows sum to 1, unless a picture may show several classes. A class that none of the N pictures of `fit` shows
        gets 1 / (N + 2).

        Args:
            X: pictures as in `fit`; their sizes may differ from those in `fit`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: a picture cannot be read.
        """
        check_is_fitted(self)
        with _as_value_errors():
            pictures = _pictures(X)
            probs = self.model_.predict_proba(list(_to_uint8(pictures, self._scale)))
        unknown = np.full(len(probs), 1 / (self._n_fitted + 2), dtype=np.float32)
        return np.stack([unknown if c is None else probs[:, c] for c in self._columns], axis=1)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each picture, (N,), in the type of `fit`'s y.

        Where a picture may show several classes: (N, C) of 0 and 1, which of them reach their threshold.
        """
        probs = self.predict_proba(X)
        if self._marks_type is None:
            return self.classes_[probs.argmax(axis=1)]
        chosen = list((self.model_.thresholds or {}).values())
        thresholds = [np.inf if c is None else chosen[c] for c in self._columns]
        return (probs >= np.array(thresholds)).astype(self._marks_type)

    @cached_property
    def model_(self) -> Model:
        """The model; opened again where this estimator was copied or unpickled."""
        check_is_fitted(self, "_files")
        return _open(self._files)

    @property
    def report_(self) -> ReportFile:
        """What was measured of the model."""
        return self.model_.report

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_files")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True  # of paths
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.classifier_tags.multi_label = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        # An open graph belongs to its process; the model's files are all it takes to open it again.
        state: dict[str, Any] = super().__getstate__()  # pyright: ignore[reportAssignmentType]
        return {name: value for name, value in state.items() if name != "model_"}

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _find_backbone(self) -> str | Path:
        found = choose_backbone(self.backbone, shelves())
        return NONE if found is None else found.folder


def _climb(
    pictures: Pictures,
    targets: Targets,
    weights: npt.NDArray[np.float64] | None,
    wish: Wish,
    command: str,
) -> dict[str, bytes]:
    """The chosen model's files by name, from a climb in a workspace of its own that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="winnow-fit-") as folder,
        Workspace.open(Path(folder)) as workspace,
    ):
        imported = import_examples((pictures, targets.truths), keep_in(workspace), plan=SplitPlan(test_share=0))
        if imported.refused:
            first = imported.refused[0]
            raise FitError(
                f"{len(imported.refused)} of {len(pictures)} pictures cannot be read (the first: {first.source}: "
                f"{first.reason}); leave them out of X and y."
            )
        name = workspace.add_dataset("pictures", "X, y").name
        table = imported.manifest.table
        if weights is not None:
            column = table.schema.get_field_index("weight")
            table = table.set_column(column, table.schema.field(column), pa.array(weights)).filter(weights > 0)
        manifest = Manifest(table, imported.manifest.provenance, targets.task)
        version = workspace.add_version(name, manifest, f"fit on {len(pictures)} pictures")
        model = climb_on(Dataset(workspace, name, version), wish, tell_nobody, command=command)
        return {path.name: path.read_bytes() for path in sorted(model.folder.iterdir())}


def _weights(sample_weight: Any, n: int) -> npt.NDArray[np.float64] | None:
    """(n,) of 0 or more; None where all count the same."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim != 1:
        raise FitError(f"Sample weights must be 1D array or scalar; these have the shape {weights.shape}.")
    if len(weights) != n:
        raise FitError(f"sample_weight.shape == {weights.shape}, expected ({n},): give a weight for each picture.")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise FitError("Sample weights must be numbers of 0 or more, and not all of the weights may be zero.")
    return weights


def _open(files: Mapping[str, bytes]) -> Model:
    """The model of these files, in a folder that lives as long as the model does."""
    folder = Path(tempfile.mkdtemp(prefix="winnow-model-"))
    for name, data in files.items():
        (folder / name).write_bytes(data)
    model = Model(folder)
    weakref.finalize(model, _remove, folder, os.getpid())
    return model


def _remove(folder: Path, made_by: int) -> None:
    if os.getpid() == made_by:  # a forked child must not take the folder away from its parent
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _as_value_errors() -> Generator[None]:
    try:
        yield
    except FitError:
        raise
    except UserError as error:
        raise FitError(str(error)) from error


def _pictures(X: Any) -> Pictures:
    """X as a stack of numbers (N, H, W[, channels]), or as a list of paths, images or arrays of several sizes."""
    if sparse.issparse(X):
        raise FitError("A sparse matrix holds no pictures: give an array (N, height, width), such as X.toarray().")
    if isinstance(X, (str, Path, bytes)):
        raise FitError("One path is no list of pictures: give a list, such as [path]. winnow.train takes a folder.")
    if isinstance(X, np.ndarray) or hasattr(X, "__array__"):
        return _stack(np.asarray(X))
    given = list(X)
    if not given:
        raise FitError("X holds 0 pictures: give at least one.")
    if all(isinstance(one, (str, Path, bytes)) or hasattr(one, "getexif") for one in given):
        return given
    arrays = [np.asarray(one) for one in given]
    return _stack(np.stack(arrays)) if len({array.shape for array in arrays}) == 1 else given


def _stack(array: npt.NDArray[Any]) -> Pictures:
    if array.ndim == 1 and array.dtype.kind in "OU":
        return _pictures(array.tolist())
    if array.dtype.kind == "c":
        raise FitError("Complex data not supported: pictures are brightnesses, such as abs(X).")
    if array.ndim not in (3, 4):
        raise FitError(
            f"X has the shape {array.shape}: expected pictures (N, height, width) or (N, height, width, channels). "
            "Reshape your data: flat rows need their size back, such as X.reshape(-1, 28, 28)."
        )
    if not array.size:
        raise FitError(f"X has the shape {array.shape} and so holds no pixel: give at least one picture.")
    return array


def _find_scale(pictures: Pictures) -> _Scale | None:
    """Which numbers are white: a property of all pictures, since one alone may be dark. None where the type says it."""
    if isinstance(pictures, list) or pictures.dtype.name in ("uint8", "uint16", "bool"):
        return None
    return pictures.dtype.kind == "f", scale_of(pictures)


def _to_uint8(pictures: Pictures, scale: _Scale | None) -> Pictures:
    """Numbers as 0 to 255, by the scale that `fit` found for numbers of their kind."""
    if isinstance(pictures, list):
        return pictures
    if scale is None or pictures.dtype.kind not in "iuf" or scale[0] != (pictures.dtype.kind == "f"):
        return as_uint8(pictures)
    low, high, white = float(pictures.min()), float(pictures.max()), 255 / scale[1]
    if not (low >= 0 and high <= white):  # NaN is neither
        raise FitError(
            f"X holds values from {low:g} to {high:g}; in fit black was 0 and white {white:g}. "
            "Prepare the pictures as for fit, without NaN and infinite values."
        )
    return as_uint8(pictures, scale[1])
