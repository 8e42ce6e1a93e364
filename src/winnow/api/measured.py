"""What a model is worth on pictures other than its own dataset's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from winnow.api.judged_pictures import JudgedPictures
from winnow.data.sources.source import Refused
from winnow.report import words
from winnow.report.schema import Judgement


@dataclass(frozen=True, slots=True)
class Measured:
    """A model measured on labelled pictures that a user named."""

    model: str
    """Its full name, or its folder."""
    source: str
    """What was measured on, as the user knows it."""
    task: str
    """ "classify" or "multilabel"."""
    judgement: Judgement
    """Every metric with its interval, the confusion matrix, the worst mistakes."""
    refused: tuple[Refused, ...]
    """What could not be read and why."""
    notes: tuple[str, ...]
    """What a reader of the figures must know; the first says that this is not the test split."""
    pictures: JudgedPictures
    """What was answered, picture by picture."""

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "model": self.model,
            "source": self.source,
            "task": self.task,
            "notes": list(self.notes),
            "refused": [asdict(line) for line in self.refused],
            "judgement": self.judgement.model_dump(mode="json"),
        }

    def as_text(self) -> RenderableType:
        """As tables for a terminal."""
        evaluation = self.judgement.evaluation
        table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column("Score")
        table.add_column(words.count(evaluation.n, "picture"), justify="right")
        for metric, interval in evaluation.scores.items():
            better = "" if words.higher_is_better(metric) else " (less is better)"
            shown = "not defined" if interval is None else words.score_with_span(metric, interval)
            table.add_row(words.capital(words.term(metric, self.task)) + better, Text(shown))
        return Group(
            Text(f"{words.printable(self.model)} on {words.printable(self.source)}", style="bold"),
            Text(""),
            table,
            Text(""),
            *(Text(words.printable(f"- {note}")) for note in self.notes),
        )
