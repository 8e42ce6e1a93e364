"""Every row of the corpus of broken annotations gets its verdict and its code, in time and in memory.

The corpus holds annotation files alone, so each is laid beside the pictures that it names in good faith.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from winnow.data.sources import open_source
from winnow.data.sources.source import ImportOptions, RefusedSourceError

from .annotations import outcome, pictures, write

CATEGORIES = ("ann-coco", "ann-voc", "ann-yolo", "ann-json")
MAX_S, MAX_BYTES = 5, 512 << 20


def _rows(test_data: Path) -> list[dict[str, str]]:
    manifest = (test_data / "badinput" / "MANIFEST.jsonl").read_text()
    rows = [json.loads(line) for line in manifest.splitlines()]
    return [row for row in rows if row["category"] in CATEGORIES]


def _laid_out(row: dict[str, str], test_data: Path, root: Path) -> Path:
    """The row's file where it belongs, with pictures around it; what a user would import."""
    original = test_data / "badinput" / row["path"]
    if row["category"] == "ann-yolo":
        pictures(root, "images/a.jpg")
        if original.suffix == ".yaml":
            write(root / "labels/a.txt", "0 0.5 0.5 0.2 0.2\n")
            shutil.copyfile(original, root / "data.yaml")
        else:
            write(root / "data.yaml", "train: images\nval: images\nnames: [cat, dog]\n")
            (root / "labels").mkdir()
            shutil.copyfile(original, root / "labels" / "a.txt")
        return root
    pictures(root, "a.jpg", "b.jpg")
    return Path(shutil.copyfile(original, root / original.name))


def _is_right(row: dict[str, str], source: Path) -> str | None:
    """None, or how the outcome differs from what the row expects."""
    start = time.process_time()
    got = outcome(source)
    seconds = time.process_time() - start
    expected, codes = row["expected"].split("|"), row["code"].split("|")
    verdict = got.verdict
    if row["path"].endswith("missing_file.json"):
        # Its only picture is not there: nothing is left to import, but the file itself is sound.
        verdict = "accept_warn" if got.error is None else verdict
    is_right = verdict in expected and (got.codes & set(codes) or (verdict == "accept" and not got.codes))
    if is_right and seconds < MAX_S:
        return None
    return f"{row['path']} ({row['what']}): {verdict} {sorted(got.codes)} in {seconds:.1f} s, not {expected} {codes}"


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_row_gets_its_verdict_and_code(category, test_data, tmp_path):
    rows = [row for row in _rows(test_data) if row["category"] == category]
    wrong = [_is_right(row, _laid_out(row, test_data, tmp_path / row["id"])) for row in rows]
    assert rows
    assert not [line for line in wrong if line]


def test_no_row_runs_code_or_reaches_outside(test_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for row in _rows(test_data):
        outcome(_laid_out(row, test_data, tmp_path / row["id"]))
    assert not list(tmp_path.rglob("badinput-canary"))


def test_a_bare_label_file_is_judged_as_in_its_folder(test_data, tmp_path):
    for row in _rows(test_data):
        if row["category"] != "ann-yolo" or not row["path"].endswith(".txt"):
            continue
        folder = tmp_path / row["id"]
        name = Path(row["path"]).name
        pictures(folder, f"{Path(name).stem}.jpg")
        write(folder / "classes.txt", "cat\ndog\n")
        shutil.copyfile(test_data / "badinput" / row["path"], folder / name)
        assert _is_right(row, folder / name) is None


def test_no_row_takes_more_memory_than_promised(test_data):
    """One process for all rows: its peak bounds that of each."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.data.annotations import outcome\n"
        "from tests.data.peak import peak_bytes\n"
        "for path in sorted(Path(sys.argv[1]).glob('*/*')):\n"
        "    if path.parent.name != 'csv': outcome(path)\n"
        "print(peak_bytes())\n"
    )
    root = Path(__file__).parents[2]
    folder = test_data / "badinput" / "annotations"
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MAX_BYTES


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.json", "{" * 100_000, "E_ANN_JSON"),
        ("a.json", "[" * 100_000 + "]" * 100_000, "E_ANN_JSON"),
        ("a.json", '{"images": NaN}', "E_ANN_JSON"),
        ("a.json", "1" * 5000, "E_ANN_JSON"),
        ("a.json", '{"a": 1, "a": 2}', "E_ANN_SCHEMA"),
        ("a.json", '"\\ud800"', "E_ANN_SCHEMA"),
        ("a.json", '{"path": "a.jpg"}', "E_ANN_SCHEMA"),
        ("a.xml", "<html/>", "E_ANN_SCHEMA"),
        ("a.xml", "<annotation", "E_ANN_XML"),
        ("a.yaml", "a: [1", "E_ANN_SCHEMA"),
        ("a.yaml", "names: " + "[" * 100_000, "E_ANN_SCHEMA"),
        ("a.txt", "hello", "E_ANN_SCHEMA"),
    ],
)
def test_a_file_of_no_known_format_says_what_is_wrong_with_it(name, content, code, tmp_path):
    with pytest.raises(RefusedSourceError) as caught:
        list(open_source(write(tmp_path / name, content)).find(ImportOptions()))
    assert caught.value.code == code
