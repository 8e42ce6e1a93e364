"""The folder of a web page, and what is said where it cannot be made; the page itself is tested in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from winnow.api.model import Model
from winnow.api.model_exports import web
from winnow.api.model_exports.web import RUNTIME_VARIABLE, find_runtime
from winnow.api.model_exports.writing import export_model
from winnow.errors import UserError
from winnow.graph.runtime import open_small_graph
from winnow.tasks.predictor import GRAPH

from .conftest import write_package

FILES = Path(web.__file__).parent / "web_files"


@pytest.fixture(scope="module")
def page(trained: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported page; only read."""
    return export_model(trained, tmp_path_factory.mktemp("web") / "out", to="web").path


def test_the_page_knows_what_the_model_knows(page: Path, trained: Model):
    facts = json.loads((page / "page.json").read_text(encoding="utf-8"))
    assert facts["classes"] == list(trained.classes)
    assert facts["sure_from"] == trained.sure_from
    assert facts["thresholds"] is None
    assert facts["input"] == {"side_px": 8, "fit": "squash"}
    assert (page / facts["graph"]).is_file()


def test_the_answers_to_made_up_pictures_are_the_graphs_own(page: Path):
    facts = json.loads((page / "page.json").read_text(encoding="utf-8"))
    noise = np.array([(i * 0x9E3779B1 % 2**32) >> 24 for i in range(192)], dtype=np.uint8)
    ramp = np.array([i * 256 // 192 for i in range(192)], dtype=np.uint8)
    graph = open_small_graph((page / GRAPH).read_bytes())
    for pixels, probs in zip((noise, noise >> 2, ramp), facts["check"], strict=True):
        assert graph.run(pixels.reshape(1, 8, 8, 3))[0] == pytest.approx(probs)


def test_every_file_that_the_page_names_is_in_the_folder(page: Path):
    scripts = [page / "index.html", *(page / "page").rglob("*.js")]
    named = {
        (file.parent / name).resolve()
        for file in scripts
        for name in re.findall(r'(?:from|href=|src=) ?"(\.{0,2}/?[\w./]+)"', file.read_text(encoding="utf-8"))
    }
    assert len(named) > 15
    assert not [name for name in named if not name.is_file()]


def test_another_copy_of_the_runtime_may_be_named_for_a_page_alone(trained: Model, tmp_path: Path):
    (tmp_path / "npm").mkdir()
    named = write_package(tmp_path / "npm", "1.30.9")
    page = trained.export(tmp_path / "page", to="web", runtime=named).path
    assert "onnxruntime-web 1.30.9" in (page / "README.md").read_text(encoding="utf-8")
    with pytest.raises(UserError, match=r"A runtime belongs to web pages \(to='web'\), not to onnx: leave it out"):
        trained.export(tmp_path / "graph", to="onnx", runtime=named)
    assert not (tmp_path / "graph").exists()


def test_the_page_may_reach_nobody_but_its_own_server():
    policy = re.search(
        r'Content-Security-Policy" content="([^"]+)"', (FILES / "index.html").read_text(encoding="utf-8")
    )
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';")
    assert "unsafe-inline" not in policy[1]
    assert "http" not in policy[1]
    addresses = {
        address
        for file in (FILES / "index.html", *(FILES / "page").rglob("*.*"))
        for address in re.findall(r"https?://[\w.]+", file.read_text(encoding="utf-8"))
    }
    # Where the folder is served on this computer, and two names that are no addresses.
    assert addresses == {"http://localhost", "http://ns.adobe.com", "http://www.w3.org"}


def test_without_onnxruntime_web_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(RUNTIME_VARIABLE)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        find_runtime()
    assert str(caught.value) == (
        "A web page needs onnxruntime-web from npm, and it is not installed here: run `npm install "
        "onnxruntime-web@1.30` here, or name its folder (--runtime, or WINNOW_ONNXRUNTIME_WEB)."
    )


def test_a_version_that_the_page_was_not_tested_with_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = write_package(tmp_path, "2.0.0")
    monkeypatch.setenv(RUNTIME_VARIABLE, str(package))
    with pytest.raises(UserError, match=r"tested with onnxruntime-web 1\.30, and .* holds 2\.0\.0: run `npm install"):
        find_runtime()


def test_a_folder_that_is_no_such_package_is_named(trained: Model, tmp_path: Path):
    with pytest.raises(UserError, match=r"and .*nowhere is no such package: run `npm install"):
        export_model(trained, tmp_path / "out", to="web", runtime=tmp_path / "nowhere")


def test_it_is_found_where_npm_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(RUNTIME_VARIABLE)
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "node_modules/onnxruntime-web"
    home.mkdir(parents=True)
    write_package(home, "1.30.2")
    assert find_runtime() == Path("node_modules/onnxruntime-web")


def test_an_older_pillow_would_make_the_page_differ(trained: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("PIL.__version__", "12.3.0")
    with pytest.raises(UserError, match=r"resizes as Pillow 13 does, and Pillow 12\.3\.0 is installed"):
        export_model(trained, tmp_path / "out", to="web")
    assert not (tmp_path / "out").exists()
