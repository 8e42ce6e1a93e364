"""Every broken table of the corpus gets its verdict and code; tables broken by chance raise nothing but sentences."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winnow.data.class_names import similar_classes
from winnow.data.sources.source import Found, Refused, RefusedSourceError
from winnow.errors import UserError
from winnow.events import Note

from .finding import items_in
from .pictures import file_of, noise

# The corpus names its pictures a.jpg, b.jpg ... without bringing them along.
_PICTURES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "a,1.jpg")


def _verdict(path: Path) -> tuple[str, set[str]]:
    """accept, accept_warn or reject, and all codes that are given."""
    try:
        items = items_in(path)
    except RefusedSourceError as error:
        return "reject", {error.code}
    codes = {item.code for item in items if isinstance(item, Refused | Note) and item.code}
    labels = {label for item in items if isinstance(item, Found) for label in item.labels or ()}
    if similar_classes(labels):  # which the import says of all sources alike
        codes.add("W_CLASS_SIMILAR")
    return ("accept_warn" if codes else "accept"), codes


def test_every_broken_table_of_the_corpus_gets_its_verdict_and_code(test_data, tmp_path):
    corpus = test_data / "badinput"
    rows = [json.loads(line) for line in (corpus / "MANIFEST.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["category"] == "ann-csv"]
    for seed, name in enumerate(_PICTURES):
        (tmp_path / name).write_bytes(file_of(noise(seed), "JPEG"))
    wrong: dict[str, object] = {}
    for row in rows:
        path = Path(shutil.copy(corpus / row["path"], tmp_path))
        start = time.process_time()
        verdict, codes = _verdict(path)
        took_s = time.process_time() - start
        is_right = verdict in row["expected"].split("|") and codes <= set(row["code"].split("|"))
        if not is_right or (not codes and verdict != "accept") or took_s > 5 or _verdict(path) != (verdict, codes):
            wrong[path.name] = verdict, codes, took_s
    assert len(rows) == 18
    assert wrong == {}


# By chance


def _csv(folder: Path) -> Path:
    rows = "".join(f'{name},"cat|dog",{i},2024-01-0{i + 1},train\n' for i, name in enumerate(_PICTURES[:4]))
    (folder / "t.csv").write_text("image,labels,weight,date,split\n" + rows)
    return folder / "t.csv"


def _json_lines(folder: Path) -> Path:
    rows = [{"image": name, "labels": ["cat", "dog"], "more": {"x": [1.5, None]}} for name in _PICTURES]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "t.jsonl"


def _json_list(folder: Path) -> Path:
    (folder / "t.json").write_text(json.dumps([{"image": name, "label": "é", "n": 1e5} for name in _PICTURES]))
    return folder / "t.json"


def _parquet(folder: Path) -> Path:
    images = [{"bytes": file_of(noise(i)), "path": name} for i, name in enumerate(_PICTURES)]
    pq.write_table(pa.table({"image": images, "label": [["a", "b"]] * 5, "n": range(5)}), folder / "t.parquet")
    return folder / "t.parquet"


def _excel(folder: Path) -> Path:
    book = openpyxl.Workbook()
    for row in (("image", "label", "n"), *((name, "cat", i) for i, name in enumerate(_PICTURES))):
        book.active.append(row)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


@pytest.mark.parametrize("make", [_csv, _json_lines, _json_list, _parquet, _excel], ids=lambda make: make.__name__[1:])
def test_a_table_broken_by_chance_raises_nothing_but_a_sentence(make: Callable[[Path], Path], tmp_path):
    for seed, name in enumerate(_PICTURES):
        (tmp_path / name).write_bytes(file_of(noise(seed), "JPEG"))
    path = make(tmp_path)
    whole = path.read_bytes()
    chance = random.Random(0)
    for _ in range(100):
        path.write_bytes(_broken(whole, chance))
        with contextlib.suppress(UserError, OSError):
            for item in items_in(path):
                if isinstance(item, Found):
                    item.read()


def _broken(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, cut off, left out, doubled, or replaced by signs that mean something."""
    broken = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at, length = chance.randrange(len(broken) or 1), chance.choice((1, 2, 8, 64))
        match chance.randrange(6):
            case 0:
                broken[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del broken[at : at + length]
            case 2:
                broken[at:at] = broken[at : at + length]
            case 3:
                broken[at:at] = chance.choice((b"\0", b'"', b"\n", b"\r", b"\xff\xfe", b",", b"[", b"{", b"\\u0000"))
            case 4:
                broken[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\x80"))
            case _:
                del broken[at:]
    return bytes(broken)
