"""Every code that Winnow gives has its meaning, and the manual knows the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from winnow.data.code_meanings import MEANING, MEANINGS
from winnow.data.codes import NOTICED

ROOT = Path(__file__).parents[2]


def test_the_manual_lists_the_very_same_codes():
    assert set(re.findall(r"\b[EW]_[A-Z0-9_]+\b", (ROOT / "docs/codes.md").read_text(encoding="utf-8"))) == set(MEANING)


def test_what_is_noticed_of_pictures_has_a_meaning():
    assert set(NOTICED) <= set(MEANING)


def test_no_code_has_two_meanings():
    assert sum(len(codes) for codes in MEANINGS.values()) == len(MEANING)


def test_meanings_are_sentences():
    assert all(meaning[0].isupper() and meaning.endswith(".") for meaning in MEANING.values())
