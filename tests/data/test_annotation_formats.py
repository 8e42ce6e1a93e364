"""What all annotation formats promise: the same pictures give the same labels and boxes, and damage only sentences."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from .annotation_samples import SAMPLES, THINGS
from .annotations import Outcome, coco, outcome, pictures, write
from .pictures import class_folders

JSON_FORMATS = [name for name, files in SAMPLES.items() if not isinstance(next(iter(files.values())), str)]
TEXT_FORMATS = [name for name in SAMPLES if name not in JSON_FORMATS]


def _lay_out(root: Path, files: dict[str, Any]) -> Path:
    pictures(root, "a.jpg", "b.jpg")
    for name, content in files.items():
        write(root / name, content)
    return root


def _says_the_same(got: Outcome, folder: str = "") -> None:
    assert got.labels() == {f"{folder}{name}": (thing[0],) for name, thing in THINGS.items()}
    assert {name: got.boxes(f"{folder}{name}") for name in THINGS} == {name: [thing] for name, thing in THINGS.items()}
    assert (got.error, got.refused, got.codes) == (None, {}, set())


@pytest.mark.parametrize("name", SAMPLES)
def test_every_format_gives_the_same_labels_and_boxes(name, tmp_path):
    _says_the_same(outcome(_lay_out(tmp_path, SAMPLES[name])))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_zip_of_the_folder_gives_the_same(name, tmp_path):
    folder = _lay_out(tmp_path / "set", SAMPLES[name])
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(tmp_path))
    _says_the_same(outcome(tmp_path / "set.zip"), "set/")


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in ("voc", "yolo")])
def test_the_annotation_file_itself_can_be_given(name, tmp_path):
    root = _lay_out(tmp_path, SAMPLES[name])
    _says_the_same(outcome(root / next(iter(SAMPLES[name]))))


def test_a_data_yaml_can_be_given(tmp_path):
    _says_the_same(outcome(_lay_out(tmp_path, SAMPLES["yolo"]) / "data.yaml"))


@pytest.mark.parametrize("name", SAMPLES)
def test_pictures_in_a_folder_of_their_own_are_found(name, tmp_path):
    root = _lay_out(tmp_path, SAMPLES[name])
    (root / "images").mkdir()
    for picture in THINGS:
        (root / picture).rename(root / "images" / picture)
    if name == "yolo":
        (root / "labels").mkdir()
        for label_file in ("a.txt", "b.txt"):
            (root / label_file).rename(root / "labels" / label_file)
    _says_the_same(outcome(root), "images/")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_picture_that_is_not_there_costs_a_line(name, tmp_path):
    root = _lay_out(tmp_path, SAMPLES[name])
    (root / "b.jpg").unlink()
    got = outcome(root)
    assert list(got.found) == ["a.jpg"]
    codes = {line.code for line in got.refused.values()}
    assert codes in ({"E_MISSING"}, {"E_URL_BLOCKED"})
    assert "W_FILE_MISSING" in got.codes or codes == {"E_URL_BLOCKED"}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_outcome_is_the_same_every_time(name, tmp_path):
    root = _lay_out(tmp_path, SAMPLES[name])
    assert repr(outcome(root).labels()) == repr(outcome(root).labels())


# Class folders stay class folders


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package.json", {"name": "x", "images": 3}),
        ("notes.json", [1, 2]),
        ("broken.json", "{"),
        ("config.yaml", "names: [a, b]\n"),
        ("README.txt", "1 2 3 4 5\n"),
        ("sitemap.xml", "<urlset/>"),
        ("cat/0.json", {"label": "cat"}),
    ],
)
def test_class_folders_with_a_stray_file_are_class_folders(name, content, tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2})
    write(tmp_path / name, content)
    assert {found.labels for found in outcome(tmp_path).found.values()} == {("cat",), ("dog",)}


# Fuzz


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(node for key, each in inside for node in _nodes(each, (*path, key)))]


_VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**30, "", "a.jpg", "../../x", "\x00", "\ud800", "nan", "x" * 5000, [], {},
    [[]], [{}], {"a": 1}, [None], "http://x/a.jpg", "file:///etc/passwd", "gs://", "//", "1", "http://[",
    {"id": [1]}, [[1, 2], [3, 4]],
]  # fmt: skip


def _mutated(document: Any, rng: random.Random) -> Any:
    """A copy with one to three values dropped, replaced or doubled."""
    document = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        path = rng.choice(_nodes(document))
        if not path:
            return rng.choice(_VALUES)
        *way, last = path
        parent = document
        for key in way:
            parent = parent[key]
        choice = rng.random()
        if choice < 0.3:
            del parent[last]
        elif choice < 0.4 and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[last]))
        else:
            parent[last] = copy.deepcopy(rng.choice(_VALUES))
    return document


def _survives(root: Path, path: str) -> None:
    """Nothing but a sentence comes out, and what is found has sound boxes and can be written down."""
    for source in (root / path, root):
        for found in outcome_or_sentence(source).found.values():
            assert found.source in ("a.jpg", "b.jpg")
            assert all(box.x >= 0 and box.x + box.width <= 96.001 and box.width > 0 < box.height for box in found.boxes)
            json.dumps([found.labels, found.warnings]).encode()


def outcome_or_sentence(source: Path) -> Outcome:
    from winnow.errors import UserError

    try:
        return outcome(source)
    except UserError:
        return Outcome()


@pytest.mark.parametrize("name", JSON_FORMATS)
def test_json_with_broken_values_gives_nothing_but_sentences(name, tmp_path):
    rng = random.Random(name)
    (path, document), *_ = SAMPLES[name].items()
    _lay_out(tmp_path, SAMPLES[name])
    for _ in range(60):
        write(tmp_path / path, json.dumps(_mutated(document, rng)))
        _survives(tmp_path, path)


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_text_with_broken_characters_gives_nothing_but_sentences(name, tmp_path):
    rng = random.Random(name)
    _lay_out(tmp_path, SAMPLES[name])
    for _ in range(60):
        path, text = rng.choice(list(SAMPLES[name].items()))
        data = bytearray(text.encode())
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 5)] = rng.choice([b"", b"<", b"&", b"\xff", b"-1", b"9" * 30, b"nan", b"\0"])
        write(tmp_path / path, bytes(data))
        _survives(tmp_path, path)
        write(tmp_path / path, text)


def test_a_name_in_an_annotation_never_leaves_the_folder(tmp_path):
    pictures(tmp_path, "secret.jpg", "in/a.jpg", "in/b.jpg")
    ways = ["../secret.jpg", "..\\secret.jpg", "a/../../secret.jpg", str(tmp_path / "secret.jpg"), "C:\\secret.jpg",
            f"file://{tmp_path}/secret.jpg", "//host/secret.jpg", "a.jpg/../../secret.jpg"]  # fmt: skip
    images = [{"id": 1, "file_name": "a.jpg"}] + [{"id": 2 + i, "file_name": way} for i, way in enumerate(ways)]
    write(tmp_path / "in" / "ann.json", coco(images))
    got = outcome(tmp_path / "in" / "ann.json")
    assert list(got.found) == ["a.jpg"]
    assert {line.code for line in got.refused.values()} == {"E_ANN_PATH"}
    assert len(got.refused) == len(ways)
