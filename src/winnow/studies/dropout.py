"""With and without dropout, where pictures are few."""

from __future__ import annotations

import torch

from winnow.nets.mlp import dense_net
from winnow.report.study_schema import Chart
from winnow.studies.comparing import compare, mean_line
from winnow.studies.learning import Dealt, Examples, Fitted, deal, fit, mean_loss
from winnow.studies.plain_nets import with_dropout
from winnow.studies.study import Findings, Setup, Study
from winnow.train.optimisers import Momentum
from winnow.train.schedule import Linear

_PER_CLASS = 15
_WIDTHS = (256, 256)
_EPOCHS = 40
_RATE = 0.03
_HIDDEN_RATE, _INPUT_RATE = 0.5, 0.2
_NAMES = {False: "without", True: "with dropout"}


def _run(setup: Setup) -> Findings:
    data, n_epochs = deal(setup.pictures), setup.share_of(_EPOCHS)
    count = setup.counter("training with and without dropout", 2 * len(setup.seeds))
    fits: dict[bool, list[Fitted]] = {False: [], True: []}
    gaps: dict[bool, list[float]] = {False: [], True: []}
    for seed in setup.seeds:
        few = data.learned.few(_PER_CLASS, seed)
        for has_dropout in _NAMES:
            fitted, gap = _one(data, few, has_dropout, n_epochs, seed)
            fits[has_dropout].append(fitted)
            gaps[has_dropout].append(gap)
            count()
    comparisons = (
        compare(
            "accuracy on unseen pictures, with minus without",
            [b.accuracy - a.accuracy for a, b in zip(fits[False], fits[True], strict=True)],
            unit="points",
        ),
        compare(
            "cross-entropy by which unseen pictures fare worse than learned ones, without minus with",
            [a - b for a, b in zip(gaps[False], gaps[True], strict=True)],
        ),
    )
    settings: dict[str, str | int | float] = {
        "net": "hidden layers of " + " and ".join(map(str, _WIDTHS)) + " ReLUs",
        "pictures a class": _PER_CLASS,
        "dropped": f"{_HIDDEN_RATE:g} of the hidden units, {_INPUT_RATE:g} of the inputs",
        "epochs": n_epochs,
        "optimiser": f"momentum 0.9, rate {_RATE:g}, linear to 0",
    }
    return Findings(comparisons, (_chart(fits, n_epochs),), settings)


def _one(data: Dealt, few: Examples, has_dropout: bool, n_epochs: int, seed: int) -> tuple[Fitted, float]:
    """The training, and the cross-entropy of unseen pictures minus that of the pictures learned from."""
    torch.manual_seed(seed)
    net = dense_net(few.image[0].numel(), data.n_classes, _WIDTHS)
    if has_dropout:
        with_dropout(net, _HIDDEN_RATE, _INPUT_RATE)
    optimiser = Momentum(lr=_RATE)
    fitted = fit(net, few, data.judged, seed=seed, n_epochs=n_epochs, optimiser=optimiser, schedule=Linear())
    return fitted, mean_loss(net, data.judged) - mean_loss(net, few)


def _chart(fits: dict[bool, list[Fitted]], n_epochs: int) -> Chart:
    epochs = range(1, n_epochs + 1)
    lines = tuple(
        mean_line(name, epochs, [one.accuracies for one in fits[has_dropout]]) for has_dropout, name in _NAMES.items()
    )
    return Chart(title="Accuracy on unseen pictures", x_title="epoch", y_title="accuracy", series=lines)


STUDY = Study(
    name="dropout",
    title="With and without dropout",
    claim="Where pictures are few, dropout lets a wide net do better on unseen ones and overfit less.",
    source="Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, JMLR 15, 2014",
    run=_run,
    n_seeds=10,
)
