"""The first pictures of a process are computed by several threads at once, which OpenVINO's binding does not bear."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .tiny import features_graph

RACE = """
import os, sys, threading
sys.setswitchinterval(1e-6)  # without our own first use, four of ten such runs hang
import numpy as np
from pathlib import Path
from winnow.graph.runtime import open_graph

graph = open_graph(Path(sys.argv[1]).read_bytes(), one_at_a_time=True)
together = threading.Barrier(4)

def first():
    together.wait()
    graph.run(np.zeros((1, 16, 16, 3), np.uint8))

threads = [threading.Thread(target=first, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(20)
os._exit(any(thread.is_alive() for thread in threads))
"""


def test_the_first_pictures_of_a_process_do_not_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    (tmp_path / "graph.onnx").write_bytes(features_graph())
    done = subprocess.run([sys.executable, "-c", RACE, str(tmp_path / "graph.onnx")], check=False)
    assert done.returncode == 0
