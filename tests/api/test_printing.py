from __future__ import annotations

import io

from rich.console import Console

from winnow.api.printing import Printer
from winnow.events import EpochDone, Note, StepDone


def test_the_steps_of_a_network_are_one_bar_and_only_notes_stay_on_the_page() -> None:
    out = io.StringIO()
    with Printer(Console(file=out, force_terminal=True, width=100)) as printer:
        for done in (1, 2):
            printer(StepDone(done, 2, {"loss": 0.5}, 0.1))
        printer(EpochDone(1, {"loss": 0.5}, {}, 0.1, 1.0))
        printer(Note("Memory is short."))
        printer._bar.refresh()
        assert [(task.completed, task.total) for task in printer._bar.tasks] == [(2, 2)]
    assert "Memory is short." in out.getvalue()
