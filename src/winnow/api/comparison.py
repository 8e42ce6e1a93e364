"""What a comparison of two models on the same pictures found: numbers, and the plain words for them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from winnow.api.judged_pictures import Split
from winnow.metrics.intervals import Interval
from winnow.metrics.mcnemar import PairedAnswers
from winnow.report import words

LEVEL = 0.05
"""An exact test says "shown" below this, as the 95 % intervals do."""


@dataclass(frozen=True, slots=True)
class ScorePair:
    """One metric of both models on the same pictures; None where it is undefined for one of them."""

    a: Interval | None
    b: Interval | None
    difference: Interval | None
    """b minus a in the metric's own unit, paired picture by picture: the interval knows how alike their answers are."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models judged on the same pictures."""

    a: str
    """Full name, or folder."""
    b: str
    task: str
    on: Split
    """ "test": the test split that both have opened; "judged": what both climbs judged, out of fold or held out."""
    dataset: str
    n: int
    """Pictures that both answered, neither having learned from them."""
    n_independent: int
    """Independent things among them: copies and groups count once."""
    scores: dict[str, ScorePair]
    """By metric name (`winnow.metrics.families.FAMILIES`)."""
    main: str
    """The metric that decides: accuracy, or mAP where a picture may show several classes."""
    answers: PairedAnswers
    """Right and wrong, picture by picture; all labels of a picture where it may show several."""
    notes: tuple[str, ...]
    """What a reader of the figures must know."""

    @property
    def better(self) -> Literal["a", "b"] | None:
        """Which one is shown to be better by the main metric; None if that is not shown.

        The interval of the difference must leave 0 out; where pictures are independent and right or wrong is what is
        counted, the exact test must agree.
        """
        difference = self.scores[self.main].difference
        if difference is None or difference.low <= 0 <= difference.high:
            return None
        if self.is_exact_test_valid and self.main == "accuracy" and self.answers.p_value >= LEVEL:
            return None
        return "b" if (difference.value > 0) == words.higher_is_better(self.main) else "a"

    @property
    def is_exact_test_valid(self) -> bool:
        """Whether every picture is independent of the others, as McNemar's test takes them to be."""
        return self.n_independent == self.n

    @property
    def verdict(self) -> str:
        """The outcome in plain words."""
        return " ".join((_headline(self), _scores_sentence(self), exact_sentence(self)))

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "task": self.task,
            "dataset": self.dataset,
            "on": self.on,
            "pictures": self.n,
            "independent": self.n_independent,
            "better": self.better,
            "verdict": self.verdict,
            "main": self.main,
            "scores": {name: asdict(pair) for name, pair in self.scores.items()},
            "answers": asdict(self.answers),
            "p_value": self.answers.p_value,
            "notes": list(self.notes),
        }

    def as_text(self) -> RenderableType:
        """As tables for a terminal."""
        table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for heading in ("Score", self.a, self.b, "Difference"):
            table.add_column(words.printable(heading), justify="left" if heading == "Score" else "right")
        for row in score_rows(self):
            table.add_row(*map(Text, row))
        notes = (Text(words.printable(f"- {note}")) for note in self.notes)
        decides = Text(deciding_sentence(self))
        return Group(Text(words.printable(self.verdict)), Text(""), table, Text(""), decides, *notes)


def score_rows(found: Comparison) -> list[tuple[str, str, str, str]]:
    """A row for each metric: its name, both scores and the difference, each with its interval."""
    rows: list[tuple[str, str, str, str]] = []
    for metric, pair in found.scores.items():
        better = "" if words.higher_is_better(metric) else ", less is better"
        shown = ["not defined" if one is None else words.score_with_span(metric, one) for one in (pair.a, pair.b)]
        difference = "not defined" if pair.difference is None else words.gain_with_span(metric, pair.difference)
        unit = " points" if words.is_share(metric) and pair.difference is not None else ""
        rows.append((words.capital(words.term(metric, found.task)) + better, *shown, difference + unit))  # type: ignore[arg-type]
    return rows


def _headline(found: Comparison) -> str:
    if found.better is None:
        return f"It is not shown that {found.a} or {found.b} is better than the other."
    better, other = (found.a, found.b) if found.better == "a" else (found.b, found.a)
    return f"{better} is shown to be better than {other}."


def _scores_sentence(found: Comparison) -> str:
    pair, metric = found.scores[found.main], found.main
    term = words.term(metric, found.task)
    if pair.a is None or pair.b is None or pair.difference is None:
        return f"On these {words.count(found.n, 'picture')} their {term} is not defined."
    return (
        f"On the same {words.count(found.n, 'picture')} {found.b} has {words.score(metric, pair.b.value)} {term} and "
        f"{found.a} {words.score(metric, pair.a.value)}: {words.gain(metric, pair.difference.value)} points "
        f"({words.level(pair.difference)} interval {words.gain_span(metric, pair.difference)})."
    )


def deciding_sentence(found: Comparison) -> str:
    """Which of the many figures the verdict rests on."""
    term = words.term(found.main, found.task)
    return f"One measure decides, {term}; the others are shown as they are, not corrected for being many."


def exact_sentence(found: Comparison) -> str:
    """McNemar's test in plain words."""
    answers = found.answers
    right = "right" if found.task == "classify" else "wholly right"
    tosses = answers.only_a + answers.only_b
    if tosses == 0:
        return f"Not one picture was answered {right} by only one of them."
    said = (
        f"Only one of them was {right} on {words.count(tosses, 'picture')}: {found.a} on "
        f"{words.number(answers.only_a)}, {found.b} on {words.number(answers.only_b)}."
    )
    if not found.is_exact_test_valid:
        return f"{said} Some pictures belong together, so the interval decides here and no test of single pictures."
    return (
        f"{said} If both were equally good, luck alone would share them out at least as unevenly in "
        f"{words.percent(answers.p_value)} of such comparisons (McNemar's exact test, p = {answers.p_value:.2g})."
    )
