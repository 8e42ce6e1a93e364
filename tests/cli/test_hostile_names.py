"""Names of files and classes that try to command the terminal, or are no text: shown harmlessly, and never a crash."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from pathlib import Path

import pytest
from terminal import Winnow

HOSTILE = ["a\x1b[2Jb", "\u202egpj", "\u200bzero", "<script>alert(1)</script>", "$(touch x)", "=cmd|'x'!A0"]


def is_harmless(text: str) -> bool:
    """Nothing in it moves a cursor or turns what follows, and any terminal or file can take it."""
    return not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in text if sign != "\n")


@pytest.fixture
def odd_shapes(shapes: Path, tmp_path: Path) -> Path:
    """The two classes of shapes under hostile names, and a broken file."""
    folder = tmp_path / "odd"
    for source, name in zip(("bright", "dark"), HOSTILE, strict=False):
        shutil.copytree(shapes / source, folder / name)
    for i, name in enumerate(HOSTILE):
        (folder / HOSTILE[0] / f"{i}{name}.png".replace("/", "_")).write_bytes(b"no picture")
    return folder


def test_an_import_of_hostile_names_says_nothing_hostile(winnow: Winnow, odd_shapes: Path):
    said = winnow("import", odd_shapes)
    assert said.code == 0
    assert is_harmless(said.out)
    assert is_harmless(said.err.replace("\r", ""))


def test_hostile_names_are_in_the_json_and_harmless(winnow: Winnow, odd_shapes: Path):
    said = winnow("import", odd_shapes, "--json")
    answer = json.loads(said.out)
    assert is_harmless(said.out)
    assert set(answer["classes"]) == {"a[2Jb", "gpj"}
    assert len(answer["refused"]) == len(HOSTILE)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_a_name_that_is_no_text_is_written_as_bytes(winnow: Winnow, odd_shapes: Path):
    (odd_shapes / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    said = winnow("import", odd_shapes, "--json")
    assert "caf%E9.png" in {refused["source"] for refused in json.loads(said.out)["refused"]}


@pytest.mark.parametrize("name", [*HOSTILE, os.fsdecode(b"caf\xe9"), "x" * 5000])
def test_an_error_about_a_hostile_path_is_a_harmless_sentence(winnow: Winnow, name: str, tmp_path: Path):
    said = winnow("import", tmp_path / f"no-{name.replace('/', '_')}")
    assert said.code > 0
    assert said.err.startswith("winnow: ")
    assert is_harmless(said.err)
