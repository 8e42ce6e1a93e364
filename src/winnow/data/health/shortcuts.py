"""Shortcuts: something that should not matter (light, size, file type, border, camera ...) gives a class away."""

from __future__ import annotations

from collections.abc import Iterator

from winnow.data.health.finding import Finding, counted, most_telling, percent, shown
from winnow.data.health.subject import Shortcut, Subject

# From here on the nuisance alone does what a good model does.
_SERIOUS = 0.9


def find_shortcuts(subject: Subject) -> Iterator[Finding]:
    """One finding for each nuisance that is strong enough, about the class that it tells best."""
    nuisances = dict.fromkeys(shortcut.nuisance for shortcut in subject.shortcuts)
    for nuisance in nuisances:
        strong = [
            shortcut
            for shortcut in subject.shortcuts
            if shortcut.nuisance == nuisance and shortcut.balanced_accuracy[1] > shortcut.strong_from
        ]
        if strong:
            yield _finding(subject, sorted(strong, key=lambda one: -one.balanced_accuracy[1]))


def _finding(subject: Subject, strong: list[Shortcut]) -> Finding:
    best = strong[0]
    value, low, high = best.balanced_accuracy
    others = _others(subject, best.label)
    more = f" It tells {counted(len(strong) - 1, 'more class', 'more classes')}, too." if len(strong) > 1 else ""
    return Finding(
        kind="shortcuts",
        code="W_SHORTCUT",
        severity="serious" if low >= _SERIOUS else "worth a look",
        sentence=f"{best.nuisance[:1].upper()}{best.nuisance[1:]} alone tells '{best.label}' from {others} "
        f"{percent(value)} of the time (shortcut; balanced accuracy, 95 % interval {percent(low)} to {percent(high)}; "
        f"guessing: 50 %). A model may learn that instead of what the pictures show.{more}",
        count=len(strong),
        examples=most_telling(
            shown(subject.examples[place], prob) for place, prob in zip(best.places, best.probs, strict=True)
        ),
        evidence=f"how sure {best.nuisance} alone is of the class, 0 to 1",
        advice="Collect or prepare the pictures of all classes the same way, or make sure that new pictures will "
        "differ in the same way.",
        interval=best.balanced_accuracy,
    )


def _others(subject: Subject, label: str) -> str:
    if any(example.labels is not None and len(example.labels) != 1 for example in subject.examples):
        return "pictures without it"
    names = [name for name in subject.counts if name != label]
    return f"'{names[0]}'" if len(names) == 1 else "the other classes"
