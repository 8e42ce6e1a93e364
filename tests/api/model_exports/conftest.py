"""What the tests of exports share: each form of one model, and the npm package that a web page is filled from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from winnow.api.model import Model
from winnow.api.model_exports.web import RUNTIME_VARIABLE
from winnow.api.model_exports.writing import ExportedModel, export_model

INSTALLED = Path(
    os.environ.get(RUNTIME_VARIABLE, Path(__file__).parents[3] / ".venv-dev/npm/node_modules/onnxruntime-web")
)


@pytest.fixture(scope="session", autouse=True)
def _a_runtime_to_copy(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """What only copies the package takes a made-up one where npm has brought none."""
    folder = INSTALLED if INSTALLED.is_dir() else write_package(tmp_path_factory.mktemp("npm"), "1.30.0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUNTIME_VARIABLE, str(folder))
        yield


def write_package(folder: Path, version: str) -> Path:
    """A package of this version whose files say nothing."""
    (folder / "dist").mkdir()
    (folder / "package.json").write_text(json.dumps({"name": "onnxruntime-web", "version": version}))
    for file in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (folder / "dist" / file).write_text("nothing")
    return folder


@pytest.fixture(scope="session")
def exported(trained: Model, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ExportedModel]:
    """Each form of one model, written when it is first asked for; only read."""
    done: dict[str, ExportedModel] = {}

    def export(to: str) -> ExportedModel:
        if to not in done:
            done[to] = export_model(trained, tmp_path_factory.mktemp("exports") / to, to=to)
        return done[to]

    return export
