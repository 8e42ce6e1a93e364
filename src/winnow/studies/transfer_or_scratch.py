"""Transfer against scratch by the size of the training set: higher start, steeper slope, higher asymptote?"""

from __future__ import annotations

import math
from dataclasses import replace

from winnow.nets.net import Net
from winnow.report.study_schema import Chart, Comparison
from winnow.seeds import seed_for
from winnow.studies.comparing import compare, mean_line
from winnow.studies.learning import BATCH, Dealt, deal
from winnow.studies.study import Findings, Setup, Study
from winnow.studies.two_halves import RATE, begun, fresh, halves, teach

_SIZES = (1, 2, 5, 10, 20, 50)
"""Pictures a class; and after them all there are."""
_MIDDLE = 3
"""The slope is that from the first size to this one: 10 pictures a class."""
_STEPS = 80
_PRETRAINING_EPOCHS = 6
_WAYS = ("from scratch", "transferred and fine-tuned", "transferred and frozen")

Curves = dict[str, list[list[float]]]


def _run(setup: Setup) -> Findings:
    data = deal(setup.pictures)
    counts = [len(_few(halves(data, seed).b, 1 << 30, seed).learned) for seed in setup.seeds]
    sizes = [size for size in _SIZES if size * (data.n_classes - data.n_classes // 2) < min(counts)]
    count = setup.counter("learning from few and many", len(setup.seeds) * (1 + len(_WAYS) * (len(sizes) + 1)))
    curves: Curves = {way: [] for way in _WAYS}
    for seed in setup.seeds:
        tasks = halves(data, seed)
        source = fresh(tasks.a, seed_for(seed, "A"))
        teach(source, tasks.a, setup.share_of(_PRETRAINING_EPOCHS), seed)
        count()
        for way in _WAYS:
            curves[way].append([])
            for size in (*sizes, 1 << 30):
                curves[way][-1].append(_accuracy(way, source, _few(tasks.b, size, seed), setup.share_of(_STEPS), seed))
                count()
    settings: dict[str, str | int | float] = {
        "net": "3x3 convolutions with 16, 32 and 32 maps, batch norm, ReLU, max pooling; 64 hidden units",
        "transferred from": "the other half of the classes, drawn anew for each seed",
        "steps": f"about {setup.share_of(_STEPS)}, and at least one epoch",
        "optimiser": f"momentum 0.9, rate {RATE:g}, linear to 0",
    }
    return Findings(_comparisons(curves, min(_MIDDLE, len(sizes))), (_chart(curves, sizes),), settings)


def _few(task: Dealt, per_class: int, seed: int) -> Dealt:
    return replace(task, learned=task.learned.few(per_class, seed))


def _accuracy(way: str, source: Net, task: Dealt, n_steps: int, seed: int) -> float:
    n_stages = 0 if way == "from scratch" else len(source.stage_names)
    net = begun(task, seed_for(seed, "B"), source, n_stages)
    n_epochs = max(1, round(n_steps / math.ceil(len(task.learned) / BATCH)))
    frozen = n_stages if way.endswith("frozen") else 0
    return teach(net, task, n_epochs, seed, frozen=frozen).accuracy


def _comparisons(curves: Curves, middle: int) -> tuple[Comparison, ...]:
    pairs = list(zip(curves["transferred and fine-tuned"], curves["from scratch"], strict=True))
    return (
        compare(
            "start: accuracy from 1 picture a class, transferred minus from scratch",
            [transferred[0] - scratch[0] for transferred, scratch in pairs],
            unit="points",
        ),
        compare(
            "slope: accuracy gained from 1 to 10 pictures a class, transferred minus from scratch",
            [(transferred[middle] - transferred[0]) - (scratch[middle] - scratch[0]) for transferred, scratch in pairs],
            unit="points",
        ),
        compare(
            "asymptote: accuracy from all pictures, transferred minus from scratch",
            [transferred[-1] - scratch[-1] for transferred, scratch in pairs],
            unit="points",
        ),
    )


def _chart(curves: Curves, sizes: list[int]) -> Chart:
    names = (*map(str, sizes), "all")
    lines = tuple(mean_line(way, range(len(names)), curves[way]) for way in _WAYS)
    return Chart(
        title="Accuracy by the size of the training set",
        x_title="pictures a class",
        y_title="accuracy",
        series=lines,
        x_names=names,
    )


STUDY = Study(
    name="transfer-or-scratch",
    title="Transfer against scratch",
    claim="Transfer gives a higher start, a steeper slope and a higher asymptote than learning from scratch.",
    source="Torrey and Shavlik, Transfer Learning, Handbook of Research on Machine Learning Applications, 2009",
    run=_run,
)
