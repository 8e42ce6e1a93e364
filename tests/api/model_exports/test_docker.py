"""The Docker context: complete, pinned, run by nobody in particular; tested as far as can be without Docker."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from winnow.api.model import Model
from winnow.api.model_exports.docker import run_in
from winnow.api.model_exports.needed_libraries import canonical, pinned
from winnow.api.model_exports.writing import ExportedModel
from winnow.api.report import ReportFile
from winnow.errors import UserError


@pytest.fixture
def context(exported: Callable[[str], ExportedModel]) -> Path:
    """The context of a model, with its Dockerfile; only read."""
    return exported("docker").path


@pytest.fixture
def instructions(context: Path) -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, lines that go on joined."""
    text = (context / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines]


def _all(instructions: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for one, rest in instructions if one == name]


def test_every_instruction_is_one_of_dockers_and_begins_from_this_python(instructions: list[tuple[str, str]]):
    known = {"FROM", "ENV", "RUN", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {name for name, _ in instructions} == known
    assert instructions[0] == ("FROM", f"python:{sys.version_info.major}.{sys.version_info.minor}-slim")


def test_what_it_copies_is_there(context: Path, instructions: list[tuple[str, str]]):
    for copied in _all(instructions, "COPY"):
        assert (context / shlex.split(copied)[0]).exists()
    assert not any(Path(shlex.split(copied)[0]).is_absolute() for copied in _all(instructions, "COPY"))


def test_the_server_runs_as_nobody_in_particular(instructions: list[tuple[str, str]]):
    names = [name for name, _ in instructions]
    (user,) = _all(instructions, "USER")
    assert int(user) > 0
    assert max(place for place, name in enumerate(names) if name in ("COPY", "RUN")) < names.index("USER")
    assert "--chown" not in " ".join(_all(instructions, "COPY"))


def test_it_serves_to_a_named_host_and_says_when_it_is_ready(instructions: list[tuple[str, str]]):
    (health,), (command,) = _all(instructions, "HEALTHCHECK"), _all(instructions, "CMD")
    assert "/readyz" in health
    compile(json.loads(health[health.index("[") :])[2], "health", "exec")
    shell = json.loads(command)
    assert shell[:2] == ["sh", "-c"]
    words = shlex.split(shell[2])
    assert words[:5] == ["exec", "python", "-m", "winnow.cli.main", "serve"]
    assert words[5:] == ["/model", "--host", "0.0.0.0", "--port", "8000", "--allow-host", "$WINNOW_HOST"]
    assert not re.search(r"WINNOW_(ADMIN_)?TOKEN", " ".join(rest for _, rest in instructions))


def test_its_own_winnow_starts_and_all_that_serving_imports_is_pinned(context: Path):
    program = (
        "import json, sys\n"
        "import winnow.cli.main, winnow.cli.serve, winnow.serve.launch, winnow.serve.worker, onnxruntime, openvino\n"
        "print(json.dumps([winnow.cli.main.__file__, sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    main, tops = json.loads(run_in(context, program).splitlines()[-1])
    assert Path(main) == context / "winnow" / "cli" / "main.py"
    lines = (context / "requirements.txt").read_text(encoding="utf-8").split()
    versions = dict(line.split("==") for line in lines)
    assert {"numpy", "onnx", "onnxruntime", "openvino", "pillow", "pydantic", "starlette", "uvicorn"} <= set(versions)
    assert versions == {name: importlib.metadata.version(name) for name in versions}
    assert not {"openvino-telemetry", "nicegui", "torch", "pytest", "winnow"} & set(versions)
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (context / "winnow" / "serve").glob("*.py"))
    named = set(re.findall(r"^ *(?:from|import) ([a-z0-9_]+)", sources, re.MULTILINE)) & set(tops)
    owners = importlib.metadata.packages_distributions()
    assert {canonical(owner) for top in named for owner in owners.get(top, ())} - {"winnow"} <= set(versions)


def test_a_context_whose_winnow_does_not_run_is_told(tmp_path: Path):
    (tmp_path / "winnow").mkdir()
    with pytest.raises(UserError, match=r"does not run from the Docker context \(ModuleNotFoundError: .*no_such_room"):
        run_in(tmp_path, "import winnow.no_such_room")


def test_what_a_library_uses_if_it_is_there_is_no_need_of_ours(tmp_path: Path):
    (tmp_path / "ours.py").write_text("import numpy\n    from rich import print\n", encoding="utf-8")
    names = {line.partition("==")[0] for line in pinned({"numpy.linalg", "rich", "pandas", "json"}, tmp_path)}
    assert names == {"numpy", "rich", "markdown-it-py", "mdurl", "pygments"}


def test_the_model_in_it_is_sure_of_the_same_answers_and_names_no_picture(context: Path, trained: Model):
    inside = Model.open(context / "model")
    assert (inside.digest, inside.sure_from, inside.classes) == (trained.digest, trained.sure_from, trained.classes)
    numbers = ReportFile.read(context / "model" / "report.json").numbers
    assert (numbers.judged.mistakes, numbers.judged.cells, numbers.climb.command) == ((), {}, "")
    assert numbers.judged.evaluation == trained.report.numbers.judged.evaluation
