"""The script for machines with a GPU runs whole without one, tiny, so that it will run where one is lent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'deep'")
pytest.importorskip("torchvision", reason="needs the extra 'deep'")
SCRIPT = Path(__file__).parents[2] / "bench" / "gpu.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def test_every_path_runs_on_the_cpu():
    done = run("--tiny")
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    rates = [*measured["resnet_50"]["learning"].values(), *measured["resnet_50"]["answering"].values()]
    assert len(rates) == 8
    assert min(rates) > 0
    assert measured["cifar_10"]["pictures"] == 96
    assert len(measured["cifar_10"]["runs"][0]["epoch_s"]) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_in_one_sentence():
    done = run()
    assert done.returncode == 1
    assert done.stderr.strip().startswith("No GPU that torch can use is here")
    assert "Traceback" not in done.stderr
