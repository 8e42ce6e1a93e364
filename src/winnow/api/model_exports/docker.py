"""`--to docker`: a Dockerfile and all that it copies, for a small image that runs `winnow serve` on the model.

Nothing is built here. Winnow itself is copied as it is installed (it is pure Python), so that no index needs to have
it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import winnow
from winnow.api.drift_reference import DRIFT
from winnow.api.model import REPORT
from winnow.api.model_exports.model_export import Engine, Leaving, Probabilities
from winnow.api.model_exports.needed_libraries import pinned
from winnow.api.model_exports.readme import readme
from winnow.data.targets.new_folder import Folder
from winnow.errors import NotFoundError, UserError
from winnow.events import Progress, Tell
from winnow.report.schema import Judgement, Report
from winnow.tasks.predictor import GRAPH

MODEL = "model"
_PACKAGE = Path(winnow.__file__).parent
_LEFT_OUT = ("studio", "graph/backbones", "api/model_exports/web_files")
"""Of the package: serving needs neither pages nor networks to start from."""
_DOCKERFILE = """\
# {name}: `docker build -t {tag} .`, then see README.md.
FROM python:{python}-slim
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp WINNOW_WORKSPACE=/tmp/winnow
ENV NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
RUN useradd --system --uid 10001 --no-create-home winnow
COPY requirements.txt /app/requirements.txt
# --no-deps: the list is complete, and holds no telemetry client that a library would bring.
RUN pip install --no-cache-dir --no-deps --requirement /app/requirements.txt
# All that follows belongs to root, and the server runs as somebody else: it can change neither itself nor the model.
COPY winnow /app/winnow
COPY {model} /{model}
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \\
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
# exec: SIGTERM reaches the server, which answers what it has accepted before it stops.
CMD ["sh", "-c", \\
    "exec python -m winnow.cli.main serve /{model} --host 0.0.0.0 --port 8000 --allow-host \\"$WINNOW_HOST\\""]
"""
_IGNORED = "README.md\nproof.json\norigin.json\n**/__pycache__\n"
_USE = """\
    docker build -t {tag} .
    docker run --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 -e WINNOW_HOST=localhost -e WINNOW_TOKEN=... {tag}
    curl -H "Authorization: Bearer ..." --data-binary @picture.jpg -H "Content-Type: image/jpeg" \\
        http://localhost:8000/predict

`WINNOW_TOKEN` is a long random text that clients send (`openssl rand -hex 32` makes one); without it the server makes
one and says it once in its log. `WINNOW_HOST` is the name by which clients call the server. It speaks HTTP: put a proxy
with TLS before it where others can reach it. `/healthz` and `/readyz` need no token. The server runs as a user without
rights; libraries are pinned to the versions that this was proven with, on Python {python}."""
_ASK = """\
import sys
from pathlib import Path
import numpy
from winnow.api.model import Model
probs = Model.open(Path(sys.argv[1])).predict_proba([str(file) for file in sorted(Path(sys.argv[2]).iterdir())])
numpy.save(sys.argv[3], probs)
"""
_IMPORT = """\
import json, sys
import numpy
import winnow.cli.serve, winnow.serve.launch, winnow.serve.worker
from winnow.api.model import Model
from winnow.cli.main import app
from winnow.serve.opening import open_served
open_served(sys.argv[1])
Model.open(sys.argv[1]).predict(numpy.zeros((9, 9, 3), numpy.uint8))  # what is imported when it is first needed
print(json.dumps([sorted(sys.modules), winnow.__file__]))
"""


class Docker:
    """The context of an image; proven by running its own copy of Winnow on its own copy of the model."""

    name = "docker"
    title = "a Dockerfile and its files, to serve it"
    engine: Engine = "as judged"

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """As it is."""
        return leaving

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """Model, package, libraries, Dockerfile and README."""
        _write_model(leaving, out)
        for file in sorted(_PACKAGE.rglob("*")):
            inside = file.relative_to(_PACKAGE).as_posix()
            if file.is_file() and "__pycache__" not in inside and not inside.startswith(_LEFT_OUT):
                out.write(f"winnow/{inside}", file.read_bytes())
        out.write("requirements.txt", "".join(f"{line}\n" for line in _needed(out)).encode())
        said = {"name": leaving.model.full_name, "tag": f"winnow-{leaving.facts.sha256[:12]}", "model": MODEL}
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        out.write("Dockerfile", _DOCKERFILE.format(**said, python=python).encode())
        out.write(".dockerignore", _IGNORED.encode())
        out.write("README.md", readme(leaving, "as a Docker context", _USE.format(tag=said["tag"], python=python)))

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """By the context's Winnow, in a process of its own, on the pictures as files."""
        parts: list[Probabilities] = []
        with tempfile.TemporaryDirectory(prefix="winnow-proof-") as folder:
            home, done = Path(folder), 0
            (home / "pictures").mkdir()
            for files in leaving.pictures.files(home / "pictures"):
                paths = (str(path) for path in (out.path / MODEL, home / "pictures", home / "answers.npy"))
                run_in(out.path, _ASK, *paths, compiled=home / "compiled")
                parts.append(np.load(home / "answers.npy"))
                done += len(files)
                tell(Progress("asking the export", done, len(leaving.pictures)))
        return np.concatenate(parts)


def run_in(context: Path, program: str, *arguments: str, compiled: Path | None = None) -> str:
    """What a Python program prints that finds the context's Winnow first, and no other.

    Args:
        context: the folder.
        program: its text.
        arguments: for it.
        compiled: where compiled sources are kept for the next program; None: nowhere, and never in the context.

    Raises:
        UserError: it fails.
    """
    keeping = {"PYTHONDONTWRITEBYTECODE": "1"} if compiled is None else {"PYTHONPYCACHEPREFIX": str(compiled)}
    environment = os.environ | keeping | {"PYTHONPATH": str(context)}
    command = [sys.executable, "-P", "-c", program, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, cwd=context, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"Winnow does not run from the Docker context ({last}): please report this.")
    return done.stdout


def _needed(out: Folder) -> list[str]:
    """What serving imports when it starts from the context."""
    found: tuple[list[str], str] = json.loads(run_in(out.path, _IMPORT, str(out.path / MODEL)).splitlines()[-1])
    modules, home = found
    assert Path(home).is_relative_to(out.path), home
    return pinned(modules, Path(home).parent)


def _write_model(leaving: Leaving, out: Folder) -> None:
    """The graph, its facts, and of what was measured of it as much as serving uses: no picture is named."""
    out.write(f"{MODEL}/{GRAPH}", leaving.graph)
    leaving.facts_of_graph.write(out.path / MODEL)
    drift = leaving.model.folder / DRIFT
    if drift.is_file():
        out.write(f"{MODEL}/{DRIFT}", drift.read_bytes())
    try:
        numbers = leaving.model.report.numbers
    except NotFoundError:
        return
    _without_pictures(numbers).write_json(out.path / MODEL / REPORT)


def _without_pictures(numbers: Report) -> Report:
    """A report that names neither pictures nor folders."""

    def cleared(judgement: Judgement | None) -> Judgement | None:
        return None if judgement is None else judgement.model_copy(update={"mistakes": (), "cells": {}})

    changed: dict[str, Any] = {
        "judged": cleared(numbers.judged),
        "test": cleared(numbers.test),
        "health": None,
        "climb": numbers.climb.model_copy(update={"command": ""}),
    }
    return numbers.model_copy(update=changed)
