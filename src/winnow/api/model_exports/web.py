"""`--to web`: a folder for any web server; the model runs in the visitor's browser, and no picture leaves it.

The page (`web_files/`) decodes JPEG, PNG, GIF and BMP itself and resizes as Pillow does, to the last bit, so that a
browser's own way with pictures changes no answer. The graph is run by onnxruntime-web, which is not part of Winnow: it
is copied from where npm installed it. Nothing is downloaded.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL

import winnow
from winnow.api.model_exports.model_export import Engine, Leaving, Probabilities
from winnow.api.model_exports.onnx_file import write_graph_and_facts
from winnow.api.model_exports.readme import readme
from winnow.api.model_exports.running import run_whole
from winnow.data.targets.new_folder import Folder
from winnow.errors import UserError
from winnow.events import Tell
from winnow.graph.runtime import open_small_graph
from winnow.tasks.predictor import GRAPH

RUNTIME_VARIABLE = "WINNOW_ONNXRUNTIME_WEB"
PAGE = "page.json"
_FILES = Path(__file__).parent / "web_files"
_KNOWN_VERSION = "1.30"  # the page's tests ran with it; others name their files in other ways
_PILLOW = 13
_HERE = Path("node_modules", "onnxruntime-web")
# The build that runs on one core of any browser, its glue code included; named ".js" because some servers send ".mjs"
# as text.
_RUNTIME_FILES = {
    "dist/ort.wasm.bundle.min.mjs": "onnxruntime/ort.js",
    "dist/ort-wasm-simd-threaded.wasm": "onnxruntime/ort.wasm",
}
_USE = f"""\
    python -m http.server

in this folder, then open http://localhost:8000: choose, drop or paste pictures, or use the camera. Any web server will
do, and nothing but that server is needed: pictures are decoded and answered in the browser and sent nowhere. (Browsers
give the camera only to pages on localhost or over https.)

What is proven, and where: for `proof.json`, the graph was run by ONNX Runtime on the computer that exported it, and
held against the evaluated model. Each time the page is opened, it runs the graph on three made-up pictures in that very
browser, and holds the probabilities against those in `{PAGE}`; if one differs by more than 1e-4, it answers nothing.
That the page decodes and resizes pictures to the very pixels that Winnow sees is tested in Chromium with each release
of Winnow. WebP files are unpacked by the browser. What cannot be read as Winnow reads it is refused with a sentence.

`index.html` carries a content security policy; a server that can send headers may send it as a header, too, so that it
holds for the page's worker as well. The files in `onnxruntime` are those of onnxruntime-web {{version}} from npm."""


class WebPage:
    """A page, its scripts, the graph, its facts, and the files of onnxruntime-web."""

    name = "web"
    title = "a page that runs it in the browser"
    engine: Engine = "onnxruntime"

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """As it is; looks for onnxruntime-web before anything is computed.

        Raises:
            UserError: it is not there, or of a version that the page was not tested with; or Pillow is too old.
        """
        find_runtime(leaving.runtime)
        if int(PIL.__version__.partition(".")[0]) < _PILLOW:
            raise UserError(
                f"The web page resizes as Pillow {_PILLOW} does, and Pillow {PIL.__version__} is installed, which "
                "rounds tall pictures in another order: pip install --upgrade Pillow."
            )
        return leaving

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """All of the page."""
        runtime = find_runtime(leaving.runtime)
        write_graph_and_facts(leaving, out)
        for file in sorted(_FILES.rglob("*")):
            if file.is_file():
                out.write(file.relative_to(_FILES).as_posix(), file.read_bytes())
        for source, target in _RUNTIME_FILES.items():
            out.write(target, (runtime / source).read_bytes())
        out.write(PAGE, json.dumps(_page_facts(leaving), indent=1, ensure_ascii=False).encode())
        out.write("README.md", readme(leaving, "as a web page", _USE.format(version=_version_of(runtime))))

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """By ONNX Runtime, from the file; the page itself proves itself in each browser that opens it."""
        graph = open_small_graph((out.path / GRAPH).read_bytes())
        return run_whole(graph, leaving.pictures, leaving.facts.input_spec, tell, "asking the export")


def find_runtime(given: Path | None = None) -> Path:
    """The folder of the npm package onnxruntime-web: the one given, else WINNOW_ONNXRUNTIME_WEB's, else one here.

    Raises:
        UserError: there is none, or it is of another version.
    """
    named = given or os.environ.get(RUNTIME_VARIABLE)
    folder = Path(named) if named else _HERE
    install = f"npm install onnxruntime-web@{_KNOWN_VERSION}"
    try:
        version = _version_of(folder)
    except (OSError, ValueError, KeyError, TypeError):
        where = f"{folder} is no such package" if named else "it is not installed here"
        raise UserError(
            f"A web page needs onnxruntime-web from npm, and {where}: run `{install}` here, or name its folder "
            f"(--runtime, or {RUNTIME_VARIABLE})."
        ) from None
    is_whole = all((folder / file).is_file() for file in _RUNTIME_FILES)
    if not version.startswith(f"{_KNOWN_VERSION}.") or not is_whole:
        raise UserError(
            f"The web page was tested with onnxruntime-web {_KNOWN_VERSION}, and {folder} holds {version}"
            f"{'' if is_whole else ' without all of its files'}: run `{install}`."
        )
    return folder


def _version_of(folder: Path) -> str:
    return str(json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"])


def _page_facts(leaving: Leaving) -> dict[str, object]:
    """What the page knows of the model; in plain values."""
    facts, model = leaving.facts, leaving.model
    return {
        "format": 1,
        "name": facts.name,
        "model": f"{facts.name}, {leaving.facts_of_graph.sha256[:12]}",
        "graph": GRAPH,
        "task": facts.task,
        "classes": list(facts.classes),
        "thresholds": None if facts.thresholds is None else list(facts.thresholds),
        "sure_from": model.sure_from,
        "input": facts.input_spec.to_json(),
        "winnow_version": winnow.__version__,
        "check": _answers_to_made_up(leaving).astype(float).tolist(),
    }


def _answers_to_made_up(leaving: Leaving) -> npt.NDArray[np.float32]:
    """(3, C): for noise, faint noise and a ramp, which `page/model.js` makes up in the same way."""
    side = leaving.facts.input_spec.side_px
    places = np.arange(side * side * 3, dtype=np.uint32)
    noise = places * np.uint32(0x9E3779B1) >> np.uint32(24)  # of multiples of 2^32 / 1.618... the upper bits
    ramp = places.astype(np.uint64) * 256 // len(places)
    pictures = np.stack([noise, noise >> np.uint32(2), ramp]).astype(np.uint8).reshape(3, 1, side, side, 3)
    graph = open_small_graph(leaving.graph)
    return np.concatenate([graph.run(picture) for picture in pictures])
