"""The report of a model as a file beside it: its numbers, and the ways to draw them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import RenderableType

from winnow.errors import UserError
from winnow.metrics.sureness import sure_from
from winnow.report.card import as_model_card
from winnow.report.schema import Judgement, Report
from winnow.report.text import summary

PAGE, CARD = "report.html", "MODEL_CARD.md"


class ReportFile:
    """A report that lies beside its model, with its drawn page and its model card.

    Attributes:
        numbers: all that was measured (`winnow.report.schema.Report`).
        folder: where the files lie.
    """

    def __init__(self, numbers: Report, folder: Path) -> None:
        self.numbers = numbers
        self.folder = folder

    @classmethod
    def read(cls, path: Path) -> ReportFile:
        """Read a `report.json`.

        Raises:
            NotFoundError: there is none.
            BadDataError: it is damaged, or of a newer Winnow.
        """
        return cls(Report.read_json(path), path.parent)

    @property
    def verdict(self) -> str:
        """Which rung was chosen and why, in plain words."""
        return self.numbers.verdict

    @property
    def page(self) -> Path:
        """The drawn page, one self-contained HTML file."""
        return self.folder / PAGE

    def save(self, path: str | Path) -> Path:
        """Write the report where the user wants it: `.html` the page, `.json` the numbers, `.md` the model card.

        Raises:
            UserError: another ending, or the place cannot be written.
        """
        target = Path(path).expanduser()
        kinds = {
            ".html": lambda: self.page.read_text(encoding="utf-8"),
            ".json": lambda: self.numbers.model_dump_json(indent=1),
            ".md": lambda: as_model_card(self.numbers),
        }
        if target.suffix not in kinds:
            raise UserError(f"A report is saved as .html, .json or .md, not as '{target.name}'.")
        try:
            target.write_text(kinds[target.suffix](), encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"The report cannot be written to {target} ({error.strerror}); choose another place."
            ) from error
        return target

    @property
    def judgement(self) -> Judgement:
        """The figures that count: of the test split if it was opened, else those of the climb."""
        return self.numbers.test or self.numbers.judged

    @property
    def sure_from(self) -> float | None:
        """From which probability on an answer may be called sure; see `winnow.metrics.sureness.sure_from`.

        None where no answer may, or where several classes are answered, each with its own threshold.
        """
        if self.numbers.is_multilabel:
            return None
        # What it was judged on, not the test split: that one is for looking, never for choosing.
        evaluation = self.numbers.judged.evaluation
        return sure_from(evaluation.thresholds, evaluation.n)

    def as_dict(self) -> dict[str, Any]:
        """All numbers as plain values."""
        return self.numbers.model_dump(mode="json")

    def as_text(self) -> RenderableType:
        """The verdict, the ladder, the scores and their limits, as tables for a terminal."""
        return summary(self.numbers)

    def __str__(self) -> str:
        return self.verdict
