"""GET /metrics: the server's counts in the words of Prometheus.

Source: Prometheus, Exposition formats, text format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from starlette.types import Receive, Scope

from winnow.serve.counts import BOUNDS_S, Histogram
from winnow.serve.reply import TEXT, Reply
from winnow.serve.service import Service


async def show_metrics(service: Service, scope: Scope, receive: Receive) -> Reply:
    """All counts."""
    return Reply("".join(f"{line}\n" for line in _lines(service)).encode(), TEXT)


def _lines(service: Service) -> Iterator[str]:
    meters, counts = service.meters, service.engine.counts
    yield from _family(
        "winnow_requests_total",
        "counter",
        "Requests for predictions that were answered, by model, version and status.",
        (
            ({"model": model, "version": version, "status": str(status)}, n)
            for (model, version, status), n in sorted(meters.requests.items())
        ),
    )
    yield from _family(
        "winnow_questions_total",
        "counter",
        "Pictures (or sets of tensors) by what came of them: answered, cached, or why there is no answer.",
        (
            ({"model": model, "version": version, "outcome": outcome}, n)
            for (model, version, outcome), n in sorted(meters.questions.items())
        ),
    )
    for name, said, histogram in (
        ("request", "From a request's headers to its answer.", meters.whole),
        ("queue", "From a question's acceptance until a worker took it.", counts.in_queue),
        ("decode", "Reading a picture.", counts.decode),
        ("graph", "Running the graph.", counts.graph),
    ):
        yield from _histogram(f"winnow_{name}_seconds", said, histogram)
    yield from _family("winnow_ready", "gauge", "Whether questions should be sent here.", [({}, int(service.is_ready))])
    for name, kind, said, value in (
        ("winnow_waiting", "gauge", "Questions in the queue.", counts.waiting),
        ("winnow_waiting_bytes", "gauge", "What those hold in memory.", counts.waiting_bytes),
        ("winnow_computing", "gauge", "Questions that workers have.", counts.computing),
        ("winnow_workers", "gauge", "Workers that run.", counts.workers),
        ("winnow_restarts_total", "counter", "Workers that were lost and replaced.", counts.restarts),
        ("winnow_swaps_total", "counter", "Changes of what is served.", counts.swaps),
        ("winnow_model_cpu_seconds_total", "counter", "Processor time of decoding and of graphs.", counts.cpu_s),
        ("winnow_cache_hits_total", "counter", "Questions answered from what was known.", counts.cached),
    ):
        yield from _family(name, kind, said, [({}, value)])
    yield from _family(
        "winnow_model_share",
        "gauge",
        "The share of a model's questions that a version gets.",
        (({"model": one.served.name, "version": one.served.version}, one.share) for one in service.engine.lineup),
    )
    yield from _family(
        "winnow_drift_warnings",
        "gauge",
        "Ways in which pictures or answers have moved away from those that a model learned from.",
        (
            ({"model": one.served.name, "version": one.served.version}, len(drift.warnings()))
            for one in service.engine.lineup
            if (drift := service.drifts.get(one.served.digest)) is not None
        ),
    )


def _family(name: str, kind: str, said: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield f"{name}{_labels(labels)} {value}"


def _histogram(name: str, said: str, histogram: Histogram) -> Iterator[str]:
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} histogram"
    below = list(accumulate(histogram.bins))
    for bound, n in zip((*map(str, BOUNDS_S), "+Inf"), below, strict=True):
        yield f"{name}_bucket{_labels({'le': bound})} {n}"
    yield f"{name}_sum {histogram.total_s}"
    yield f"{name}_count {below[-1]}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in labels.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
