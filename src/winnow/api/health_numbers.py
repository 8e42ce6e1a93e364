"""The numbers that a check turns into findings: looks, near-duplicates, out-of-fold predictions, shortcut scores."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from winnow.api.dataset import Dataset
from winnow.data.health import check as find_all
from winnow.data.health.feature_pairs import MOST as MOST_COMPARED
from winnow.data.health.feature_pairs import feature_pairs
from winnow.data.health.finding import Finding
from winnow.data.health.label_errors import LEAST_AGREEMENT, agreement
from winnow.data.health.look import Looks, looks, looks_at_hand, no_looks
from winnow.data.health.nuisances import Nuisance, nuisances
from winnow.data.health.subject import Pair, Predictions, Shortcut, Subject, chains
from winnow.data.manifest import Example
from winnow.data.near_duplicates import near_duplicate_pairs
from winnow.data.sources.source import Refused
from winnow.data.splits import clusters as find_clusters
from winnow.events import Progress, Tell
from winnow.graph.backbone import Backbone
from winnow.graph.features import FeatureStore, PictureReader, Rows
from winnow.machine import cores
from winnow.metrics.families import find_metric
from winnow.metrics.shortcut_score import shortcut_scores
from winnow.report.health_schema import FindingPart, HealthPart
from winnow.tasks.classify.out_of_fold import out_of_fold, out_of_fold_multilabel
from winnow.tasks.pictures import PictureProblem

MOST_JUDGED = 50_000
"""Of more pictures a sample's labels are judged: the model would not get better, and all features need not fit into
memory."""
_MOST_SHORTCUT_CLASSES = 20
"""Of classes that a picture may have several of, each needs forests of its own: the commonest are looked at."""


def subject_of(data: Dataset, backbone: Backbone | None, seed: int, tell: Tell) -> tuple[Subject, tuple[str, ...]]:
    """What there is to know of a version, and what could not be found out, a sentence each."""
    examples = data.examples()
    notes: list[str] = []
    seen = looks([e.content for e in examples], data.workspace.blobs.read, data.workspace.cache_folder, tell)
    tell(Progress("looking for near-duplicates", 0))
    pairs = hash_pairs(examples)
    judged = _sample(len(examples), seed)
    rows, name = _features(data, [examples[place] for place in judged.tolist()], backbone, seed, tell)
    if backbone is not None and len(examples) <= MOST_COMPARED:
        pairs = _united(examples, pairs, feature_pairs(rows))
    elif backbone is not None:
        notes.append(f"Features were not compared for near-duplicates: that is done up to {MOST_COMPARED:,} pictures.")
    together = _clusters(examples, pairs)
    tell(Progress("judging labels", 0))
    predictions = _predictions(examples, judged, rows, name, together, seed)
    subject = Subject(
        examples=examples,
        looks=seen,
        refused=[Refused(**line) for line in data.manifest.provenance.get("refused", ())],
        pairs=pairs,
        predictions=predictions,
        shortcuts=_shortcuts(examples, seen, together, seed, tell),
    )
    return subject, (*notes, *_about_labels(subject, backbone))


def rows_alone(data: Dataset) -> Subject:
    """What the table says, without a look at any picture."""
    examples = data.examples()
    return Subject(examples=examples, looks=no_looks(len(examples)))


def health_of_climb(
    data: Dataset,
    examples: Sequence[Example],
    probs: npt.NDArray[np.floating],
    classes: Sequence[str],
    seed: int,
    tell: Tell,
) -> HealthPart:
    """What a climb tells of its data without another model or another look: by its predictions and what is cached.

    Args:
        data: the version that was climbed on.
        examples: (M,) those that were judged.
        probs: (M, C) what the chosen candidate said of them, out of fold.
        classes: C names.
        seed: of the folds that shortcuts are judged by.
        tell: hears progress.
    """
    start = time.perf_counter()
    everyone = data.examples()
    place_of = {example.source: place for place, example in enumerate(everyone)}
    places = np.array([place_of[example.source] for example in examples], dtype=np.int64)
    predictions = Predictions(places, probs.astype(np.float64), tuple(classes), "the chosen method")
    notes: list[str] = []
    pairs = hash_pairs(everyone) if len(everyone) <= MOST_COMPARED else []
    if len(everyone) > MOST_COMPARED:
        notes.append(f"Near-duplicates were not looked for: `winnow check {data.name}` does.")
    seen = looks_at_hand([e.content for e in everyone], data.workspace.cache_folder)
    if seen is None:
        notes.append(f"Light, focus, borders and shortcuts were not looked at: `winnow check {data.name}` does.")
    shortcuts = [] if seen is None else _shortcuts(everyone, seen, _clusters(everyone, pairs), seed, tell)
    subject = Subject(
        examples=everyone,
        looks=seen or no_looks(len(everyone)),
        refused=[Refused(**line) for line in data.manifest.provenance.get("refused", ())],
        pairs=pairs,
        predictions=predictions,
        shortcuts=shortcuts,
    )
    return health_part(data, subject, find_all(subject), notes, time.perf_counter() - start)


def health_part(
    data: Dataset, subject: Subject, findings: Sequence[Finding], notes: Sequence[str], seconds: float
) -> HealthPart:
    """Findings as one part of a document."""
    return HealthPart(
        dataset=data.name,
        version=data.version,
        pictures=len(subject.examples),
        counts=data.counts(),
        findings=tuple(FindingPart.of(finding, data.name) for finding in findings),
        notes=tuple(notes),
        features="" if subject.predictions is None else subject.predictions.features,
        seconds=round(seconds, 3),
    )


def hash_pairs(examples: Sequence[Example]) -> list[Pair]:
    """Near-duplicates by perceptual hash whose pixels differ."""
    found = near_duplicate_pairs([example.phash for example in examples])
    rows = zip(found.pairs.tolist(), found.similarities.tolist(), found.is_mirrored.tolist(), strict=True)
    return [
        Pair(first, second, similarity, "hash", is_mirrored)
        for (first, second), similarity, is_mirrored in rows
        if examples[first].pixels != examples[second].pixels
    ]


def _united(examples: Sequence[Example], pairs: Sequence[Pair], more: Sequence[Pair]) -> list[Pair]:
    """Pairs by hash, and those by features that no chain of the former holds together already."""
    chain_of = {place: number for number, chain in enumerate(chains(pairs)) for place in chain}
    new = [
        pair
        for pair in more
        if examples[pair.first].pixels != examples[pair.second].pixels
        and (pair.first not in chain_of or chain_of[pair.first] != chain_of.get(pair.second))
    ]
    return [*pairs, *new]


def _sample(n: int, seed: int) -> npt.NDArray[np.int64]:
    if n <= MOST_JUDGED:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, MOST_JUDGED, replace=False))


def _clusters(examples: Sequence[Example], pairs: Sequence[Pair]) -> npt.NDArray[np.int64]:
    """(N,) what must not be cut by a fold: equal pictures, near-duplicates and groups."""
    near = np.array([(pair.first, pair.second) for pair in pairs], dtype=np.int64).reshape(-1, 2)
    return find_clusters([e.pixels for e in examples], [e.group for e in examples], near)


def _features(
    data: Dataset, examples: Sequence[Example], backbone: Backbone | None, seed: int, tell: Tell
) -> tuple[Rows, str]:
    """(N, D) a backbone's features, or hand-made ones; and what they are, in words."""
    store = FeatureStore(PictureReader(data.workspace.blobs.read, data.workspace.cache_folder))
    pictures = PictureProblem(examples, store, find_metric("accuracy"), seed, backbone)
    features = pictures.backbone_features or pictures.handmade
    return pictures.rows(features, tell), f"features of {features.name}" if features.is_backbone else features.name


def _predictions(
    examples: Sequence[Example],
    judged: npt.NDArray[np.int64],
    rows: Rows,
    features: str,
    clusters: npt.NDArray[np.int64],
    seed: int,
) -> Predictions | None:
    """Out-of-fold probabilities of all labelled examples, those of the test split included: it is their labels that
    are judged, by a model that is thrown away."""
    is_labelled = np.array([examples[place].labels is not None for place in judged.tolist()], dtype=np.bool_)
    labelled, rows = judged[is_labelled], rows[is_labelled]
    names = sorted({label for e in examples for label in e.labels or ()})
    ids = {name: place for place, name in enumerate(names)}
    if not len(labelled) or len(names) < 2:
        return None
    if all(len(examples[place].labels or ()) == 1 for place in labelled.tolist()):
        labels = np.array([ids[str(examples[place].label)] for place in labelled.tolist()])
        found = out_of_fold(rows, labels, clusters[labelled], seed)
    else:
        member = np.zeros((len(labelled), len(names)), dtype=np.bool_)
        for row, place in enumerate(labelled.tolist()):
            member[row, [ids[label] for label in examples[place].labels or ()]] = True
        found = out_of_fold_multilabel(rows, member, clusters[labelled], seed)
    if found is None:
        return None
    classes = tuple(names[label] for label in found.classes.tolist())
    return Predictions(labelled[found.places], found.probs, classes, features)


def _shortcuts(
    examples: Sequence[Example], seen: Looks, clusters: npt.NDArray[np.int64], seed: int, tell: Tell
) -> list[Shortcut]:
    labelled = np.array([place for place, e in enumerate(examples) if e.labels is not None], dtype=np.int64)
    if not len(labelled):
        return []
    chosen = [examples[place] for place in labelled.tolist()]
    looked = nuisances(chosen, Looks(seen.rows[labelled]))
    tasks = [(nuisance, names, labels) for nuisance in looked for names, labels in _questions(chosen)]
    tell(Progress("looking for shortcuts", 0, len(tasks)))

    def one(task: tuple[Nuisance, tuple[str, ...], npt.NDArray[np.int64]]) -> list[Shortcut]:
        nuisance, names, labels = task
        scores = shortcut_scores(nuisance.columns, labels, clusters[labelled], tried=len(tasks), seed=seed)
        found: list[Shortcut] = []
        for score in scores:
            telling = np.argsort(-score.probs, kind="stable")
            interval = score.balanced_accuracy
            found.append(
                Shortcut(
                    nuisance.name,
                    names[score.label],
                    (interval.value, interval.low, interval.high),
                    nuisance.strong_from,
                    tuple(labelled[score.members[telling]].tolist()),
                    tuple(score.probs[telling].tolist()),
                )
            )
        return found

    with ThreadPoolExecutor(cores(), thread_name_prefix="shortcuts") as pool:
        return [shortcut for found in pool.map(one, tasks) for shortcut in found]


def _questions(examples: Sequence[Example]) -> list[tuple[tuple[str, ...], npt.NDArray[np.int64]]]:
    """What a nuisance is asked to tell: the class; or of each class, where there may be several, whether it applies."""
    counts = Counter(label for e in examples for label in e.labels or ())
    if all(len(e.labels or ()) == 1 for e in examples):
        names = tuple(sorted(counts))
        return [(names, np.array([names.index(str(e.label)) for e in examples], dtype=np.int64))]
    common = [name for name, _ in counts.most_common(_MOST_SHORTCUT_CLASSES)]
    return [
        ((name, f"not {name}"), np.array([name not in (e.labels or ()) for e in examples], dtype=np.int64))
        for name in common
    ]


def _about_labels(subject: Subject, backbone: Backbone | None) -> list[str]:
    predictions = subject.predictions
    if predictions is None:
        return ["Labels were not judged: too few independent pictures of at least two classes have one."]
    notes: list[str] = []
    agreed = agreement(subject, predictions)
    if agreed < LEAST_AGREEMENT:
        more = "" if backbone is not None else " Give a backbone (--backbone FOLDER): it sees far more."
        notes.append(
            f"Labels were not judged: a simple model on {predictions.features} agrees too little with them to say "
            f"which are wrong (Cohen's kappa {agreed:.2f}; {LEAST_AGREEMENT} would do).{more}"
        )
    if len(subject.examples) > MOST_JUDGED:
        notes.append(f"Labels were judged on a sample of {len(predictions.places):,} pictures.")
    return notes
