"""ReLU against sigmoid, and the other activations beside them."""

from __future__ import annotations

import math

import torch

from winnow.report.study_schema import Chart
from winnow.studies.comparing import compare, mean_line
from winnow.studies.gradients import gradient_chart, gradients_by_stage, powers_of_ten_lost
from winnow.studies.learning import Dealt, Fitted, deal, fit
from winnow.studies.plain_nets import deep_mlp
from winnow.studies.study import Findings, Setup, Study
from winnow.train.initialise import Rule, initialise
from winnow.train.optimisers import Adam

ACTIVATIONS: dict[str, Rule] = {
    "sigmoid": "xavier",
    "tanh": "xavier",
    "relu": "he",
    "leaky-relu": "he",
    "elu": "he",
    "gaussian": "xavier",
}
"""Each with the initialisation of its time: He's for what is zero on one side, Xavier's for what saturates on both."""

_DEPTH, _WIDTH = 5, 64
_EPOCHS = 12
_RATE = 1e-3
_LOSS = 0.3


def _run(setup: Setup) -> Findings:
    data, n_epochs = deal(setup.pictures), setup.share_of(_EPOCHS)
    count = setup.counter("training with each activation", len(ACTIVATIONS) * len(setup.seeds))
    fits: dict[str, list[Fitted]] = {name: [] for name in ACTIVATIONS}
    norms: dict[str, list[list[float]]] = {name: [] for name in ACTIVATIONS}
    for seed in setup.seeds:
        for name, rule in ACTIVATIONS.items():
            fitted, gradients = _one(data, name, rule, n_epochs, seed)
            fits[name].append(fitted)
            norms[name].append(gradients)
            count()
    slow, fast = fits["sigmoid"], fits["relu"]
    comparisons = (
        compare(
            f"doublings of the epochs to a loss of {_LOSS:g}, sigmoid over ReLU{_short(slow)}",
            [math.log2(a.epochs_to(_LOSS) / b.epochs_to(_LOSS)) for a, b in zip(slow, fast, strict=True)],
        ),
        compare(
            f"powers of ten that the gradient loses over {_DEPTH - 1} layers at the start, sigmoid more than ReLU",
            [
                powers_of_ten_lost(a) - powers_of_ten_lost(b)
                for a, b in zip(norms["sigmoid"], norms["relu"], strict=True)
            ],
        ),
    )
    settings: dict[str, str | int | float] = {
        "net": f"{_DEPTH} hidden layers of {_WIDTH} units",
        "epochs": n_epochs,
        "optimiser": f"Adam, rate {_RATE:g}",
        "initialisation": "He for ReLU, leaky ReLU and ELU; Xavier for the others",
    }
    return Findings(comparisons, (_loss_chart(fits, n_epochs), gradient_chart(norms)), settings)


def _short(slow: list[Fitted]) -> str:
    """What to know where a training stopped short of the loss: it counts as if it came there an epoch later."""
    n_short = sum(one.epochs_to(_LOSS) > len(one.losses) for one in slow)
    return f" (or more: {n_short} of {len(slow)} sigmoid nets stopped short of it)" if n_short else ""


def _one(data: Dealt, name: str, rule: Rule, n_epochs: int, seed: int) -> tuple[Fitted, list[float]]:
    torch.manual_seed(seed)
    net = deep_mlp(data.learned.image[0].numel(), data.n_classes, _DEPTH, _WIDTH, activation=name)
    initialise(net, rule)
    gradients = gradients_by_stage(net, data.learned)
    fitted = fit(net, data.learned, data.judged, seed=seed, n_epochs=n_epochs, optimiser=Adam(lr=_RATE))
    return fitted, gradients


def _loss_chart(fits: dict[str, list[Fitted]], n_epochs: int) -> Chart:
    epochs = range(1, n_epochs + 1)
    lines = tuple(
        mean_line(name, epochs, [one.losses for one in several], is_log=True) for name, several in fits.items()
    )
    return Chart(
        title="Training loss by activation", x_title="epoch", y_title="training loss", series=lines, is_log_y=True
    )


STUDY = Study(
    name="activations",
    title="ReLU against sigmoid",
    claim="A deep net of ReLUs learns in fewer epochs than the same net of sigmoids, whose gradients vanish.",
    source="Glorot, Bordes, Bengio, AISTATS 2011; Krizhevsky, Sutskever, Hinton, NIPS 2012, section 3.1",
    run=_run,
)
