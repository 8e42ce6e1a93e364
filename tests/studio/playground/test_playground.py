"""The playground's page has every knob with its name; what it computes is tested in `test_playground_maths.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nicegui.testing import User

import winnow.studio
from winnow.studio.pages.playground import STUDIES

PLAYGROUND = Path(winnow.studio.__file__).parent / "static" / "playground"
MARKUP = (PLAYGROUND / "playground.html").read_text("utf-8")


async def test_the_page_opens(visitor: User):
    await visitor.open("/playground")
    await visitor.should_see("Playground")
    await visitor.should_see("winnow study xor")


def test_every_knob_has_a_name_for_screen_readers():
    labelled = set(re.findall(r'<label for="([^"]+)"', MARKUP))
    for tag in re.findall(r"<(?:input|select)[^>]*>", MARKUP):
        (name,) = re.findall(r'id="([^"]+)"', tag)
        assert name in labelled or "aria-label=" in tag or name == "net-beside"


def test_the_scripts_find_every_element_they_name():
    there = set(re.findall(r'id="([^"]+)"', MARKUP))
    for script in PLAYGROUND.glob("*_view.js"):
        named = set(re.findall(r'\bat\("([^"]+)"\)', script.read_text("utf-8")))
        assert named <= there, script.name


def test_every_picture_is_one_for_screen_readers_too():
    assert all('role="img"' in tag for tag in re.findall(r"<canvas[^>]*>", MARKUP))


def test_the_lines_to_copy_name_studies_that_exist():
    pytest.importorskip("torch")
    from winnow.studies.catalogue import find_study

    assert [find_study(name).name for name in STUDIES] == list(STUDIES)
