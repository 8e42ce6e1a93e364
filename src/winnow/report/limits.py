"""What the figures of a report cannot tell, in plain sentences; the same ones in every drawing."""

from __future__ import annotations

from winnow.report.schema import Report
from winnow.report.words import count

_FEW = 30
"""Below this many pictures of a class, its 95 % intervals are wider than 0.3: too wide to plan with."""


def limits(report: Report) -> tuple[str, ...]:
    """A sentence for each thing a reader could wrongly believe; the most particular ones first."""
    return (
        *report.dataset.notes,
        *_of_the_climb(report),
        *_of_the_judged(report),
        *_of_the_openings(report),
        "All figures hold for pictures made the way these were: the same cameras, places, people and labels. "
        "For others the model may do worse, and nothing here says by how much.",
        "The labels are taken as true. Where they are wrong, right answers are counted as mistakes, "
        "and the other way round.",
        *_of_several_classes(report),
    )


def is_optimistic(report: Report) -> bool:
    """Whether the test figure comes from a second or later look at the test split."""
    return report.openings is not None and report.openings.opening > 1


def _of_the_climb(report: Report) -> list[str]:
    notes: list[str] = []
    if report.climb.was_interrupted:
        notes.append("The climb was stopped early: dearer methods might have done better.")
    chosen = next((rung for rung in report.ladder if rung.is_chosen), None)
    number_format = None if chosen is None else chosen.settings.get("number_format")
    if number_format not in (None, "fp32"):
        notes.append(
            f"The features were computed in {number_format}, which is fast on this processor. On another kind of "
            "machine the model runs in fp32, whose features agree closely but not to the last digit."
        )
    weights = None if chosen is None else chosen.settings.get("weights")
    if weights is not None:
        how = "heeds them" if weights == "heeded" else "cannot heed them and learned from all alike"
        notes.append(
            f"Some pictures have a weight of their own. The chosen method {how}; the figures count every picture once."
        )
    failed = [rung.title for rung in report.ladder if rung.state == "failed"]
    if failed:
        notes.append(f"Not measured, because it failed: {', '.join(failed)}.")
    return notes


def _of_the_judged(report: Report) -> list[str]:
    rare = [c.name for c in report.judged.evaluation.per_class if c.n < _FEW]
    if not rare:
        return []
    if len(rare) == len(report.judged.evaluation.per_class):
        return [
            f"Every class was judged on fewer than {_FEW} pictures: the figures of single classes are rough, "
            "as their wide intervals show."
        ]
    named = ", ".join(rare[:8]) + (f" and {len(rare) - 8} more" if len(rare) > 8 else "")
    return [
        f"{count(len(rare), 'class was', 'classes were')} judged on fewer than {_FEW} pictures ({named}): "
        "their own figures are rough, as the wide intervals show."
    ]


def _of_several_classes(report: Report) -> list[str]:
    if not report.is_multilabel:
        return []
    return [
        "A class that is not among a picture's labels is taken to be absent. Where somebody forgot to name it, finding "
        "it is counted as a false call.",
        "Each class is called from a threshold of its own, chosen for the best F1 on the judged pictures. Where misses "
        "and false calls do not cost you the same, choose others.",
    ]


def _of_the_openings(report: Report) -> list[str]:
    if report.test is None:
        return [
            "The method was chosen with the same pictures it is scored on here, so its score is a little "
            "flattering. The test split has not been opened; opening it once gives the honest figure."
            if _has_test_split(report)
            else "The method was chosen with the same pictures it is scored on here, and there is no test "
            "split to check it with, so its score is a little flattering."
        ]
    if is_optimistic(report) and report.openings is not None:
        return [
            f"The test split was opened {report.openings.opening} times up to this report. What was learned "
            "from earlier looks may have shaped this model, so its test figure is optimistic; fresh pictures "
            "would give an honest one."
        ]
    return []


def _has_test_split(report: Report) -> bool:
    return report.dataset.pictures_in("test") > 0
