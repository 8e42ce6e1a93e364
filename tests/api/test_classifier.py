"""`winnow.Classifier` keeps scikit-learn's contract, as far as pictures are no rows of numbers."""

from __future__ import annotations

import copy
import pickle
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import validate_data

import winnow
from winnow.api.classifier import Classifier
from winnow.errors import UserError

from .squares import CLASSES, RUNGS, squares

# scikit-learn's own checks. Nearly all of them make rows of numbers (N, F), which are no pictures; so they are run
# on a classifier that draws each row as a picture of stripes first and does nothing else.


class OfRows(Classifier):
    """A `Classifier` of rows of numbers: each number is two vertical stripes."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> OfRows:
        _count_features(self, X, reset=True)
        super().fit(_drawn(X), y, sample_weight)
        return self

    def predict_proba(self, X: Any) -> Any:
        if hasattr(self, "n_features_in_"):
            _count_features(self, X, reset=False)
        return super().predict_proba(_drawn(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.three_d_array = False
        return tags


def _count_features(estimator: Any, X: Any, *, reset: bool) -> None:
    if getattr(X, "ndim", 2) == 2:
        validate_data(estimator, X, reset=reset, skip_check_array=True)


def _drawn(X: Any) -> Any:
    """(N, F) numbers as (N, 8, 8 F) brightnesses; whatever is no table of real numbers is handed on as it is."""
    if sparse.issparse(X):
        return X
    rows = np.asarray(X)
    if rows.ndim != 2 or rows.dtype.kind not in "biuf":
        return rows
    rows = rows.astype(np.float64)
    with np.errstate(over="ignore"):
        # Some checks draw their numbers around 0, others around 100.
        stripes = np.stack([1 / (1 + np.exp(-rows)), 1 / (1 + np.exp(100 - rows))], axis=2).reshape(len(rows), -1)
    stripes = np.where(np.repeat(np.isfinite(rows), 2, axis=1), stripes, np.repeat(rows, 2, axis=1))
    return np.repeat(np.repeat(stripes[:, None, :], 8, axis=1), 4, axis=2)


def _cannot_pass(_: object) -> dict[str, str]:
    return {
        "check_dtype_object": "an array of Python objects is a list of paths or pictures here, never of numbers",
        "check_sample_weight_equivalence_on_dense_data": "nearest neighbours heed no weights, and copies share a fold",
        "check_estimators_empty_data_messages": "pictures without pixels are refused, but nobody counts features here",
    }


@parametrize_with_checks(
    [OfRows(rungs=["pixels-nearest-neighbour"])], expected_failed_checks=_cannot_pass, xfail_strict=True
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_check(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_scikit_learn_knows_that_it_takes_no_rows() -> None:
    tags = get_tags(Classifier())
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert is_classifier(Classifier())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Can't test estimator Classifier which requires input of type ..."
        ran = check_estimator(Classifier(), on_fail="raise")
    assert [one["status"] for one in ran if one["check_name"] == "check_estimator_cloneable"] == ["passed"]


# Pictures


@pytest.fixture(scope="module")
def fitted() -> Classifier:
    pictures, ids = squares()
    return Classifier(rungs=RUNGS).fit(pictures, np.array(CLASSES)[ids])


def test_it_learns_what_is_in_the_pictures(fitted: Classifier) -> None:
    pictures, ids = squares(30, seed=7)
    assert fitted.score(pictures, np.array(CLASSES)[ids]) == 1
    probs = fitted.predict_proba(pictures)
    assert probs.shape == (30, 2)
    assert np.allclose(probs.sum(axis=1), 1)
    assert (fitted.classes_[probs.argmax(axis=1)] == fitted.predict(pictures)).all()


@pytest.mark.parametrize(
    "names",
    [np.array([2, 10]), np.array([False, True]), np.array(["no", "yes"]), np.array([-1.0, 1.0]), [10, 2], ["ß", "Ä"]],
    ids=str,
)
def test_classes_keep_the_type_and_the_order_that_scikit_learn_gives_them(names: Any) -> None:
    pictures, ids = squares(20)
    y = np.asarray(names)[ids]
    fitted = Classifier(rungs=RUNGS).fit(pictures, y.tolist() if isinstance(names, list) else y)
    assert fitted.classes_.tolist() == sorted(set(y.tolist()))
    assert fitted.classes_.dtype == y.dtype == fitted.predict(pictures).dtype
    assert (fitted.predict(pictures) == y).all()


def test_files_images_and_arrays_of_any_channels_are_the_same_pictures(fitted: Classifier, tmp_path: Path) -> None:
    pictures, _ = squares(6)
    paths = [tmp_path / f"{place}.png" for place in range(6)]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path)
    opaque = np.concatenate([np.repeat(pictures[..., None], 3, 3), np.full((6, 8, 8, 1), 255, np.uint8)], axis=3)
    ways: list[Any] = [
        pictures[..., None],
        np.repeat(pictures[..., None], 3, axis=3),
        opaque,
        pictures.astype(np.int64),
        pictures / 255,
        list(pictures),
        [Image.fromarray(picture) for picture in pictures],
        paths,
        [str(path) for path in paths],
        np.array([str(path) for path in paths]),
        [path.read_bytes() for path in paths],
    ]
    expected = fitted.predict_proba(pictures)
    for way in ways:
        assert np.array_equal(fitted.predict_proba(way), expected)


def test_it_learns_from_files_too(photos: Path) -> None:
    paths = sorted(photos.rglob("*.png"))
    fitted = Classifier(rungs=RUNGS).fit(paths, [path.parent.name for path in paths])
    assert fitted.predict(paths[:1]).tolist() == ["plain"]


def test_pictures_may_differ_in_size(fitted: Classifier) -> None:
    pictures, _ = squares(2)
    sizes = (16, 24)
    larger = [np.asarray(Image.fromarray(one).resize((px, px))) for one, px in zip(pictures, sizes, strict=True)]
    assert fitted.predict(larger).tolist() == list(CLASSES)
    assert not hasattr(fitted, "n_features_in_")


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_what_white_is_was_decided_in_fit_so_a_dark_picture_stays_dark(white: float) -> None:
    pictures, ids = squares()
    fitted = Classifier(rungs=RUNGS).fit(pictures / 255 * white, ids)
    dark = np.full((1, 8, 8), white / 255)
    among = np.concatenate([dark, pictures / 255 * white])
    assert np.array_equal(fitted.predict_proba(dark), fitted.predict_proba(among)[:1])


def test_numbers_on_another_scale_than_in_fit_are_refused() -> None:
    pictures, ids = squares()
    fitted = Classifier(rungs=RUNGS).fit(pictures / 255, ids)
    with pytest.raises(ValueError, match="in fit black was 0 and white 1"):
        fitted.predict(pictures.astype(np.float32))


def test_copies_and_pickles_answer_alike_and_forget_the_open_graph(fitted: Classifier) -> None:
    pictures, _ = squares(10)
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):  # noqa: S301
        assert "model_" not in vars(other)
        assert np.array_equal(other.predict_proba(pictures), fitted.predict_proba(pictures))
        assert other.report_.numbers == fitted.report_.numbers
    assert not hasattr(clone(fitted), "classes_")


def test_every_example_is_learned_from_and_no_test_split_is_opened(fitted: Classifier) -> None:
    report = fitted.report_.numbers
    assert report.dataset.counts == {name: {"train": 30} for name in CLASSES}
    assert report.test is None
    assert report.judged.evaluation.n == 60
    assert report.climb.command == f"winnow.Classifier(rungs={RUNGS}).fit(X, y)"
    assert fitted.model_.rung == RUNGS[1]


def test_fit_leaves_nothing_behind_and_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fitted = Classifier(rungs=RUNGS).fit(*squares(20))
    assert list(tmp_path.iterdir()) == [fitted.model_.folder]
    saved = fitted.report_.save(fitted.model_.folder / "copy.html")
    assert "<!doctype html>" in saved.read_text(encoding="utf-8")
    del fitted
    assert list(tmp_path.iterdir()) == []  # nor a default workspace, which would lie here
    assert capfd.readouterr() == ("", "")


def test_the_same_random_state_gives_the_same_model_and_none_another_one() -> None:
    data = squares(20)
    one, same = (Classifier(rungs=RUNGS, random_state=3).fit(*data) for _ in range(2))
    assert one.model_.digest == same.model_.digest
    seeds = {Classifier(rungs=RUNGS[:1], random_state=None).fit(*data).report_.numbers.climb.seed for _ in range(2)}
    assert len(seeds) == 2
    drawn = Classifier(rungs=RUNGS[:1], random_state=np.random.RandomState(0)).fit(*data)
    assert drawn.report_.numbers.climb.seed == np.random.RandomState(0).randint(2**31 - 1)


def test_it_works_in_cross_validation_search_and_pipeline() -> None:
    pictures, ids = squares(24)
    assert cross_val_score(Classifier(rungs=RUNGS), pictures, ids, cv=2).tolist() == [1, 1]
    images = [Image.fromarray(picture) for picture in pictures]
    assert cross_val_score(Classifier(rungs=RUNGS), images, ids, cv=2).tolist() == [1, 1]
    search = GridSearchCV(Classifier(), {"rungs": [RUNGS[:1], RUNGS[1:]]}, cv=2).fit(pictures, ids)
    assert search.best_params_ == {"rungs": RUNGS[1:]}
    brighter = make_pipeline(FunctionTransformer(lambda X: X + 10), Classifier(rungs=RUNGS)).fit(pictures, ids)
    assert brighter.score(pictures, ids) == 1


def test_before_fit_it_says_that_it_is_not_fitted() -> None:
    pictures, ids = squares(4)
    for ask in (
        lambda: Classifier().predict(pictures),
        lambda: Classifier().predict_proba(pictures),
        lambda: Classifier().score(pictures, ids),
        lambda: Classifier().model_,
        lambda: Classifier().report_,
    ):
        with pytest.raises(NotFittedError):
            ask()


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((60, 64)), r"Reshape your data: flat rows need their size back"),
        (np.zeros((60, 0, 8)), "no pixel"),
        (np.zeros((60, 8, 8, 2)), "1, 3 or 4 channels"),
        (np.full((60, 8, 8), np.nan), "NaN"),
        (np.full((60, 8, 8), -1.0), "negative"),
        (np.full((60, 8, 8), 16.0), "Divide them by their largest possible value"),
        (np.zeros((60, 8, 8), complex), "Complex data not supported"),
        (sparse.csr_array((60, 64)), "sparse"),
        ("photos/", "winnow.train takes a folder"),
        ([], "0 pictures"),
        (["/nowhere/1.png"] * 60, "60 of 60 pictures cannot be read|None of the 60 files"),
        (np.zeros((59, 8, 8)), "inconsistent numbers of samples"),
    ],
    ids=lambda value: None if isinstance(value, str) else "X",
)
def test_what_is_no_list_of_pictures_is_a_value_error_in_words(X: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Classifier(rungs=RUNGS).fit(X, np.arange(60) % 2)


def test_one_unreadable_file_is_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    paths = [*sorted(photos.rglob("*.png")), tmp_path / "broken.png"]
    with pytest.raises(ValueError, match=r"1 of 61 pictures cannot be read \(the first: X\[60\]"):
        Classifier(rungs=RUNGS).fit(paths, [path.parent.name == "plain" for path in paths])


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize(
    ("y", "said"),
    [
        (None, "requires y to be passed"),
        (np.linspace(0, 1, 60), "continuous"),
        (np.zeros(60, int), "at least two classes"),
        (np.linspace(0, 1, 120).reshape(60, 2), "y should be a 1d array|1d"),
        ([("a", "b"), ("a",)] * 30, "MultiLabelBinarizer"),
        (["a", ""] * 30, "A label in y is empty"),
        (["a", "a "] * 30, "Two labels in y are both written 'a'"),
        (np.arange(60), "two pictures"),
    ],
    ids=lambda value: None if isinstance(value, str) else "y",
)
def test_what_are_no_labels_is_a_value_error_in_words(y: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Classifier(rungs=RUNGS).fit(squares()[0], y)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"budget": "soon"}, "write 30s, 5m or 1h"),
        ({"random_state": -1}, "from 0 to"),
        ({"random_state": "zero"}, "seed"),
        ({"optimise": "acuracy"}, "Did you mean accuracy"),
        ({"prefer": "dearest"}, "choose cheapest or best"),
        ({"rungs": ["pixels-swm"]}, "Did you mean pixels-svm"),
        ({"backbone": "resnet"}, "No backbone is called"),
    ],
)
def test_arguments_are_checked_in_fit_and_only_there(wish: dict[str, Any], said: str) -> None:
    estimator = Classifier(**wish)
    with pytest.raises(ValueError, match=said):
        estimator.fit(*squares())


def test_its_errors_are_winnows_and_pythons(fitted: Classifier) -> None:
    for kind in (ValueError, UserError):
        with pytest.raises(kind, match="Reshape"):
            fitted.predict(np.zeros((3, 64)))


def test_it_is_the_same_class_at_the_door() -> None:
    assert winnow.Classifier is Classifier


# Pictures with several classes


def _marks(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 8, 8) pictures with a bright square in the first corner, in the last, in both or in none; (n, 3) 0 and 1.

    The third class is never shown.
    """
    rng = np.random.default_rng(seed)
    Y = np.concatenate([rng.integers(0, 2, (n, 2)), np.zeros((n, 1), np.int64)], axis=1)
    pictures = rng.integers(0, 60, (n, 8, 8), dtype=np.uint8)
    pictures[Y[:, 0] == 1, :3, :3] += 120
    pictures[Y[:, 1] == 1, 5:, 5:] += 120
    return pictures, Y


MULTILABEL_RUNGS = ["base-rates", "pixels-logistic-regression"]


@pytest.fixture(scope="module")
def several() -> Classifier:
    return Classifier(rungs=MULTILABEL_RUNGS).fit(*_marks())


def test_a_column_a_class_is_learned_as_scikit_learns_multilabel_classifiers_do(several: Classifier) -> None:
    pictures, Y = _marks(30, seed=7)
    predicted = several.predict(pictures)
    assert (predicted == Y).mean() > 0.95
    assert predicted.dtype == Y.dtype
    assert several.score(pictures, Y) == (predicted == Y).all(axis=1).mean()
    assert several.classes_.tolist() == [0, 1, 2]
    assert several.report_.numbers.task == "multilabel"
    assert several.report_.numbers.climb.optimise == "macro_average_precision"


def test_a_class_that_no_picture_shows_is_held_possible_and_never_answered(several: Classifier) -> None:
    probs = several.predict_proba(_marks(10, seed=8)[0])
    assert probs[:, 2] == pytest.approx(1 / 62)
    assert not several.predict(_marks(10, seed=8)[0])[:, 2].any()


@pytest.mark.parametrize(
    "form",
    [np.ndarray.tolist, sparse.csr_array, lambda Y: Y.astype(bool), lambda Y: Y.astype(float)],
    ids=["lists", "sparse", "bool", "float"],
)
def test_0_and_1_in_any_form_are_the_same_classes(several: Classifier, form: Any) -> None:
    pictures, Y = _marks()
    fitted = Classifier(rungs=MULTILABEL_RUNGS).fit(pictures, form(Y))
    assert fitted.model_.digest == several.model_.digest
    assert np.array_equal(fitted.predict(pictures), several.predict(pictures))


def test_a_data_frames_columns_name_the_classes() -> None:
    pandas = pytest.importorskip("pandas")
    pictures, Y = _marks()
    fitted = Classifier(rungs=MULTILABEL_RUNGS).fit(pictures, pandas.DataFrame(Y[:, :2], columns=["last", "first"]))
    assert fitted.model_.classes == ("first", "last")
    assert (fitted.predict(pictures) == Y[:, :2]).mean() > 0.95


def test_what_is_asked_does_not_hang_on_how_many_classes_each_picture_happens_to_show() -> None:
    pictures, ids = squares(20)
    fitted = Classifier(rungs=MULTILABEL_RUNGS).fit(pictures, np.eye(2, dtype=int)[ids])
    assert fitted.report_.numbers.task == "multilabel"
    assert fitted.predict(pictures).shape == (20, 2)


def test_a_picture_of_no_weight_is_not_there_and_one_of_little_weight_says_little() -> None:
    pictures, ids = squares()
    wrong = np.concatenate([ids, 1 - ids[:10]])  # ten pictures once more, under the wrong class
    both = np.concatenate([pictures, pictures[:10]])
    weights = np.ones(len(both))
    weights[len(ids) :] = 0
    rungs = ["pixels-logistic-regression"]
    without = Classifier(rungs=rungs).fit(pictures, ids).predict_proba(pictures)
    assert np.array_equal(Classifier(rungs=rungs).fit(both, wrong, weights).predict_proba(pictures), without)


@pytest.mark.parametrize("weights", [[1.0], [-1.0] * 2, [[1.0, 1.0]], [float("nan"), 1.0]])
def test_weights_that_make_no_sense_are_refused(weights: object) -> None:
    with pytest.raises(ValueError, match=r"[wW]eight"):
        Classifier(rungs=RUNGS).fit(np.zeros((2, 8, 8), np.uint8), [0, 1], weights)
