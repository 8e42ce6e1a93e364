"""Findings as a page and in a terminal: complete, in order, and harmless whatever users call their files."""

from __future__ import annotations

import io

import pytest
from made_up import MadeUp, made_up_report
from rich.console import Console

from winnow.metrics.intervals import Interval
from winnow.report.health_page import as_health_page
from winnow.report.health_schema import FindingPart, HealthPart, ShownPart
from winnow.report.health_text import EVIDENCE_LINES, health_summary
from winnow.report.html import as_html
from winnow.report.schema import Report
from winnow.report.text import summary
from winnow.report.thumbnails import thumbnail


def finding(kind: str = "duplicates", severity: str = "worth a look", n: int = 3, **facts) -> FindingPart:
    shown = tuple(
        ShownPart(content=f"{kind} {i}", source=f"{kind}/{i}.jpg", label="cat", evidence=0.5 + i / 10) for i in range(n)
    )
    usual = {
        "kind": kind,
        "code": "W_DUP",
        "severity": severity,
        "sentence": f"{n} pictures are {kind}.",
        "count": n,
        "examples": shown,
        "evidence": "how often it occurs",
        "fix": (f"winnow fix clouds --drop {kind}",),
    }
    return FindingPart.model_validate(usual | facts)


def health(*findings: FindingPart, **facts) -> HealthPart:
    return HealthPart(
        dataset=facts.pop("dataset", "clouds"),
        version=2,
        pictures=90,
        counts={"cat": {"train": 60, "test": 20}, "dog": {"train": 10}},
        findings=findings,
        seconds=3.2,
        **facts,
    )


def text(part: HealthPart, width: int = 80) -> str:
    stored = io.StringIO()
    Console(file=stored, width=width).print(health_summary(part))
    return stored.getvalue()


def picture(_: str) -> bytes:
    import numpy as np

    return thumbnail(np.zeros((9, 9, 3), dtype=np.uint8))


def test_the_page_shows_each_finding_with_its_pictures_and_command():
    page = as_health_page(health(finding("leaks", "serious"), finding("blurred")), picture)
    assert page.index("Serious") < page.index("Worth a look")
    assert "3 pictures are leaks." in page
    assert "winnow fix clouds --drop blurred" in page
    assert page.count("<img") == 6
    assert "data:image/png" in page
    assert "Content-Security-Policy" in page


def test_a_page_without_findings_says_so():
    assert "Nothing odd was found." in as_health_page(health(), picture)


def test_a_removed_picture_leaves_a_gap():
    assert "no picture" in as_health_page(health(finding()), lambda _: None)


def test_a_picture_is_shown_beside_the_one_it_is_like():
    twin = ShownPart(content="a", source="a.jpg", label="cat", evidence=1, beside="b", said="like b.jpg")
    page = as_health_page(health(finding(examples=(twin,))), picture)
    assert page.count("<img") == 2


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\u202eb", "x\x1b[31m", "[red]"])
def test_names_of_strangers_do_no_harm(name: str):
    odd = ShownPart(content="c", source=name, label=name, evidence=1.0, said=name)
    part = health(finding(examples=(odd,), sentence=f"'{name}' is odd."), dataset=name, notes=(name,))
    page = as_health_page(part, picture)
    assert "<script>alert" not in page
    assert "\u202e" not in page
    said = text(part)
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_the_terminal_shows_every_sentence_and_at_most_ten_pictures():
    part = health(*(finding(f"kind-{chr(97 + i)}", n=5) for i in range(9)), notes=("Labels were not judged.",))
    said = text(part)
    for one in part.findings:
        assert one.sentence in said
        assert one.fix[0] in said
    assert said.count(".jpg") == EVIDENCE_LINES
    assert "Labels were not judged." in said


def test_numbers_survive_json():
    part = health(finding(interval=Interval(0.9, 0.8, 0.95)))
    assert HealthPart.model_validate_json(part.model_dump_json()) == part


def test_what_was_found_is_said_in_short():
    part = health(finding("leaks", "serious"), finding("blurred"), finding("dark"))
    assert part.in_short() == "3 findings: 1 serious, 2 worth a look."


def test_a_models_report_shows_what_to_look_at_in_its_data():
    report = made_up_report(MadeUp()).model_copy(update={"health": health(finding("leaks", "serious"))})
    page = as_html(report, picture)
    assert "What to look at in your data" in page
    assert "3 pictures are leaks." in page
    said = io.StringIO()
    Console(file=said, width=100).print(summary(report))
    assert "3 pictures are leaks." in said.getvalue()
    assert "winnow check" in said.getvalue()


def test_a_report_from_before_has_no_such_part():
    before = made_up_report(MadeUp()).model_dump(mode="json", exclude={"health"})
    assert Report.model_validate(before).health is None
    assert "What to look at in your data" not in as_html(Report.model_validate(before), picture)
