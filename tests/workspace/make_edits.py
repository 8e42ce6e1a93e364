"""A program that labels pictures of a dataset one by one until it is told to stop, or killed.

Usage: python make_edits.py FOLDER DATASET WRITER COUNT; prints "version picture label" after each edit that is in.
It has pictures of its own ("<writer>-<n>.png") and those that all writers share ("shared-<n>.png"), turn by turn.
"""

from __future__ import annotations

import sys
from pathlib import Path

from winnow.data.edits import Relabel
from winnow.workspace.workspace import Workspace

folder, dataset, writer, count = sys.argv[1:]
with Workspace.open(Path(folder)) as workspace:
    for turn in range(int(count)):
        picture = f"shared-{turn % 4}.png" if turn % 4 == 3 else f"{writer}-{turn % 20}.png"
        label = f"{writer} {turn}"
        version = workspace.edit(dataset, [Relabel({picture: label})], who=writer)
        print(version.number, picture, label, flush=True)
