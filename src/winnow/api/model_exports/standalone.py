"""`--to standalone`: the graph and one short script that needs no Winnow: onnxruntime, Pillow and numpy alone."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from winnow.api.model_exports.model_export import Engine, Leaving, Probabilities
from winnow.api.model_exports.onnx_file import write_graph_and_facts
from winnow.api.model_exports.readme import readme
from winnow.data.targets.new_folder import Folder
from winnow.errors import UserError
from winnow.events import Progress, Tell

SCRIPT = "predict.py"
_SOURCE = Path(__file__).parent / "standalone_files" / SCRIPT
_NEEDS = ("numpy", "onnxruntime", "Pillow")
_USE = f"""\
    pip install -r requirements.txt
    python {SCRIPT} PICTURE_OR_FOLDER...

prints a line of JSON a picture: the class (or classes) answered, and the probability of each. In a program of your own:
`from predict import predict`. No network is used, and nothing here runs but the one short script, which you can read.
It reads {{formats}}."""


class Standalone:
    """`predict.py` decodes and resizes as Winnow does, and is proven by running it on real files."""

    name = "standalone"
    title = "a folder with one short predict.py"
    engine: Engine = "onnxruntime"

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """As it is."""
        return leaving

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """The graph, its facts, the script, what it needs, and a README."""
        write_graph_and_facts(leaving, out)
        write_script(out)
        use = _USE.format(formats="JPEG, PNG, WebP, BMP, GIF, TIFF and, where Pillow does, AVIF")
        out.write("README.md", readme(leaving, "in a folder of its own", use))

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """By the script, in a process of its own, on the pictures as files."""
        return ask_script(out, leaving, tell)


def write_script(out: Folder) -> None:
    """`predict.py` and `requirements.txt`."""
    out.write(SCRIPT, _SOURCE.read_bytes())
    pinned = [f"{name}=={importlib.metadata.version(name)}" for name in _NEEDS]
    out.write("requirements.txt", "".join(f"{line}\n" for line in pinned).encode())


def ask_script(out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
    """(N, C) by `predict.py` in the folder.

    Raises:
        UserError: it cannot read one of the pictures.
    """
    rows: list[list[float]] = []
    with tempfile.TemporaryDirectory(prefix="winnow-proof-") as folder:
        for _ in leaving.pictures.files(Path(folder)):
            for answer in _run(out.path / SCRIPT, folder):
                if answer["error"] is not None:
                    content = leaving.pictures.contents[len(rows)]
                    raise UserError(
                        f"The script of this export cannot read the picture {content[:12]} ({answer['error']}), so the "
                        "export is not handed over: choose another form, such as docker."
                    )
                rows.append([answer["probs"][name] for name in leaving.facts.classes])
            tell(Progress("asking the export", len(rows), len(leaving.pictures)))
    return np.array(rows, dtype=np.float32)


def _run(script: Path, folder: str) -> list[dict[str, Any]]:
    # -B: no __pycache__ beside the script, which is to leave as it was written.
    done = subprocess.run(
        [sys.executable, "-B", str(script), folder], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"The script of this export does not run here ({last}): mend that, then export again.")
    return [json.loads(line) for line in done.stdout.splitlines()]
