"""The studio's own scripts, run by node as a browser runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import winnow.studio

STATIC = Path(winnow.studio.__file__).parent / "static"


class Scripts:
    """A copy of all scripts, and lines of JavaScript that use some of them.

    Args:
        folder: an empty one.
        modules: by the name that lines use, such as {"counts": "evaluate/counts.js"}.
    """

    def __init__(self, folder: Path, modules: dict[str, str]) -> None:
        node = shutil.which("node")
        if node is None:
            pytest.skip("needs node, to run what browsers run: apt install nodejs")
        shutil.copytree(STATIC, folder, dirs_exist_ok=True)
        (folder / "package.json").write_text('{"type": "module"}')  # older nodes take .js for something else
        self._command = [node, str(folder / "lines.js")]
        self._lines = folder / "lines.js"
        self._imports = "".join(f'import * as {name} from "./{path}";\n' for name, path in modules.items())

    def run(self, lines: str, *, before: str = "", **given: Any) -> Any:
        """What lines of a function's body return; they may wait for something.

        Args:
            lines: they see the modules, and what is given.
            before: lines that stand above them.
            given: constants.
        """
        constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items())
        show = "const plain = (_, v) => (ArrayBuffer.isView(v) ? Array.from(v) : v);\n"
        returned = f"await (async () => {{ {lines} }})()"
        written = f"{self._imports}{constants}{before}{show}console.log(JSON.stringify({returned}, plain));\n"
        self._lines.write_text(written, "utf-8")
        done = subprocess.run(self._command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
