"""Promise: the core adds under 1 GB to an empty environment; `import winnow` and `winnow --help` take under 0.3 s.

Neither of the two imports a heavy library.

The peer of the two times is `python -c pass`, measured in turn with them: what Python itself takes to start.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import ROOT, keep

HEAVY = ("torch", "sklearn", "openvino", "onnxruntime", "onnx", "numpy", "sqlalchemy", "pyarrow")
TIMES = 9


def seconds(command: list[str]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def megabytes(folder: Path) -> float:
    """What all files in a folder take."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) / 1e6


def main() -> None:
    """Install the core into a fresh environment and measure there."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder, "venv")
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        python, winnow = str(environment / "bin" / "python"), str(environment / "bin" / "winnow")
        empty_mb = megabytes(environment)  # pip and setuptools, which every environment brings
        start = time.perf_counter()
        subprocess.run([python, "-m", "pip", "install", "-q", str(ROOT)], check=True, capture_output=True)
        install_s = time.perf_counter() - start
        size_mb = megabytes(environment) - empty_mb
        runs = {
            "import winnow": [python, "-c", "import winnow"],
            "winnow --help": [winnow, "--help"],
            "python -c pass": [python, "-c", "pass"],
        }
        for command in runs.values():  # compile once, as an installed program is
            seconds(command)
        times = {name: [] for name in runs}
        for _ in range(TIMES):
            for name, command in runs.items():
                times[name].append(seconds(command))
        loaded = {}
        for name, code in {
            "import winnow": "import winnow",
            "winnow --help": "import winnow.cli.main as m\ntry: m.run(['--help'])\nexcept SystemExit: pass",
        }.items():
            probe = f"import sys\n{code}\nprint([n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr)"
            done = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True)
            loaded[name] = done.stderr.strip()
    median = {name: round(statistics.median(found), 3) for name, found in times.items()}
    keep(
        "door",
        {"install_mb": round(size_mb), "install_s": round(install_s), "median_s": median, "heavy_modules": loaded},
        {
            "core install under 1 GB": size_mb < 1000,
            "import winnow under 0.3 s": median["import winnow"] < 0.3,
            "winnow --help under 0.3 s": median["winnow --help"] < 0.3,
            "neither imports anything heavy": all(found == "[]" for found in loaded.values()),
        },
    )


if __name__ == "__main__":
    main()
