"""Every archive of the corpus of bad input gets the verdict and the code that its manifest asks for."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from winnow.data.class_names import class_notes
from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.sources import open_source
from winnow.data.sources.source import Found, ImportOptions, RefusedSourceError


@dataclass(frozen=True)
class Verdict:
    """What became of a source: in one word, with all codes that were given."""

    word: str
    codes: frozenset[str]


def verdict_of(path: Path) -> Verdict:
    """reject: nothing came in; accept_warn: something did, with a code; accept: without any."""
    codes: set[str] = set()
    classes: Counter[str] = Counter()
    try:
        for item in open_source(path).find(ImportOptions()):
            if isinstance(item, Found):
                try:
                    codes.update(decode(item.read()).warnings, item.warnings)
                    classes.update(item.labels or ("",))
                except UnreadablePictureError as error:
                    codes.add(error.code)
            else:
                codes.add(item.code)
    except RefusedSourceError as error:
        return Verdict("reject", frozenset({error.code}))
    if not classes:
        return Verdict("reject", frozenset(codes))
    codes.update(note.code for note in class_notes(classes, "corpus"))
    return Verdict("accept_warn" if codes else "accept", frozenset(codes))


def test_every_archive_of_the_corpus_gets_its_verdict_and_code(test_data):
    corpus = test_data / "badinput"
    rows = [json.loads(line) for line in (corpus / "MANIFEST.jsonl").read_text().splitlines()]
    wrong: dict[str, Verdict] = {}
    slow: dict[str, float] = {}
    for row in (row for row in rows if row["category"] == "archive"):
        began = time.process_time()
        verdict = verdict_of(corpus / row["path"])
        if (took_s := time.process_time() - began) > 5:
            slow[row["path"]] = took_s
        codes = {code.split(" ")[0] for code in row["code"].split("|")}
        if verdict.word not in row["expected"].split("|") or not codes & verdict.codes:
            wrong[row["path"]] = verdict
    assert wrong == {}
    assert slow == {}


def test_no_archive_of_the_corpus_takes_half_a_gigabyte(test_data):

    command = [sys.executable, "-m", "tests.data.test_badinput_archives", str(test_data / "badinput" / "archives")]
    root = Path(__file__).parents[2]
    told = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert int(told) < 512 << 20


if __name__ == "__main__":
    from tests.data.peak import peak_bytes

    for path in sorted(Path(sys.argv[1]).iterdir()):
        assert verdict_of(path) == verdict_of(path), f"{path} was judged twice, and not alike"
    print(peak_bytes())
