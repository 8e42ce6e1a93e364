"""The script for machines with a GPU runs whole without one, tiny, so that it will run where one is lent."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'deep'")
pytest.importorskip("torchvision", reason="needs the extra 'deep'")
SCRIPT = Path(__file__).parents[2] / "bench" / "gpu.py"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., None]]:
    """Types the script's name; it runs here, where torch is loaded already."""
    monkeypatch.setenv("WINNOW_CORES", "1")  # which the script's neighbours set for good
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])

    def typed(*arguments: str) -> None:
        sys.argv[1:] = arguments
        runpy.run_path(str(SCRIPT), run_name="__main__")

    yield typed
    for neighbour in ("cifar", "harness"):
        sys.modules.pop(neighbour, None)


def test_every_path_runs_on_the_cpu(run: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    run("--tiny")
    measured = json.loads(capsys.readouterr().out)
    rates = [*measured["resnet_50"]["learning"].values(), *measured["resnet_50"]["answering"].values()]
    assert len(rates) == 8
    assert min(rates) > 0
    assert measured["cifar_10"]["pictures"] == 96
    assert len(measured["cifar_10"]["runs"][0]["epoch_s"]) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_in_one_sentence(run: Callable[..., None]):
    with pytest.raises(SystemExit, match=r"^No GPU that torch can use is here"):
        run()
