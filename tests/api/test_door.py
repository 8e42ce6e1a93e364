"""The door is light: what is imported by `import winnow` and by the command line's help."""

from __future__ import annotations

import subprocess
import sys

import pytest

import winnow

HEAVY = {"torch", "sklearn", "scipy", "openvino", "onnxruntime", "onnx", "pyarrow", "sqlalchemy", "numpy", "pandas"}


def imported_by(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter has after `code`."""
    asked = f"import sys\n{code}\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.split())


def test_importing_winnow_imports_nothing_heavy() -> None:
    assert imported_by("import winnow") & HEAVY == set()


HELP = """
from winnow.cli.main import run
try:
    run({})
except SystemExit as end:
    assert not end.code
"""


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert imported_by(HELP.format(arguments)) & HEAVY == set()


def test_every_name_at_the_door_opens() -> None:
    for name in winnow.__all__:
        assert getattr(winnow, name).__name__ == name
    assert set(winnow.__all__) <= set(dir(winnow))


def test_a_verb_stays_a_verb_when_its_room_is_imported() -> None:
    loop = pytest.importorskip("winnow.train.loop", reason="needs the extra 'deep'")
    assert winnow.train.__name__ == "train", loop


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trane'"):
        _ = winnow.trane
