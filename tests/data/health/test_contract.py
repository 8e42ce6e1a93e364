"""What every check promises, run over all of them: nothing where nothing is wrong, and fixes that can be made."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest

from winnow.data.edits import edited
from winnow.data.health import CHECKS, FIXES, NEEDS_ROWS_ONLY, check
from winnow.data.health.finding import MOST_SHOWN, SEVERITIES
from winnow.data.health.subject import Pair, Predictions, Shortcut, Subject
from winnow.data.manifest import Manifest
from winnow.data.sources.source import Refused

from .made import example, subject

CLASSES = ("Cat", "cat", "dog", "newt")


@pytest.fixture(scope="module")
def sick() -> Subject:
    """A dataset with everything that can be wrong."""
    labels = ["cat"] * 120 + ["dog"] * 60 + ["newt"] * 12 + ["Cat"] * 4
    examples = [example(f"{i}", label) for i, label in enumerate(labels)]
    examples[1] = example("1", "cat", pixels="pixels of 0")
    examples[150] = example("150", "dog", pixels="pixels of 0")
    examples[2] = example("2", "cat", split="test")
    examples[3] = example("3", "cat", split="test", group="g")
    examples[4] = example("4", "cat", group="g")
    examples[7] = example("7", "cat", width=10, height=8)
    examples[8] = example("8", "cat", width=9000, height=900)
    examples += [example("bare", None)]
    truth = [CLASSES.index(label) for label in labels]
    answers = list(truth)
    answers[20], answers[21] = 2, 2
    for i in range(180, 185):
        answers[i] = 2
    for i in range(160, 175):
        answers[i] = 3
    probs = np.full((len(labels), 4), 0.01)
    probs[np.arange(len(labels)), answers] = 0.97
    looks = {
        10: {"entropy": 0.0},
        11: {"entropy": 1.0},
        12: {"brightness_p99": 0.1},
        13: {"brightness_p5": 0.99},
        14: {"sharpness": 0.01},
        15: {"has_gps": 1.0, "has_owner": 1.0},
    }
    return subject(
        examples,
        looks,
        refused=[Refused("x.jpg", "E_EMPTY", "The file is empty.")],
        pairs=[Pair(2, 5, 0.98), Pair(30, 31, 0.99, "features"), Pair(32, 130, 0.97, is_mirrored=True)],
        predictions=Predictions(np.arange(len(labels)), probs, CLASSES, "features of a test"),
        shortcuts=[Shortcut("brightness", "cat", (0.99, 0.96, 1.0), 0.75, (0, 1), (0.9, 0.8))],
    )


def test_every_check_finds_what_it_is_for(sick: Subject):
    silent = [find.__name__ for find in CHECKS if not list(find(sick))]
    assert silent == []


def test_nothing_is_found_in_nothing_or_in_a_healthy_set():
    assert check(subject([])) == ()
    healthy = [example(f"{label} {i}", label) for label in ("cat", "dog") for i in range(40)]
    assert check(subject(healthy)) == ()


def test_findings_are_complete_and_serious_ones_come_first(sick: Subject):
    findings = check(sick)
    places = [SEVERITIES.index(finding.severity) for finding in findings]
    assert places == sorted(places)
    for finding in findings:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", finding.kind)
        assert re.fullmatch(r"W_[A-Z_]+", finding.code)
        assert finding.sentence[0].isupper() or finding.sentence[0].isdigit() or finding.sentence[0] == "'"
        assert finding.sentence.endswith(".")
        assert finding.count > 0
        assert len(finding.examples) <= MOST_SHOWN
        assert finding.evidence or not any(one.content for one in finding.examples)
        assert finding.fixes or finding.advice
    assert len({(finding.kind, finding.code) for finding in findings}) == len(findings)


def test_every_fix_can_be_made_and_is_known_to_the_command_line(sick: Subject):
    manifest = Manifest.of(sick.examples)
    for finding in check(sick):
        for fix, command in zip(finding.fixes, finding.commands("my set"), strict=True):
            assert finding.kind in FIXES[fix.action]
            assert shlex.split(command)[:5] == ["winnow", "fix", "my set", f"--{fix.action}", finding.kind]
            changed, said = edited(manifest, fix.edits)
            assert said
            assert changed.digest() != manifest.digest()


def test_every_promised_fix_exists(sick: Subject):
    made = {(fix.action, finding.kind) for finding in check(sick) for fix in finding.fixes}
    assert made == {(action, kind) for action, kinds in FIXES.items() for kind in kinds}


def test_what_needs_the_table_alone_is_found_without_looks(sick: Subject):
    blind = subject(sick.examples)
    found = {finding.kind for finding in check(blind)}
    assert found >= NEEDS_ROWS_ONLY


def test_after_its_fix_a_finding_is_gone(sick: Subject):
    manifest = Manifest.of(sick.examples)
    for finding in check(subject(sick.examples)):
        if finding.kind in NEEDS_ROWS_ONLY:
            mended, _ = edited(manifest, finding.fixes[0].edits)
            assert finding.kind not in {left.kind for left in check(subject(mended.examples()))}
