"""Promise: every study runs within 2 minutes on 2 cores (4 minutes of processor time), and the docs show its figures.

`python bench/studies.py [NAME ...]` runs the studies of those names, or all, one after the other, with as many seeds
as each has by itself. It writes what they measured to `results/studies.json`, their drawings to `docs/studies/`, and
the figures below the mark in `docs/studies.md`. Figures of studies that are not run again stay.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from harness import ROOT, keep

import winnow
from winnow.api.studying import Studied, studies
from winnow.report.study_words import mean_in_words, needed_in_words, span_in_words

MOST_PROCESSOR_S = 240
RESULTS, PAGE = ROOT / "bench" / "results" / "studies.json", ROOT / "docs" / "studies.md"
DRAWINGS = ROOT / "docs" / "studies"
MARK = "<!-- bench/studies.py writes what stands below -->\n"


def main() -> None:
    """Run, write down, compare with the promise."""
    known = [str(one["name"]) for one in studies()]
    measured: dict[str, Any] = json.loads(RESULTS.read_text())["measured"] if RESULTS.exists() else {}
    DRAWINGS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or known:
        start = time.process_time()
        studied = winnow.study(name)
        measured[name] = written_down(studied, time.process_time() - start)
        studied.save(DRAWINGS / f"{name}.svg")
        print(studied.sentence, flush=True)
    measured = {name: measured[name] for name in known if name in measured}
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(before + MARK + "".join(section(name, one) for name, one in measured.items()), encoding="utf-8")
    promises = {f"{name} within 2 minutes": one["processor_s"] <= MOST_PROCESSOR_S for name, one in measured.items()}
    keep("studies", measured, promises)


def written_down(studied: Studied, processor_s: float) -> dict[str, Any]:
    """What is kept of a study: all but the lines of its charts, which the drawing has."""
    numbers = studied.numbers
    rows = [
        [one.what[0].upper() + one.what[1:], mean_in_words(one), span_in_words(one), needed_in_words(one), one.verdict]
        for one in numbers.comparisons
    ]
    return {
        **studied.to_json(),
        "charts": [chart.title for chart in numbers.charts],
        "rows": rows,
        "processor_s": round(processor_s, 1),
        "date": datetime.now(UTC).date().isoformat(),
    }


def section(name: str, one: dict[str, Any]) -> str:
    """A study in the documentation."""
    head = f"| with {len(one['seeds'])} seeds | mean | 95 % interval | the claim needs | |\n|---|---|---|---|---|\n"
    table = head + "".join(f"| {' | '.join(row)} |\n" for row in one["rows"])
    settings = "; ".join(f"{key}: {value}" for key, value in one["settings"].items())
    with_what = f"{one['pictures']}; {settings}" if one["pictures"] else settings
    how = f"`{one['command']}`, {one['processor_s']:.0f} s of processor time, {one['date']}."
    return (
        f"\n### {name}\n\n> {one['claim']} ({one['source']})\n\n{table}\n"
        f"**Verdict: {one['verdict']}.** {how}\n\n"
        f"{with_what[0].upper()}{with_what[1:]}.\n\n"
        f"![{'; '.join(one['charts'])}](studies/{name}.svg)\n"
    )


if __name__ == "__main__":
    main()
