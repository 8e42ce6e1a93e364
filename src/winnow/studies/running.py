"""A study is run, and what it found becomes a document."""

from __future__ import annotations

import time

import torch

from winnow import machine
from winnow.report.study_schema import StudyReport
from winnow.report.study_words import sentence
from winnow.studies.comparing import verdict_on_all
from winnow.studies.study import Setup, Study


def run_study(study: Study, setup: Setup, command: str) -> StudyReport:
    """Run a study and write down what it found.

    Args:
        study: which.
        setup: with what.
        command: gives the same figures again.

    Raises:
        UserError: it needs pictures and has none.
    """
    start = time.perf_counter()
    before = torch.random.get_rng_state()
    try:
        findings = study.run(setup)
    finally:
        torch.random.set_rng_state(before)
    verdict = verdict_on_all(findings.comparisons)
    return StudyReport(
        study=study.name,
        title=study.title,
        claim=study.claim,
        source=study.source,
        pictures=setup.pictures.in_words() if study.needs_pictures else "",
        seeds=setup.seeds,
        settings=findings.settings,
        comparisons=findings.comparisons,
        charts=findings.charts,
        verdict=verdict,
        sentence=sentence(study.claim, findings.comparisons, len(setup.seeds), verdict),
        seconds=time.perf_counter() - start,
        machine=machine.facts(),
        libraries={"torch": str(torch.__version__)},
        command=command,
    )
