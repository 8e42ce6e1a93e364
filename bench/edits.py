"""Promise: on 2 quiet cores 32 writers make 1,000 edits each within 2 minutes, none lost; one of a million, in 10 ms.

The peer is what SQLite itself needs for as many durable transactions of the same size, by one writer, in the same run.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from harness import ROOT, keep

from winnow.data.edits import Relabel
from winnow.data.manifest import Example, Manifest, table_of
from winnow.workspace.workspace import Workspace

WRITERS, EDITS = 32, 1000
MAKE_EDITS = ROOT / "tests" / "workspace" / "make_edits.py"
MILLION = 1_000_000


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pictures(workspace: Workspace, names: list[str]) -> Manifest:
    """A picture for each name, all of the same file."""
    content = workspace.blobs.put(b"one for all")
    one = Example(content, content, ("a",), None, "train", "winnow", "", 8, 8, "PNG", 11, False)
    table = table_of([one]).take(pa.array(np.zeros(len(names), np.int64)))
    return Manifest(table.set_column(table.column_names.index("source"), table.schema.field("source"), pa.array(names)))


def many_writers(folder: Path) -> dict[str, float | int]:
    """Let the writers loose, and compare what is there with what they said."""
    workspace = Workspace.open(folder)
    names = [f"w{writer}-{n}.png" for writer in range(WRITERS) for n in range(20)]
    workspace.add_dataset("many", "")
    workspace.add_version("many", pictures(workspace, [*names, *(f"shared-{n}.png" for n in range(4))]), "imported")
    start = time.perf_counter()
    outs = [(folder / f"said-{writer}.txt").open("w+", encoding="utf-8") for writer in range(WRITERS)]
    programs = [
        subprocess.Popen([sys.executable, MAKE_EDITS, folder, "many", f"w{writer}", str(EDITS)], stdout=out)
        for writer, out in enumerate(outs)
    ]
    for program in programs:
        program.wait()
    took_s = time.perf_counter() - start
    said: dict[int, tuple[str, str]] = {}
    for out in outs:
        out.seek(0)
        for line in out:
            number, picture, label = line.rstrip("\n").split(" ", 2)
            said[int(number)] = (picture, label)
        out.close()
    last = {picture: label for _, (picture, label) in sorted(said.items())}
    there = {example.source: example.label for example in workspace.manifest("many").examples()}
    in_log = {version.number for version in workspace.versions("many")}
    lost = sum(there[picture] != label for picture, label in last.items()) + len(said.keys() - in_log)
    return {
        "writers_s": round(took_s, 1),
        "edits_per_s": round(WRITERS * EDITS / took_s),
        "edits_said": len(said),
        "edits_lost": lost,
        "start_of_a_writer_s": round(
            seconds(lambda: subprocess.run([sys.executable, "-c", "import winnow.data.edits"])), 2
        ),
    }


def plain_sqlite(folder: Path) -> float:
    """Seconds for as many rows, each in a durable transaction of its own, by one writer."""
    database = sqlite3.connect(folder / "plain.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE edits (id INTEGER PRIMARY KEY, edit TEXT)")
    text = json.dumps([{"kind": "relabel", "labels": {"w00-00.png": ["w00 000"]}}]) + 100 * "."

    def write() -> None:
        for _ in range(WRITERS * EDITS):
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO edits (edit) VALUES (?)", (text,))
            database.execute("COMMIT")

    took_s = seconds(write)
    database.close()
    return took_s


def a_million(folder: Path) -> dict[str, float]:
    """One label more, in a dataset of a million pictures."""
    names = [f"class-{n % 100}/{n}.png" for n in range(MILLION)]
    first = Workspace.open(folder)
    first.add_dataset("million", "")
    first.add_version("million", pictures(first, names), "imported")
    first_s = seconds(lambda: first.edit("million", [Relabel({names[7]: "b"})]))
    next_s = [seconds(lambda n=n: first.edit("million", [Relabel({names[n]: "b"})])) for n in range(200)]
    path = first.find_version("million", 1).path
    return {
        "first_edit_s": round(first_s, 2),
        "next_edit_ms": round(1000 * statistics.median(next_s), 2),
        "read_table_s": round(seconds(lambda: Manifest.read(path)), 2),
        "read_edited_s": round(seconds(lambda: first.manifest("million")), 2),
    }


def main() -> None:
    """Measure, compare, keep."""
    with tempfile.TemporaryDirectory(prefix="winnow-edits-") as folder:
        peer_s = plain_sqlite(Path(folder))
        many = many_writers(Path(folder) / "many")
        million = a_million(Path(folder) / "million")
    keep(
        "edits",
        {"many_writers": many, "plain_sqlite_one_writer_s": round(peer_s, 1), "million": million},
        {
            "32 writers x 1,000 edits within 2 minutes": many["writers_s"] < 120,
            "none is lost": many["edits_lost"] == 0 and many["edits_said"] == WRITERS * EDITS,
            "one more label of a million pictures under 10 ms": million["next_edit_ms"] < 10,
        },
    )


if __name__ == "__main__":
    main()
