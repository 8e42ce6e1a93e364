"""An optimiser race: in a ravine and on a small net, each with the learning rate that suits it best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from winnow.report.study_schema import Chart, Comparison
from winnow.seeds import seed_for
from winnow.studies.comparing import compare, mean_line
from winnow.studies.learning import Dealt, Fitted, deal, fit
from winnow.studies.plain_nets import deep_mlp
from winnow.studies.ravine import Ravine, descend, distances
from winnow.studies.study import Findings, Setup, Study
from winnow.train.optimisers import SGD, Adagrad, Adam, AdamW, Momentum, Muon, Nesterov, Optimiser, RMSprop
from winnow.train.schedule import Linear

Make = Callable[[float], Optimiser]


def _muon(lr: float) -> Muon:
    return Muon(lr=lr, others=AdamW(lr=lr / 5))


RACERS: dict[str, tuple[Make, tuple[float, ...]]] = {
    "SGD": (SGD, (0.03, 0.1, 0.3, 1.0)),
    "momentum": (Momentum, (0.003, 0.01, 0.03, 0.1)),
    "Nesterov": (Nesterov, (0.003, 0.01, 0.03, 0.1)),
    "Adagrad": (Adagrad, (0.003, 0.01, 0.03, 0.1)),
    "RMSprop": (RMSprop, (0.0003, 0.001, 0.003, 0.01)),
    "Adam": (Adam, (0.001, 0.003, 0.01, 0.03)),
    "AdamW": (AdamW, (0.001, 0.003, 0.01, 0.03)),
    "Muon": (_muon, (0.003, 0.01, 0.03, 0.1)),
}
"""What makes each from a rate, and the rates that are tried on the net, half a power of ten apart."""

_RAVINE_RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_CONDITION = 100.0
_RAVINE_SHAPE = (4, 4)  # a matrix, so that Muon has something to orthogonalise
_RAVINE_STEPS = 100
_EPOCHS = 3
_DEPTH, _WIDTH = 3, 64
_TUNING_SEED = "tuning"
_UNIT = "powers of ten"


def _run(setup: Setup) -> Findings:
    data = deal(setup.pictures)
    rounds = sum(len(rates) for _, rates in RACERS.values()) + len(RACERS) * len(setup.seeds)
    count = setup.counter("racing", rounds + len(RACERS) * (len(_RAVINE_RATES) + len(setup.seeds)))
    n_epochs, n_steps = setup.share_of(_EPOCHS), setup.share_of(_RAVINE_STEPS, at_least=2)
    chosen: dict[str, float] = {}
    in_ravine: dict[str, float] = {}
    fits: dict[str, list[Fitted]] = {}
    falls: dict[str, list[list[float]]] = {}
    for name, (make, rates) in RACERS.items():
        chosen[name] = _best_rate(data, make, rates, n_epochs, count)
        fits[name] = [_fit(data, make(chosen[name]), n_epochs, seed, count) for seed in setup.seeds]
        in_ravine[name], falls[name] = _falls(make, setup.seeds, n_steps, count)
    settings: dict[str, str | int | float] = {
        "net": f"{_DEPTH} hidden layers of {_WIDTH} ReLUs",
        "epochs": n_epochs,
        "schedule": "linear to 0",
        **{f"rate of {name}": f"{chosen[name]:g} on the net, {in_ravine[name]:g} in the ravine" for name in RACERS},
    }
    charts = (_net_chart(fits, n_epochs), _ravine_chart(falls))
    return Findings(_comparisons(fits, falls), charts, settings)


def _comparisons(fits: dict[str, list[Fitted]], falls: dict[str, list[list[float]]]) -> tuple[Comparison, ...]:
    sgd = [math.log10(one.loss) for one in fits["SGD"]]
    others = [name for name in RACERS if name != "SGD"]
    on_net = [
        compare(
            f"on the net, training loss of {name} below that of SGD",
            [slow - math.log10(one.loss) for slow, one in zip(sgd, fits[name], strict=True)],
            unit=_UNIT,
        )
        for name in others
    ]
    in_ravine = [
        compare(
            f"in the ravine, {name} nearer to the minimum than SGD",
            [math.log10(slow[-1] / fast[-1]) for slow, fast in zip(falls["SGD"], falls[name], strict=True)],
            unit=_UNIT,
        )
        for name in others
    ]
    return (*on_net, *in_ravine)


def _best_rate(data: Dealt, make: Make, rates: Sequence[float], n_epochs: int, count: Callable[[], None]) -> float:
    """The rate with the lowest training loss, on a seed that takes no part in the race."""
    seed = seed_for(0, _TUNING_SEED)
    losses = [_fit(data, make(rate), n_epochs, seed, count).loss for rate in rates]
    return rates[min(range(len(rates)), key=losses.__getitem__)]


def _fit(data: Dealt, optimiser: Optimiser, n_epochs: int, seed: int, count: Callable[[], None]) -> Fitted:
    torch.manual_seed(seed)
    net = deep_mlp(data.learned.image[0].numel(), data.n_classes, _DEPTH, _WIDTH)
    fitted = fit(net, data.learned, data.judged, seed=seed, n_epochs=n_epochs, optimiser=optimiser, schedule=Linear())
    count()
    return fitted


def _falls(
    make: Make, seeds: Sequence[int], n_steps: int, count: Callable[[], None]
) -> tuple[float, list[list[float]]]:
    """The rate that ends nearest to the minimum in another ravine, and with it the distances for each seed."""

    def fall(rate: float, seed: int) -> list[float]:
        ravine = Ravine(_CONDITION, _RAVINE_SHAPE, seed, is_turned=True)
        count()
        # Beyond 1e30 all is lost; beneath 1e-12 nothing is left to win.
        return [
            min(1e30, max(1e-12, far)) for far in distances(descend(ravine, make(rate), n_steps, schedule=Linear()))
        ]

    tuning = seed_for(0, _TUNING_SEED)
    ends = {rate: fall(rate, tuning)[-1] for rate in _RAVINE_RATES}
    best = min(ends, key=ends.__getitem__)
    return best, [fall(best, seed) for seed in seeds]


def _net_chart(fits: dict[str, list[Fitted]], n_epochs: int) -> Chart:
    epochs = range(1, n_epochs + 1)
    lines = tuple(
        mean_line(name, epochs, [one.losses for one in several], is_log=True) for name, several in fits.items()
    )
    return Chart(title="On a small net", x_title="epoch", y_title="training loss", series=lines, is_log_y=True)


def _ravine_chart(falls: dict[str, list[list[float]]]) -> Chart:
    shown = range(0, len(falls["SGD"][0]), 5)
    lines = tuple(
        mean_line(name, shown, [[one[step] for step in shown] for one in several], is_log=True)
        for name, several in falls.items()
    )
    title = f"In a ravine of condition {_CONDITION:g} that lies across the axes"
    return Chart(title=title, x_title="step", y_title="distance", series=lines, is_log_y=True)


STUDY = Study(
    name="optimisers",
    title="An optimiser race",
    claim="After equally many steps, each at its best rate, every newer optimiser is further than plain SGD.",
    source="Polyak 1964; Nesterov 1983; Duchi et al. 2011; Hinton 2012; Kingma and Ba 2015; Jordan 2024 (Muon)",
    run=_run,
)
