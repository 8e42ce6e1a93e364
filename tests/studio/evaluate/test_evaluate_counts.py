"""What the Evaluate page's script counts, run by node as a browser runs it, held to the numbers of `winnow.metrics`."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_curve, precision_score, recall_score

from winnow.metrics.curves import multilabel_threshold_table, threshold_table
from winnow.studio.pages.evaluate.judged_sets import JudgedPictures, JudgedSet

from ..scripts import Scripts

N, C = 200, 4
CLASSES = tuple("abcd")


class Script:
    """Runs lines of JavaScript that see `counts`, the module, and `data`, the pictures."""

    def __init__(self, folder: Path) -> None:
        self._scripts = Scripts(folder, {"counts": "evaluate/counts.js"})

    def run(self, pictures: JudgedPictures, lines: str) -> Any:
        judgement: Any = None
        answers = JudgedSet("judged", judgement, pictures, CLASSES, "d", {}).answers()
        facts = {
            "classes": CLASSES,
            "contents": pictures.contents,
            "sources": list(pictures.contents),
            "isMultilabel": pictures.is_multilabel,
        }
        begin = (
            'const bytes = Uint8Array.from(Buffer.from(encoded, "base64")).buffer;\n'
            "const data = counts.startCounting(facts, bytes);\n"
        )
        return self._scripts.run(lines, before=begin, facts=facts, encoded=b64encode(answers).decode())


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script(tmp_path_factory.mktemp("counts"))


@pytest.fixture(scope="module")
def one_class() -> JudgedPictures:
    rng = np.random.default_rng(0)
    truths = rng.integers(0, C, N)
    logits = rng.normal(size=(N, C)) + 1.5 * np.eye(C)[truths]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    contents = tuple(f"{place:064x}" for place in range(N))
    return JudgedPictures(contents, probs.astype(np.float32), truths, np.arange(N))


@pytest.fixture(scope="module")
def several() -> JudgedPictures:
    rng = np.random.default_rng(1)
    marks = (rng.random((N, C)) < 0.3).astype(np.int64)
    probs = (1 / (1 + np.exp(-(rng.normal(size=(N, C)) + 2 * marks - 1)))).astype(np.float32)
    contents = tuple(f"{place:064x}" for place in range(N))
    return JudgedPictures(contents, probs, marks, np.arange(N), probs >= np.array([0.3, 0.5, 0.4, 0.6]))


def state(threshold: float = 0.5, chosen: int | None = None, *, is_own: bool = False) -> str:
    return json.dumps({"threshold": threshold, "chosen": chosen, "isOwn": is_own})


def answers_of(pictures: JudgedPictures, threshold: float) -> NDArray[np.int64]:
    """The likeliest class where it reaches the threshold, else the extra one: no answer."""
    return np.where(pictures.probs.max(axis=1) >= threshold, pictures.probs.argmax(axis=1), C)


def test_as_the_model_answers_the_matrix_is_scikit_learns(script: Script, one_class: JudgedPictures):
    found = script.run(one_class, f"return counts.figures(data, {state(is_own=True)})")
    cells = np.reshape(found["cells"], (C, C + 1))
    np.testing.assert_array_equal(cells[:, :C], confusion_matrix(one_class.truths, one_class.probs.argmax(axis=1)))
    assert cells[:, C].sum() == 0
    assert found["precision"] == found["recall"] == pytest.approx(one_class.is_right.mean())


@pytest.mark.parametrize("threshold", [0.0, 0.37, 0.5, 0.8, 0.99])
def test_below_the_threshold_nothing_is_answered(script: Script, one_class: JudgedPictures, threshold: float):
    found = script.run(one_class, f"return counts.figures(data, {state(threshold)})")
    answers = answers_of(one_class, threshold)
    cells = confusion_matrix(one_class.truths, answers, labels=list(range(C + 1)))[:C]
    np.testing.assert_array_equal(np.reshape(found["cells"], (C, C + 1)), cells)
    assert found["answered"] == (answers < C).sum()


@pytest.mark.parametrize("step", [50, 65, 80])
def test_from_one_half_up_the_figures_are_those_of_the_report(script: Script, one_class: JudgedPictures, step: int):
    row = threshold_table(one_class.probs, one_class.truths)[step]
    found = script.run(one_class, f"return counts.figures(data, {state(step / 100)})")
    assert found["precision"] == pytest.approx(row.precision)
    assert found["recall"] == pytest.approx(row.recall)
    assert found["answered"] / N == pytest.approx(row.coverage)


@pytest.mark.parametrize("kind", ["one_class", "several"])
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.75])
def test_one_class_has_scikit_learns_precision_and_recall(
    script: Script, kind: str, threshold: float, request: pytest.FixtureRequest
):
    pictures: JudgedPictures = request.getfixturevalue(kind)
    truth = pictures.truths[:, 2] if pictures.is_multilabel else pictures.truths == 2
    called = pictures.probs[:, 2] >= threshold
    found = script.run(pictures, f"return counts.figures(data, {state(threshold, 2)})")
    assert [[found["tn"], found["fp"]], [found["fn"], found["tp"]]] == confusion_matrix(truth, called).tolist()
    for name, oracle in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert found[name] == pytest.approx(oracle(truth, called))


def test_several_classes_are_called_from_one_threshold_as_in_the_report(script: Script, several: JudgedPictures):
    for step in (10, 50, 90):
        row = multilabel_threshold_table(several.probs, several.truths == 1)[step]
        found = script.run(several, f"return counts.figures(data, {state(step / 100)})")
        assert found["precision"] == pytest.approx(row.precision)
        assert found["recall"] == pytest.approx(row.recall)
        assert found["answered"] / N == pytest.approx(row.coverage)


def test_several_classes_as_the_model_answers_are_those_that_it_called(script: Script, several: JudgedPictures):
    found = script.run(several, f"return counts.figures(data, {state(is_own=True)})")
    assert several.called is not None
    shown = several.truths == 1
    assert found["found"] == (several.called & shown).sum(axis=0).tolist()
    assert found["missed"] == (~several.called & shown).sum(axis=0).tolist()
    assert found["false"] == (several.called & ~shown).sum(axis=0).tolist()


def test_the_curve_runs_through_what_every_threshold_gives(script: Script, one_class: JudgedPictures):
    points = script.run(one_class, "return counts.curvesOfAll(data).pr")
    precision, _, _ = precision_recall_curve(one_class.is_right, one_class.probs.max(axis=1))
    recall, last = points[-1]
    assert recall == pytest.approx(one_class.is_right.mean())
    assert last == pytest.approx(precision[0])


def test_a_cell_opens_its_pictures_the_surest_first(script: Script, one_class: JudgedPictures):
    threshold = 0.45
    found = script.run(one_class, f'return counts.cellPictures(data, {state(threshold)}, "0,1").places')
    answers, sureness = answers_of(one_class, threshold), one_class.probs.max(axis=1)
    assert sorted(found) == np.flatnonzero((one_class.truths == 0) & (answers == 1)).tolist()
    assert sorted(found, key=lambda place: -sureness[place]) == found
    silent = script.run(one_class, f'return counts.cellPictures(data, {state(threshold)}, "3,none").places')
    assert sorted(silent) == np.flatnonzero((one_class.truths == 3) & (answers == C)).tolist()


@pytest.mark.parametrize("kind", ["one_class", "several"])
def test_mistakes_are_all_wrong_answers_the_surest_first(script: Script, kind: str, request: pytest.FixtureRequest):
    pictures: JudgedPictures = request.getfixturevalue(kind)
    found = script.run(pictures, "return counts.mistakes(data)")
    assert sorted(found) == np.flatnonzero(~pictures.is_right).tolist()
    sureness = pictures.probs.max(axis=1)
    if pictures.called is not None:
        wrong = pictures.called != (pictures.truths == 1)
        sureness = np.where(wrong, np.where(pictures.called, pictures.probs, 1 - pictures.probs), -1).max(axis=1)
    assert sureness[found].tolist() == sorted(sureness[found], reverse=True)


def test_many_pictures_are_counted_at_once(script: Script):
    rng = np.random.default_rng(2)
    probs = rng.dirichlet(np.ones(C), 20_000).astype(np.float32)
    pictures = JudgedPictures(("00" * 32,) * 20_000, probs, rng.integers(0, C, 20_000), np.arange(20_000))
    lines = f"const t = performance.now(); for (let k = 0; k < 10; k += 1) counts.figures(data, {state()}); "
    assert script.run(pictures, lines + "return (performance.now() - t) / 10") < 50
