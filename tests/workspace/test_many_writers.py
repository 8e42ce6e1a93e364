"""Programs that label at once: every edit that was said to be in is in, in the order of its number.

The promise of 32 writers with 1,000 edits each is measured by `bench/edits.py`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from winnow.data.manifest import Manifest
from winnow.workspace.workspace import Workspace

MAKE_EDITS = str(Path(__file__).parent / "make_edits.py")
WRITERS = ("ada", "bob", "cyd", "dan")


def test_no_edit_of_many_writers_is_lost(clouds: Workspace, manifest_of: Callable[..., Manifest]):
    own = [f"{writer}-{n}" for writer in WRITERS for n in range(20)]
    clouds.add_version("clouds", manifest_of(clouds, *own, *(f"shared-{n}" for n in range(4))), "imported")
    programs = [
        subprocess.Popen(
            [sys.executable, MAKE_EDITS, str(clouds.folder), "clouds", writer, "60"], stdout=subprocess.PIPE, text=True
        )
        for writer in WRITERS
    ]
    lines = [line.split(" ", 2) for program in programs for line in program.communicate()[0].splitlines()]
    said = {int(number): (picture, label) for number, picture, label in lines}
    assert sorted(said) == list(range(3, 3 + 60 * len(WRITERS)))
    last = {picture: label for _, (picture, label) in sorted(said.items())}
    labels = {example.source: example.label for example in clouds.manifest("clouds").examples()}
    assert {picture: labels[picture] for picture in last} == last
    for number in (50, 100, 200):
        picture, label = said[number]
        labels_then = {e.source: e.label for e in clouds.manifest("clouds", number).examples()}
        assert labels_then[picture] == label
