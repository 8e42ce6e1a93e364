"""How the pictures spread over the classes: few, many, none, and names that may mean one class."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from winnow.data.class_names import FEW_PICTURES, similar_classes
from winnow.data.edits import MergeClasses, Remove, RemoveLabels
from winnow.data.health.finding import Finding, Fix, counted, listed, percent
from winnow.data.health.subject import Subject
from winnow.data.manifest import task_of

# Below this many pictures the 95 % interval of a class's own figures is wider than 0.3.
_ROUGH = 30
_IMBALANCED, _VERY_IMBALANCED = 10, 100


def find_few_pictures(subject: Subject) -> Iterator[Finding]:
    """Classes with too few pictures to learn or to judge."""
    counts = subject.counts
    few = sorted((name for name in counts if counts[name] < FEW_PICTURES), key=lambda name: (counts[name], name))
    if few:
        yield Finding(
            kind="few-pictures",
            code="W_FEW_IMAGES",
            severity="serious" if len(few) == len(counts) else "worth a look",
            sentence=f"{counted(len(few), 'class has', 'classes have')} fewer than {FEW_PICTURES} pictures "
            f"({listed(few)}): what a model says of them will be a guess.",
            count=len(few),
            fixes=(Fix("drop", (_without(subject, set(few)),), is_judgement=True),)
            if len(counts) - len(few) > 1
            else (),
            advice="Add pictures of these classes.",
        )
    rough = [name for name in counts if FEW_PICTURES <= counts[name] < _ROUGH]
    if rough:
        yield Finding(
            kind="small-classes",
            code="W_SMALL_CLASSES",
            severity="good to know",
            sentence=f"{counted(len(rough), 'class has', 'classes have')} fewer than {_ROUGH} pictures "
            f"({listed(rough)}): their own figures will be rough, with wide intervals.",
            count=len(rough),
            advice="Add pictures of these classes.",
        )


def find_imbalance(subject: Subject) -> Iterator[Finding]:
    """Classes that are much rarer than others."""
    counts = {name: n for name, n in subject.counts.items() if n >= FEW_PICTURES}
    if len(counts) < 2:
        return
    common, rare = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    ratio = counts[common] / counts[rare]
    if ratio < _IMBALANCED:
        return
    usual = median(counts.values())
    labelled = sum(example.labels is not None for example in subject.examples)
    n_rare = sum(n * _IMBALANCED <= counts[common] for n in counts.values())
    yield Finding(
        kind="imbalance",
        code="W_IMBALANCE",
        severity="worth a look" if ratio >= _VERY_IMBALANCED else "good to know",
        sentence=f"'{common}' has {ratio:.0f} times as many pictures as '{rare}' (class imbalance; the usual class "
        f"has {usual:g}): always answering '{common}' would be right for "
        f"{percent(counts[common] / labelled)}.",
        count=n_rare,
        advice="Look at balanced accuracy, which counts every class alike: winnow train --optimise balanced_accuracy.",
    )


def find_unlabelled(subject: Subject) -> Iterator[Finding]:
    """Pictures without a label."""
    bare = [example for example in subject.examples if example.labels is None]
    if not bare:
        return
    yield Finding(
        kind="unlabelled",
        code="W_UNLABELLED",
        severity="good to know",
        sentence=f"{counted(len(bare), 'picture has', 'pictures have')} no label: kept, but not learned from.",
        count=len(bare),
        fixes=(Fix("drop", (Remove(tuple(example.source for example in bare)),), is_judgement=True),),
        advice="Label them.",
    )


def find_similar_names(subject: Subject) -> Iterator[Finding]:
    """Names of classes that differ only in case, spaces or look-alike letters."""
    counts = subject.counts
    groups = similar_classes(counts)
    if not groups:
        return
    merges: list[MergeClasses] = []
    for group in groups:
        into = max(group, key=lambda name: counts[name])
        merges.append(MergeClasses([name for name in group if name != into], into))
    written = "; ".join(" and ".join(f"'{name}' ({counts[name]})" for name in group) for group in groups[:3])
    yield Finding(
        kind="similar-classes",
        code="W_CLASS_SIMILAR",
        severity="serious",
        sentence=f"{counted(len(groups), 'group of classes is', 'groups of classes are')} written almost alike: "
        f"{written}. If they mean the same, a model is punished for answers that are right.",
        count=len(groups),
        fixes=(Fix("merge", tuple(merges)),),
    )


def _without(subject: Subject, classes: set[str]) -> Remove | RemoveLabels:
    """Leave out the pictures of these classes; where pictures have several, only these labels."""
    pictures = tuple(e.source for e in subject.examples if e.labels and not classes.isdisjoint(e.labels))
    is_one_each = task_of(e.labels for e in subject.examples) == "classify"
    return Remove(pictures) if is_one_each else RemoveLabels(pictures, tuple(sorted(classes)))
