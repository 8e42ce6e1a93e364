"""The folder that needs no Winnow: its script answers as `Model.predict` does, whatever the picture file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import winnow
from winnow.api.model import Model
from winnow.data.inputs import Fit
from winnow.data.quiet import quiet_pillow
from winnow.data.signatures import FORMATS

from .made_models import SIDE_PX, weighing_model

NEEDED = ("numpy", "onnxruntime", "PIL")
BESIDE = ("numpy.libs", "onnxruntime.libs", "pillow.libs")


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with onnxruntime, Pillow and numpy and nothing else."""
    folder = tmp_path_factory.mktemp("needed")
    for name in NEEDED:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        home = Path(spec.origin).parent
        (folder / name).symlink_to(home)
        for libs in BESIDE:
            if (home.parent / libs).is_dir() and not (folder / libs).exists():
                (folder / libs).symlink_to(home.parent / libs)
    return folder


def ask(exported: Path, needed: Path, *pictures: Path) -> list[dict[str, Any]]:
    """What predict.py prints, run by a Python that finds the standard library and `needed`, and nothing else."""
    environment = {"PYTHONPATH": str(needed), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-S", "-s", "-P", "-B", str(exported / "predict.py"), *map(str, pictures)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def of_each_kind(test_data: Path) -> list[Path]:
    """A picture of each format, mode, orientation and kind of transparency, small and large enough to draft."""
    found: dict[tuple[object, ...], Path] = {}
    for file in sorted((test_data / "badinput" / "images").rglob("*")):
        with (
            suppress(Exception),
            quiet_pillow(),
            Image.open(file, formats=FORMATS) as image,
        ):  # damaged ones are left out
            kind = (image.format, image.mode, image.getexif().get(0x0112), "transparency" in image.info)
            found.setdefault((*kind, min(image.size) >= 2 * SIDE_PX), file)
    return list(found.values())


def test_winnow_cannot_be_imported_where_the_script_is_tested(needed: Path, tmp_path: Path):
    environment = {"PYTHONPATH": str(needed), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-S", "-s", "-P", "-c", "import numpy, PIL; import winnow"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert "No module named 'winnow'" in done.stderr


@pytest.mark.parametrize("fit", ["squash", "crop"])
def test_it_answers_as_winnow_for_every_kind_of_picture(
    of_each_kind: list[Path], photos: Path, needed: Path, tmp_path: Path, fit: Fit
):
    model = Model.open(weighing_model(tmp_path / "model", fit))
    model.export(tmp_path / "out", to="standalone", pictures=photos)
    ours, theirs = model.predict(of_each_kind), ask(tmp_path / "out", needed, *of_each_kind)
    assert [answer["source"] for answer in theirs] == [one.source for one in ours]
    answered = [(one, answer) for one, answer in zip(ours, theirs, strict=True) if one.error is None]
    assert len(answered) >= 60
    for one, answer in answered:
        assert answer["error"] is None, one.source
        assert answer["label"] == one.label, one.source
        assert list(answer["probs"]) == list(one.probs), one.source
        np.testing.assert_allclose(list(answer["probs"].values()), list(one.probs.values()), atol=1e-4)


def test_a_picture_marked_as_turned_is_answered_as_the_upright_one(photos: Path, needed: Path, tmp_path: Path):
    Model.open(weighing_model(tmp_path / "model")).export(tmp_path / "out", to="standalone", pictures=photos)
    pixels = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(pixels)))  # turned by 90 degrees to the left
    exif = Image.Exif()
    exif[0x0112] = 6  # show it turned to the right
    Image.fromarray(pixels).save(tmp_path / "upright.png")
    lying.save(tmp_path / "marked.png", exif=exif)
    lying.save(tmp_path / "lying.png")
    files = [tmp_path / f"{name}.png" for name in ("upright", "marked", "lying")]
    upright, marked, unmarked = (one["probs"] for one in ask(tmp_path / "out", needed, *files))
    assert marked == upright
    assert unmarked != upright


def test_it_answers_all_classes_that_reach_their_threshold(test_data: Path, photos: Path, needed: Path, tmp_path: Path):
    model = Model.open(weighing_model(tmp_path / "model", thresholds=(0.2, 0.9, 0.5, 0.5)))
    model.export(tmp_path / "out", to="standalone", pictures=photos)
    files = sorted((test_data / "clouds" / "test" / "cirrus").iterdir())[:8]
    ours, theirs = model.predict(files), ask(tmp_path / "out", needed, *files)
    assert [answer["labels"] for answer in theirs] == [list(one.labels) for one in ours]
    assert [answer["label"] for answer in theirs] == [one.label for one in ours]
    assert len({len(one.labels) for one in ours}) > 1


def test_a_bad_picture_costs_its_own_line(needed: Path, tmp_path: Path, photos: Path, trained: Model):
    trained.export(tmp_path / "out", to="standalone")
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xffno picture")
    said = ask(tmp_path / "out", needed, tmp_path / "bad.jpg", photos / "plain", tmp_path / "none.png")
    assert [one["error"] is None for one in said] == [False, *[True] * 30, False]
    assert said[0]["label"] is None
    assert "FileNotFoundError" in said[-1]["error"]


@pytest.mark.skipif(os.name != "posix", reason="pipes end otherwise on Windows")
def test_a_reader_who_has_seen_enough_hears_no_complaint(tmp_path: Path, photos: Path, trained: Model):
    script = trained.export(tmp_path / "out", to="standalone").path / "predict.py"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        command = [sys.executable, "-B", str(script), str(photos)]
        done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr == ""


def test_the_script_is_short_and_imports_three_libraries_alone():
    script = Path(winnow.__file__).parent / "api" / "model_exports" / "standalone_files" / "predict.py"
    lines = script.read_text(encoding="utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) < 120
    imports = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imports - set(sys.stdlib_module_names) == {"numpy", "onnxruntime", "PIL"}
    switch = next(place for place, line in enumerate(lines) if "ORT_DISABLE_TELEMETRY" in line)
    assert switch < lines.index("import onnxruntime")
