"""Max against average pooling."""

from __future__ import annotations

from typing import get_args

import torch

from winnow.report.study_schema import Chart
from winnow.studies.comparing import compare, mean_line
from winnow.studies.learning import Dealt, Fitted, deal, fit
from winnow.studies.plain_nets import Pooling, plain_convnet
from winnow.studies.study import Findings, Setup, Study
from winnow.train.optimisers import Momentum
from winnow.train.schedule import Linear

_EPOCHS = 6
_RATE = 0.02


def _run(setup: Setup) -> Findings:
    data, n_epochs = deal(setup.pictures), setup.share_of(_EPOCHS)
    kinds: tuple[Pooling, ...] = get_args(Pooling)
    count = setup.counter("training with either pooling", len(kinds) * len(setup.seeds))
    fits: dict[Pooling, list[Fitted]] = {kind: [] for kind in kinds}
    for seed in setup.seeds:
        for kind in kinds:
            fits[kind].append(_one(data, kind, n_epochs, seed))
            count()
    both = list(zip(fits["max"], fits["average"], strict=True))
    comparison = compare(
        "accuracy on unseen pictures, max minus average",
        [largest.accuracy - mean.accuracy for largest, mean in both],
        unit="points",
    )
    settings: dict[str, str | int | float] = {
        "net": "3x3 convolutions with 16, 32 and 32 maps, batch norm, ReLU, pooling by 2; 64 hidden units",
        "epochs": n_epochs,
        "optimiser": f"momentum 0.9, rate {_RATE:g}, linear to 0",
    }
    return Findings((comparison,), (_chart(fits, n_epochs),), settings)


def _one(data: Dealt, kind: Pooling, n_epochs: int, seed: int) -> Fitted:
    torch.manual_seed(seed)
    _, n_channels, side_px, _ = data.learned.image.shape
    net = plain_convnet(n_channels, side_px, data.n_classes, pooling=kind)
    optimiser = Momentum(lr=_RATE)
    return fit(net, data.learned, data.judged, seed=seed, n_epochs=n_epochs, optimiser=optimiser, schedule=Linear())


def _chart(fits: dict[Pooling, list[Fitted]], n_epochs: int) -> Chart:
    epochs = range(1, n_epochs + 1)
    lines = tuple(mean_line(f"{kind} pooling", epochs, [one.accuracies for one in fits[kind]]) for kind in fits)
    return Chart(title="Accuracy on unseen pictures", x_title="epoch", y_title="accuracy", series=lines)


STUDY = Study(
    name="pooling",
    title="Max against average pooling",
    claim="Max pooling gives a better network for recognising objects than average pooling.",
    source="Scherer, Müller, Behnke, Evaluation of Pooling Operations, ICANN 2010; Boureau, Ponce, LeCun, ICML 2010",
    run=_run,
    n_seeds=10,
)
