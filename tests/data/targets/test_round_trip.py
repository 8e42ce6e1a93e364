"""What all formats promise: what leaves comes back the same, and what a format cannot hold is told before."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from winnow.data.class_names import ClassNameError, class_name, file_name
from winnow.data.manifest import Box, Example, Manifest
from winnow.data.sources.source import Found
from winnow.errors import UserError

from .going import TARGETS_BY_NAME, export, imported, picture

TARGETS = list(TARGETS_BY_NAME)
HOLDS = {
    "folders": set(),
    "zip": set(),
    "csv": {"group", "weight", "taken", "metadata"},
    "parquet": {"group", "weight", "taken", "metadata"},
    "coco": {"boxes", "taken"},
}
WORDS = {"boxes": "boxes", "group": "groups", "weight": "weights", "taken": "times", "metadata": "further columns"}


def single() -> list[Example]:
    """One class a picture, in three splits."""
    return [
        picture(n, (label,), split=split, source=f"{label}/{n}.png")
        for n, (label, split) in enumerate(
            [("cat", "train"), ("dog", "train"), ("cat", "validation"), ("dog", "test"), ("cat", "test")]
        )
    ]


def numbers() -> list[Example]:
    """Classes that are numbers, among them one below zero."""
    return [picture(n, (label,)) for n, label in enumerate(("-1", "0", "1", "1.50", "007", "1"))]


def unlabelled() -> list[Example]:
    return [*single(), picture(10, None), picture(11, None, split="test")]


def copies() -> list[Example]:
    """One picture twice, and names that are one on a disk that does not tell capitals apart."""
    same = [picture(1, ("cat",), source=source) for source in ("a/1.png", "b/1.png", "B/1.PNG")]
    return [*same, picture(2, ("cat",), source="c/1.png"), picture(3, ("dog",), source="a/1.png/1.png")]


def several() -> list[Example]:
    """Several labels, none that applies, and no label at all."""
    labels = [("cat", "dog"), ("dog",), (), None, ("bird", "cat"), ("bird",), ("cat",), ("dog", "cat", "bird")]
    return [picture(n, each, split=("train", "test")[n % 2]) for n, each in enumerate(labels)]


def several_and_never_none() -> list[Example]:
    labels = [("cat", "dog"), ("dog",), ("cat",), ("cat", "bird"), None]
    return [picture(n, each) for n, each in enumerate(labels)]


def divided() -> list[Example]:
    """Names that hold the signs by which people divide labels."""
    labels = [("a|b",), ("a|c",), ("b;c",), ("x, y", "a|b"), ("[x]",), ('"q"', "a\\b"), ("x", "y")]
    return [picture(n, each) for n, each in enumerate(labels)]


def names_that_look_divided() -> list[Example]:
    """The same where each picture has one class."""
    return [picture(n, (each,)) for n, each in enumerate(("a|b", "a|c", "a", "b", "c"))]


def boxed() -> list[Example]:
    """Boxes of fractions of a pixel, several of a class, around a crowd, and a class without any."""
    boxes = (Box("cat", 1 / 3, 2, 3.25, 4), Box("cat", 8, 1, 8, 11), Box("dog", 0, 0, 16, 12, is_crowd=True))
    return [
        picture(0, ("cat", "dog"), boxes=boxes),
        picture(1, ("bird", "cat"), boxes=boxes[:1], split="validation"),
        picture(2, ("cat",), boxes=boxes[1:2], split="validation"),
        picture(3, ()),
        picture(4, None, split="test"),
        picture(5, ("dog",), split="test"),
    ]


def told() -> list[Example]:
    """Groups, weights, times and further columns that would be run, or taken for something else."""
    return [
        picture(0, ("cat",), group="=cmd|' /C calc'!A0", weight=0.1 + 0.2, taken="2024-05-31"),
        picture(1, ("dog",), group="P,1", taken="2024-05-31T13:00:00+02:00", metadata={"camera": 'say "x"\nor y'}),
        picture(2, ("cat",), weight=1e-12, metadata={"camera": "-1+1", "=A1": "@SUM(1)", "subject": "7"}),
        picture(3, ("dog",), group="'=1", split="test", metadata={"camera": "'quoted'", "date (2)": "2020-01-01"}),
        picture(4, None, group="+44 1", metadata={"camera": "-3.5", "image_id": "5"}),
    ]


DATASETS: list[Callable[[], list[Example]]] = [
    single, numbers, unlabelled, copies, several, several_and_never_none, divided, names_that_look_divided, boxed, told
]  # fmt: skip


def _facts(thing: Example | Found, to: str, content: str) -> tuple[Any, ...]:
    """All of a picture that a format holds, as one value."""
    metadata = {key: value for key, value in thing.metadata.items() if key != "file_name"}
    parts = {
        "boxes": sorted(map(repr, thing.boxes)),
        "group": thing.group,
        "weight": thing.weight,
        "taken": thing.taken,
        "metadata": sorted(metadata.items()),
    }
    labels = None if thing.labels is None else tuple(sorted(thing.labels))
    return (content, labels, thing.split or "train", *(repr(parts[name]) for name in sorted(HOLDS[to])))


def _same(examples: list[Example], to: str, path: Path) -> None:
    wanted = Counter(_facts(example, to, example.content) for example in Manifest.of(examples).examples())
    got = Counter(_facts(found, to, hashlib.sha256(found.read()).hexdigest()) for found in imported(path))
    assert got == wanted


def _inside(to: str, path: Path) -> str:
    return "csv" if to == "zip" and "labels.csv" in zipfile.ZipFile(path).namelist() else to


@pytest.mark.parametrize("make", DATASETS)
@pytest.mark.parametrize("to", TARGETS)
def test_what_leaves_comes_back_the_same(make, to, tmp_path):
    examples = make()
    if any(e.labels is not None and len(e.labels) != 1 for e in examples) and to == "folders":
        with pytest.raises(UserError, match=r"several labels.*csv, coco or parquet"):
            export(examples, to, tmp_path / "out")
        assert list(tmp_path.iterdir()) == []
        return
    export(examples, to, tmp_path / "out")
    _same(examples, _inside(to, tmp_path / "out"), tmp_path / "out")


@pytest.mark.parametrize("make", DATASETS)
@pytest.mark.parametrize("to", [to for to in TARGETS if to != "zip"])
def test_what_a_format_cannot_hold_is_told(make, to, tmp_path):
    examples = make()
    try:
        notes = " ".join(map(str, export(examples, to, tmp_path / "out")))
    except UserError:
        return
    usual = {"boxes": (), "group": None, "weight": 1.0, "taken": None, "metadata": {}}
    for part, nothing in usual.items():
        n = sum(getattr(example, part) != nothing for example in examples)
        assert (f"the {WORDS[part]}" in notes) == (n > 0 and part not in HOLDS[to])


@pytest.mark.parametrize("to", TARGETS)
def test_the_same_version_gives_the_same_bytes(to, tmp_path):
    examples = unlabelled()
    for name in ("one", "two"):
        export(examples, to, tmp_path / name)

    def files(path: Path) -> dict[str, bytes]:
        found = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        return {str(each.relative_to(path)): each.read_bytes() for each in found}

    assert files(tmp_path / "one") == files(tmp_path / "two") != {}


@pytest.fixture(scope="module")
def hostile(test_data: Path) -> list[str]:
    folder = test_data / "badinput" / "names"
    listed = [*json.loads((folder / "blns.json").read_text()), *json.loads((folder / "hostile_names.json").read_text())]
    return sorted(set(listed))


@pytest.mark.parametrize("to", TARGETS)
def test_hostile_names_of_classes_files_groups_and_columns_come_back(hostile, to, tmp_path):
    examples: list[Example] = []
    for n, name in enumerate(hostile):
        try:
            label = class_name(name)[0]
        except ClassNameError:
            continue
        if len(label.encode()) > 150:  # told in a test of its own
            continue
        text = unicodedata.normalize("NFC", name).replace("\0", "").strip()[:1000].strip()
        about: dict[str, Any] = {"group": text or None, "metadata": {"said": text} if text else {}}
        source = file_name(f"{name}/{name}" if n % 2 else name)[0]
        examples.append(picture(n, (label,), source=source, split=("train", "test")[n % 3 == 0], **about))
    assert len(examples) > 400
    export(examples, to, tmp_path / "out")
    _same(examples, to, tmp_path / "out")
    if (tmp_path / "out").is_dir():
        for path in (tmp_path / "out").rglob("*"):
            assert not set(path.name) & set('<>:"\\|?*'), path
            assert path.name == path.name.strip(" .")
            assert not file_name(path.name)[1], "nothing hides in it"
            assert len(str(path.relative_to(tmp_path))) < 400
