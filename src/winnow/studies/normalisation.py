"""With and without batch norm: gradients, speed, and which learning rates are borne."""

from __future__ import annotations

import math

import torch

from winnow.nets.net import Net
from winnow.report.study_schema import Chart
from winnow.studies.comparing import compare, mean_line
from winnow.studies.gradients import gradient_chart, gradients_by_stage
from winnow.studies.initialisation import DEPTH, WIDTH
from winnow.studies.learning import Dealt, Fitted, deal, fit
from winnow.studies.plain_nets import deep_mlp
from winnow.studies.study import Findings, Setup, Study
from winnow.train.initialise import initialise
from winnow.train.optimisers import Momentum

_RATES = (0.01, 0.1, 1.0)
_EPOCHS = 5
_NAMES = {False: "without", True: "with batch norm"}


def _run(setup: Setup) -> Findings:
    data, n_epochs = deal(setup.pictures), setup.share_of(_EPOCHS)
    count = setup.counter("training with and without batch norm", 2 * len(_RATES) * len(setup.seeds))
    fits: dict[tuple[bool, float], list[Fitted]] = {(normed, rate): [] for normed in _NAMES for rate in _RATES}
    norms: dict[bool, list[list[float]]] = {normed: [] for normed in _NAMES}
    for seed in setup.seeds:
        for normed in _NAMES:
            norms[normed].append(_gradients(data, normed, seed))
            for rate in _RATES:
                fits[normed, rate].append(_one(data, normed, rate, n_epochs, seed))
                count()
    best = {normed: _best_rate(fits, normed) for normed in _NAMES}
    comparisons = (
        compare(
            f"powers of ten by which the training loss is lower after {n_epochs} epochs, each at its best rate",
            [
                math.log10(bare.loss / normed.loss)
                for bare, normed in zip(fits[False, best[False]], fits[True, best[True]], strict=True)
            ],
        ),
        compare(
            f"accuracy at rate {_RATES[-1]:g}, with minus without",
            [
                normed.accuracy - bare.accuracy
                for bare, normed in zip(fits[False, _RATES[-1]], fits[True, _RATES[-1]], strict=True)
            ],
            unit="points",
        ),
    )
    settings: dict[str, str | int | float] = {
        "net": f"{DEPTH} hidden layers of {WIDTH} ReLUs, He's initialisation",
        "epochs": n_epochs,
        "optimiser": "momentum 0.9",
        "best rate without": best[False],
        "best rate with": best[True],
    }
    return Findings(
        comparisons,
        (_accuracy_chart(fits), gradient_chart({_NAMES[is_on]: several for is_on, several in norms.items()})),
        settings,
    )


def _net(data: Dealt, is_normed: bool, seed: int) -> Net:
    torch.manual_seed(seed)
    net = deep_mlp(data.learned.image[0].numel(), data.n_classes, DEPTH, WIDTH, is_normed=is_normed)
    initialise(net, "he")  # without batch norm, bad first weights would be to blame
    return net


def _gradients(data: Dealt, is_normed: bool, seed: int) -> list[float]:
    return gradients_by_stage(_net(data, is_normed, seed), data.learned)


def _one(data: Dealt, is_normed: bool, rate: float, n_epochs: int, seed: int) -> Fitted:
    net = _net(data, is_normed, seed)
    return fit(net, data.learned, data.judged, seed=seed, n_epochs=n_epochs, optimiser=Momentum(lr=rate))


def _best_rate(fits: dict[tuple[bool, float], list[Fitted]], is_normed: bool) -> float:
    """The rate with the lowest training loss over all seeds: the judged pictures have no say."""
    return min(_RATES, key=lambda rate: sum(math.log(one.loss) for one in fits[is_normed, rate]))


def _accuracy_chart(fits: dict[tuple[bool, float], list[Fitted]]) -> Chart:
    lines = tuple(
        mean_line(name, _RATES, [[fits[normed, rate][i].accuracy for rate in _RATES] for i in range(len(several))])
        for normed, name in _NAMES.items()
        for several in (fits[normed, _RATES[0]],)
    )
    return Chart(
        title="Accuracy by learning rate", x_title="learning rate", y_title="accuracy", series=lines, is_log_x=True
    )


STUDY = Study(
    name="normalisation",
    title="With and without batch norm",
    claim="With batch norm a deep net learns faster, and bears learning rates that are too high without.",
    source="Ioffe and Szegedy, Batch Normalization, ICML 2015",
    run=_run,
)
