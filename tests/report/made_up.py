"""A report of made-up predictions, whole enough to draw everything that a real one draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from winnow.data.manifest import Example
from winnow.data.pixels import encode_png
from winnow.metrics.evaluation import evaluate
from winnow.metrics.intervals import Interval
from winnow.report.assemble import multilabel_judgement
from winnow.report.schema import (
    ClimbFacts,
    DatasetFacts,
    Judgement,
    Mistake,
    Report,
    RungResult,
    TestOpenings,
)

Triple = tuple[float, float, float]
CLOUDS = ("Ac", "As", "Cb", "Cc", "Ci", "Cs", "Ct", "Cu", "Ns", "Sc", "St")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><b>&amp;'`[red]",
    "\x1b[31mred\u202e",
)


@dataclass(frozen=True)
class MadeUp:
    """Which report is wanted."""

    name: str = "clouds"
    classes: tuple[str, ...] = CLOUDS
    n: int = 400
    skill: float = 4.4
    """How far the true class's logit stands above the noise."""
    has_test: bool = False
    openings: int = 1
    optimise: str = "accuracy"
    verdict: str = (
        "Chosen: features + logistic regression. It is right on 86.1 % of pictures it had not seen (95 % interval "
        "84.5 to 87.6), 3.1 points better than the best cheaper method (1.9 to 4.3). Two dearer methods were tried "
        "and neither was shown to be better."
    )


def made_up_report(wanted: MadeUp) -> Report:
    """The whole report; the same wish gives the same report."""
    classes = wanted.classes
    judged = judgement(classes, wanted.n, wanted.skill, seed=0)
    return Report(
        model=f"{wanted.name}-1",
        task="image classification",
        created="2026-11-21T10:00:12Z",
        dataset=DatasetFacts(
            name=wanted.name,
            version=3,
            classes=classes,
            counts={name: {"train": 120 + 7 * i, "test": 30 + i} for i, name in enumerate(classes)},
            digest="9f2c1e7ab0",
            notes=("12 pictures in train were exact copies of test pictures and were left out.",),
        ),
        climb=ClimbFacts(
            id="climb-7",
            seed=0,
            budget_s=600,
            optimise=wanted.optimise,
            prefer="cheapest",
            judged_by="5-fold out-of-fold predictions",
            n_judged=wanted.n,
            started="2026-11-21T09:59:46Z",
            seconds=25.9,
            joules=402.0,
            energy_method="estimated from processor time at 8 W a core",
            machine={"processor": "AMD EPYC 9R14", "cores": 2, "memory_gb": 7.6},
            winnow_version="0.1.0",
            libraries={"numpy": "2.3.5", "scikit-learn": "1.9.0", "openvino": "2026.4"},
            command=f"winnow train {wanted.name}@3 --budget 10m --seed 0",
        ),
        ladder=ladder(judged.evaluation.scores[wanted.optimise]),
        verdict=wanted.verdict,
        judged=judged,
        test=judgement(classes, wanted.n // 3, wanted.skill, seed=1) if wanted.has_test else None,
        openings=TestOpenings(count=wanted.openings, opening=wanted.openings) if wanted.has_test else None,
    )


def ladder(chosen: Interval | None) -> tuple[RungResult, ...]:
    """A climb as they usually go: a guess, some cheap ones, features, and dear ones that buy nothing more."""
    rows: tuple[tuple[str, str, Triple, Triple | None, float, int], ...] = (
        ("commonest", "Commonest class", (0.148, 0.133, 0.164), None, 0.02, 120),
        ("pixels_logistic", "Pixels + logistic regression", (0.412, 0.391, 0.434), (0.264, 0.23, 0.298), 1.4, 48_400),
        ("pixels_forest", "Pixels + random forest", (0.562, 0.540, 0.583), (0.15, 0.121, 0.178), 3.9, 2_140_000),
        ("nearest_mean", "Features + nearest class mean", (0.771, 0.752, 0.789), (0.209, 0.18, 0.238), 7.8, 9_100_000),
        ("lda", "Features + shrunk LDA", (0.830, 0.813, 0.846), (0.059, 0.041, 0.077), 0.6, 9_150_000),
        ("logistic", "Features + logistic regression", (0.861, 0.845, 0.876), (0.031, 0.019, 0.043), 2.4, 9_150_000),
        ("svm", "Features + SVM (RBF)", (0.866, 0.85, 0.880), (0.005, -0.006, 0.016), 9.1, 11_900_000),
    )
    found = {"score": chosen, "is_chosen": True, "settings": {"C": 0.31622776, "format": "bf16"}}
    rungs = [_climbed(*row) for row in rows]
    return (
        *(rung.model_copy(update=found) if rung.rung == "logistic" else rung for rung in rungs),
        RungResult(
            rung="fine_tune",
            title="Fine-tuned network",
            state="skipped",
            reason="needs the extra 'deep': pip install 'winnow[deep]'.",
        ),
    )


def judgement(classes: Sequence[str], n: int, skill: float, seed: int) -> Judgement:
    """Predictions of some skill, measured; neighbouring classes are mixed up more often."""
    rng = np.random.default_rng(seed)
    C = len(classes)
    labels = rng.integers(0, C, n)
    noise = rng.normal(size=(n, C))
    distance = np.abs(labels[:, None] - np.arange(C)[None, :])
    logits = 1.2 * noise + skill * np.exp(-0.8 * distance)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return measured(probs, labels, classes)


def measured(probs: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str]) -> Judgement:
    """The judgement of these predictions, with made-up picture names."""
    answers = probs.argmax(axis=1)
    wrong = sorted(np.flatnonzero(answers != labels), key=lambda i: -probs[i].max())
    cells: dict[str, tuple[str, ...]] = {}
    for i, (truth, answer) in enumerate(zip(labels, answers, strict=True)):
        key = f"{truth},{answer}"
        cells[key] = (*cells.get(key, ()), f"picture-{i}")
    return Judgement(
        evaluation=evaluate(probs, labels, tuple(classes), np.arange(len(labels)), seed=0, draws=100),
        mistakes=tuple(
            Mistake(
                content=f"picture-{i}",
                source=f"{classes[labels[i]]}/IMG_{i:04}.jpg",
                truth=classes[int(labels[i])],
                answer=classes[int(answers[i])],
                prob=float(probs[i].max()),
            )
            for i in wrong[:30]
        ),
        cells={key: contents[:16] for key, contents in cells.items()},
    )


def made_up_multilabel_report(classes: tuple[str, ...] = ("car", "dog", "tree"), *, has_test: bool = False) -> Report:
    """A report of a model that may answer several classes: the same frame around other predictions."""
    report = made_up_report(MadeUp(name="streets", classes=classes, n=60, optimise="macro_f1"))
    judged = multilabel_measured(classes, 150, seed=0)
    pictures = {"train": 150, "test": 40}
    return report.model_copy(
        update={
            "task": "multilabel",
            "dataset": report.dataset.model_copy(update={"pictures": pictures}),
            "climb": report.climb.model_copy(update={"optimise": "macro_average_precision"}),
            "ladder": ladder(judged.evaluation.scores["macro_average_precision"]),
            "judged": judged,
            "test": multilabel_measured(classes, 40, seed=1) if has_test else None,
            "openings": TestOpenings(count=1, opening=1) if has_test else None,
        }
    )


def multilabel_measured(classes: Sequence[str], n: int, seed: int) -> Judgement:
    """Predictions of some skill for pictures that show each class half of the time, measured."""
    rng = np.random.default_rng(seed)
    labels = rng.random((n, len(classes))) < 0.5
    probs = 1 / (1 + np.exp(-(3.0 * (labels - 0.5) + rng.normal(size=labels.shape))))
    thresholds = np.linspace(0.3, 0.6, len(classes))
    blank = Example("", "", None, None, "train", "user", "", 16, 16, "PNG", 100, False)
    examples = [replace(blank, content=f"picture-{i}", source=f"IMG_{i:04}.jpg") for i in range(n)]
    return multilabel_judgement(
        probs, labels, probs >= thresholds, thresholds.tolist(), classes, examples, np.arange(n), seed
    )


def made_up_picture(content: str) -> bytes:
    """A small picture of two colours that depend on its name."""
    seed = sum(content.encode())
    rng = np.random.default_rng(seed)
    corners = rng.integers(60, 230, size=(3, 3, 3)).astype(np.uint8)
    return encode_png(np.kron(corners, np.ones((8, 8, 1), np.uint8)))


def _climbed(
    rung: str,
    title: str,
    score: Triple,
    gain: Triple | None,
    seconds: float,
    graph_bytes: int,
) -> RungResult:
    return RungResult(
        rung=rung,
        title=title,
        state="climbed",
        estimate_s=seconds,
        score=Interval(*score),
        gain=None if gain is None else Interval(*gain),
        gain_over=None if gain is None else "lda",
        has_earned=gain is not None and gain[1] > 0,
        seconds=seconds,
        joules=16 * seconds,
        graph_bytes=graph_bytes,
        picture_ms=0.02 + graph_bytes / 2e6,
    )
