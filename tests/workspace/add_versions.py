"""A program that adds versions to a dataset until it is told to stop, or killed.

Usage: python add_versions.py FOLDER DATASET WRITER COUNT; prints each number when it is in.
"""

from __future__ import annotations

import sys
from pathlib import Path

from winnow.data.manifest import Example, Manifest
from winnow.workspace.workspace import Workspace

folder, dataset, writer, count = sys.argv[1:]
with Workspace.open(Path(folder)) as workspace:
    for round_ in range(int(count)):
        content = workspace.blobs.put(f"{writer}-{round_}".encode())
        example = Example(
            content, content, ("a",), None, "train", "winnow", f"{round_}.png", 8, 8, "PNG", len(content), False
        )
        number = workspace.add_version(dataset, Manifest.of([example] * 200), f"round {round_} of {writer}")
        print(number, flush=True)
