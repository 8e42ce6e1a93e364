"""Good and bad first weights: vanishing and exploding gradients made visible."""

from __future__ import annotations

import torch

from winnow.nets.net import Net
from winnow.report.study_schema import Chart
from winnow.studies.comparing import compare, mean_line
from winnow.studies.gradients import gradient_chart, gradients_by_stage, powers_of_ten_lost
from winnow.studies.learning import Dealt, Fitted, deal, fit
from winnow.studies.plain_nets import deep_mlp, scale_weights
from winnow.studies.study import Findings, Setup, Study
from winnow.train.initialise import Rule, initialise
from winnow.train.optimisers import Momentum

STARTS: dict[str, tuple[Rule, float]] = {
    "half of He": ("he", 0.5),
    "Xavier": ("xavier", 1.0),
    "He": ("he", 1.0),
    "twice He": ("he", 2.0),
}
"""A rule, and what its weights are multiplied by. In layers of equal width Xavier's is He's over the root of 2."""

DEPTH, WIDTH = 20, 64
_EPOCHS = 6
_RATE = 0.01
_FAR = 2.0
"""Powers of ten: a gradient that lost or gained more counts as vanished or exploded."""


def start(n_inputs: int, n_classes: int, name: str, seed: int, *, depth: int = DEPTH, width: int = WIDTH) -> Net:
    """A deep plain net of ReLUs with first weights of one kind."""
    torch.manual_seed(seed)
    rule, factor = STARTS[name]
    net = deep_mlp(n_inputs, n_classes, depth, width)
    initialise(net, rule)
    scale_weights(net, factor)
    return net


def _run(setup: Setup) -> Findings:
    data, n_epochs = deal(setup.pictures), setup.share_of(_EPOCHS)
    count = setup.counter("training from each start", len(STARTS) * len(setup.seeds))
    fits: dict[str, list[Fitted]] = {name: [] for name in STARTS}
    norms: dict[str, list[list[float]]] = {name: [] for name in STARTS}
    for seed in setup.seeds:
        for name in STARTS:
            fitted, gradients = _one(data, name, n_epochs, seed)
            fits[name].append(fitted)
            norms[name].append(gradients)
            count()
    lost = {name: [powers_of_ten_lost(one) for one in several] for name, several in norms.items()}
    over = f"over {DEPTH - 1} layers"
    comparisons = (
        compare(f"powers of ten that the gradient loses {over}, half of He", lost["half of He"], at_least=_FAR),
        compare(f"the same, Xavier (theory {_theory():.2g})", lost["Xavier"], at_least=_FAR),
        compare(f"powers of ten that it gains {over}, twice He", [-one for one in lost["twice He"]], at_least=_FAR),
        compare(
            f"powers of ten by which its change {over} stays below {_FAR:g} with He",
            [_FAR - abs(one) for one in lost["He"]],
        ),
        *(
            compare(
                f"accuracy after {n_epochs} epochs, He minus {name}",
                [good.accuracy - bad.accuracy for good, bad in zip(fits["He"], fits[name], strict=True)],
                unit="points",
            )
            for name in STARTS
            if name != "He"
        ),
    )
    settings: dict[str, str | int | float] = {
        "net": f"{DEPTH} hidden layers of {WIDTH} ReLUs",
        "epochs": n_epochs,
        "optimiser": f"momentum 0.9, rate {_RATE:g}",
    }
    return Findings(comparisons, (gradient_chart(norms), _accuracy_chart(fits, n_epochs)), settings)


def _theory() -> float:
    """With Xavier's weights each ReLU layer of equal width halves the mean square of what passes it, either way."""
    return (DEPTH - 1) * 0.5 * 0.30103


def _one(data: Dealt, name: str, n_epochs: int, seed: int) -> tuple[Fitted, list[float]]:
    net = start(data.learned.image[0].numel(), data.n_classes, name, seed)
    gradients = gradients_by_stage(net, data.learned)
    fitted = fit(net, data.learned, data.judged, seed=seed, n_epochs=n_epochs, optimiser=Momentum(lr=_RATE))
    return fitted, gradients


def _accuracy_chart(fits: dict[str, list[Fitted]], n_epochs: int) -> Chart:
    epochs = range(1, n_epochs + 1)
    lines = tuple(mean_line(name, epochs, [one.accuracies for one in several]) for name, several in fits.items())
    return Chart(title="Accuracy by first weights", x_title="epoch", y_title="accuracy", series=lines)


STUDY = Study(
    name="initialisation",
    title="Good and bad first weights",
    claim=(
        "In a deep net of ReLUs gradients keep their size with He's initialisation, vanish with smaller weights "
        "and explode with larger ones, and the net learns best with He's."
    ),
    source="Glorot and Bengio, AISTATS 2010; He, Zhang, Ren, Sun, ICCV 2015",
    run=_run,
)
