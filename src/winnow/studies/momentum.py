"""Momentum in a ravine: the gain that theory promises, step by step."""

from __future__ import annotations

import math

from winnow.report.study_schema import Chart, Series
from winnow.studies.comparing import compare, mean_line
from winnow.studies.ravine import RATES, Path, Ravine, descend, distances
from winnow.studies.study import Findings, Setup, Study

_CONDITIONS = (10.0, 100.0, 1000.0)
_DRAWN = 100.0
_NEAR = 0.05
"""Measured and promised rates count as equal if their logarithms differ by less than this share."""
_STEPS_A_ROOT = 30
_PATH_STEPS = 30


def measured_rate(path: Path) -> float:
    """What the distance is multiplied by at a step, over the last two thirds of a path (the start is no long run)."""
    far = distances(path)
    first, last = len(far) // 3, len(far) - 1
    return (far[last] / far[first]) ** (1 / (last - first))


def _run(setup: Setup) -> Findings:
    count = setup.counter("descending", len(RATES) * len(_CONDITIONS) * len(setup.seeds))
    paths: dict[tuple[str, float], list[Path]] = {}
    for name, (best, _) in RATES.items():
        for condition in _CONDITIONS:
            n_steps = setup.share_of(round(_STEPS_A_ROOT * math.sqrt(condition)), at_least=30)
            for seed in setup.seeds:
                path = descend(Ravine(condition, (2,), seed), best(condition), n_steps)
                paths.setdefault((name, condition), []).append(path)
                count()
    logs = {key: [math.log(measured_rate(path)) for path in several] for key, several in paths.items()}
    comparisons = [
        compare(
            f"steps that gradient descent needs for one of momentum at condition {condition:g} "
            f"(theory {_theory_ratio(condition):.3g})",
            [fast / slow for fast, slow in zip(logs["momentum", condition], logs[_DESCENT, condition], strict=True)],
            at_least=(1 - _NEAR) * _theory_ratio(condition),
        )
        for condition in _CONDITIONS
    ]
    charts = (_distance_chart(paths), _rate_chart(logs), _path_chart(paths))
    return Findings(tuple(comparisons), charts, {"dimensions": 2, "rates": "the best by theory for each condition"})


_DESCENT = "gradient descent"


def _theory_ratio(condition: float) -> float:
    return math.log(RATES["momentum"][1](condition)) / math.log(RATES[_DESCENT][1](condition))


def _distance_chart(paths: dict[tuple[str, float], list[Path]]) -> Chart:
    lines: list[Series] = []
    for name, (_, rate) in RATES.items():
        several = [distances(path) for path in paths[name, _DRAWN]]
        shown = range(0, len(several[0]), 10)
        lines.append(mean_line(name, shown, [[one[step] for step in shown] for one in several], is_log=True))
        theory = tuple(rate(_DRAWN) ** step for step in shown)
        lines.append(Series(name=f"{name}, theory", xs=tuple(map(float, shown)), ys=theory, is_theory=True))
    title = f"Distance from the minimum in a ravine of condition {_DRAWN:g}"
    return Chart(title=title, x_title="step", y_title="distance", series=tuple(lines), is_log_y=True)


def _rate_chart(logs: dict[tuple[str, float], list[float]]) -> Chart:
    lines: list[Series] = []
    for name, (_, rate) in RATES.items():
        needed = [[-1 / logs[name, condition][i] for condition in _CONDITIONS] for i in range(len(logs[name, _DRAWN]))]
        lines.append(mean_line(name, _CONDITIONS, needed, is_log=True))
        theory = tuple(-1 / math.log(rate(condition)) for condition in _CONDITIONS)
        lines.append(Series(name=f"{name}, theory", xs=_CONDITIONS, ys=theory, is_theory=True))
    return Chart(
        title="Steps to come nearer by a factor of e",
        x_title="condition number",
        y_title="steps",
        series=tuple(lines),
        is_log_x=True,
        is_log_y=True,
    )


def _path_chart(paths: dict[tuple[str, float], list[Path]]) -> Chart:
    lines: list[Series] = []
    for name in RATES:
        places = paths[name, _DRAWN][0][:_PATH_STEPS]
        lines.append(Series(name=name, xs=tuple(p[0] for p in places), ys=tuple(p[1] for p in places)))
    title = f"The first {_PATH_STEPS} places, from one start"
    return Chart(title=title, x_title="along the ravine", y_title="across", series=tuple(lines))


STUDY = Study(
    name="momentum",
    title="Momentum in a ravine",
    claim=(
        "In a ravine momentum needs about as many steps as the square root of its condition number, "
        "gradient descent as many as the condition number itself."
    ),
    source="Polyak, USSR Computational Mathematics and Mathematical Physics 4(5), 1964; Goh, Distill 2017",
    run=_run,
    needs_pictures=False,
)
