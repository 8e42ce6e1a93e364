"""The transfer curve: cut a net behind layer n, and learn another task above the cut."""

from __future__ import annotations

from collections.abc import Callable

from winnow.report.study_schema import Chart, Comparison, Series
from winnow.seeds import seed_for
from winnow.studies.comparing import compare, mean_interval, mean_line
from winnow.studies.learning import deal
from winnow.studies.study import Findings, Setup, Study
from winnow.studies.two_halves import RATE, begun, fresh, halves, teach

STAGES = ("conv1", "conv2", "conv3", "hidden")
"""Of the net; the cut lies behind one of them."""

_EPOCHS = 6
_KINDS = ("BnB", "BnB+", "AnB", "AnB+")
"""As the paper calls them: whose stages are below the cut (the task's own B, or the other A's), + if they learn on."""
_TITLES = {
    "BnB": "BnB: own features, frozen",
    "BnB+": "BnB+: own features, fine-tuned",
    "AnB": "AnB: the other task's, frozen",
    "AnB+": "AnB+: the other task's, fine-tuned",
}

Curves = dict[str, list[list[float]]]


def _run(setup: Setup) -> Findings:
    data, n_epochs = deal(setup.pictures), setup.share_of(_EPOCHS)
    count = setup.counter("cutting and learning anew", len(setup.seeds) * (2 + len(_KINDS) * len(STAGES)))
    base: list[float] = []
    curves: Curves = {kind: [] for kind in _KINDS}
    for seed in setup.seeds:
        tasks = halves(data, seed)
        source = {"A": fresh(tasks.a, seed_for(seed, "A")), "B": fresh(tasks.b, seed_for(seed, "B"))}
        teach(source["A"], tasks.a, n_epochs, seed)
        count()
        base.append(teach(source["B"], tasks.b, n_epochs, seed).accuracy)
        count()
        for kind in _KINDS:
            curves[kind].append([])
            for n_stages in range(1, len(STAGES) + 1):
                # The same fresh upper layers for every kind: what differs is below the cut alone.
                net = begun(tasks.b, seed_for(seed, "above", str(n_stages)), source[kind[0]], n_stages)
                fitted = teach(net, tasks.b, n_epochs, seed, frozen=0 if kind.endswith("+") else n_stages)
                curves[kind][-1].append(fitted.accuracy)
                count()
    settings: dict[str, str | int | float] = {
        "net": "3x3 convolutions with 16, 32 and 32 maps, batch norm, ReLU, max pooling; 64 hidden units",
        "tasks": "two random halves of the classes, drawn anew for each seed",
        "epochs": n_epochs,
        "optimiser": f"momentum 0.9, rate {RATE:g}, linear to 0",
    }
    return Findings(_comparisons(base, curves), (_chart(base, curves),), settings)


def _comparisons(base: list[float], curves: Curves) -> tuple[Comparison, ...]:
    def by_seed(difference: Callable[[int], float]) -> list[float]:
        return [difference(i) for i in range(len(base))]

    other, own, tuned = curves["AnB"], curves["BnB"], curves["AnB+"]
    return (
        compare(
            "accuracy that the other task's frozen features lose from the lowest cut to the highest",
            by_seed(lambda i: other[i][0] - other[i][-1]),
            unit="points",
        ),
        compare(
            "accuracy at the highest cut, frozen, own features minus the other task's",
            by_seed(lambda i: own[i][-1] - other[i][-1]),
            unit="points",
        ),
        compare(
            "accuracy of the other task's features fine-tuned, mean over the cuts, minus that from scratch",
            by_seed(lambda i: sum(tuned[i]) / len(tuned[i]) - base[i]),
            unit="points",
        ),
    )


def _chart(base: list[float], curves: Curves) -> Chart:
    cuts = range(1, len(STAGES) + 1)
    lines = [mean_line(_TITLES[kind], cuts, curves[kind]) for kind in _KINDS]
    level = mean_interval(base)
    ends = (0.0, float(len(STAGES)))
    scratch = Series(
        name="B: from scratch", xs=ends, ys=(level.value,) * 2, lows=(level.low,) * 2, highs=(level.high,) * 2
    )
    return Chart(
        title="Accuracy on task B by the layer that the net is cut behind",
        x_title="cut behind",
        y_title="accuracy",
        series=(scratch, *lines),
        x_names=("none", *STAGES),
    )


STUDY = Study(
    name="cut-at-layer",
    title="The transfer curve, cut at layer n",
    claim=(
        "Features grow more specific from layer to layer, so that frozen ones of another task serve worse the higher "
        "the cut; fine-tuned they serve better than a start from scratch."
    ),
    source="Yosinski, Clune, Bengio, Lipson, How Transferable Are Features in Deep Neural Networks?, NIPS 2014",
    run=_run,
)
