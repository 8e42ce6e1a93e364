"""Promise: answers for 100,000 files take no more memory than for 10,000; kills lose nothing; it is no slower.

- The second 90,000 files add at most 32 MB to the process (the list of files and the answers lie on the disk).
- Killed five times with -9 and started again, it ends with the very bytes of a run that nobody disturbed.
- At least 1.3 x the pictures a second of `Model.predict`, in the same run, on pictures so small that nothing but the
  way there and back is measured.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from harness import keep
from PIL import Image

import winnow
from winnow.events import tell_nobody

FILES, FEWER, DIFFERENT = 100_000, 10_000, 500
KILLS = 5
MOST_MORE_MB = 32
LEAST_FASTER = 1.3
RUNGS = ["commonest-class", "pixels-nearest-neighbour"]
RUN = """
import resource, sys
from winnow.api.batch import predict_files
predict_files(sys.argv[1] + "/", sys.argv[2], sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def pictures(folder: Path) -> Path:
    """Tiny pictures of two kinds, for a model that learns in a second."""
    rng = np.random.default_rng(0)
    for number in range(DIFFERENT):
        pixels = rng.integers(0, 60, (8, 8), dtype=np.uint8)
        pixels[2:5, 2:5] += 120 * (number % 2)
        home = folder / ("plain", "square")[number % 2]
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(home / f"{number:03}.png")
    return folder


def inbox(folder: Path, files: list[Path], count: int) -> Path:
    """So many names for them."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:06}.png").hardlink_to(files[number % len(files)])
    return folder


def run(*words: Path) -> int:
    """One undisturbed run; gives its largest size in MB."""
    done = subprocess.run([sys.executable, "-c", RUN, *map(str, words)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def run_with_kills(model: Path, what: Path, out: Path, seconds: float) -> int:
    """As `run`, killed again and again on the way; gives how often."""
    for kill in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", RUN, str(model), str(what), str(out)])
        try:
            process.wait(seconds * (kill + 1) / (2 * KILLS))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if out.exists():
            return kill
    run(model, what, out)
    return KILLS


def main() -> None:
    """Measure in a folder of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        learned = pictures(here / "learned")
        model = winnow.train(learned, workspace=here / "workspace", rungs=RUNGS, tell=tell_nobody)
        files = sorted(learned.rglob("*.png"))
        few, many = inbox(here / "few", files, FEWER), inbox(here / "many", files, FILES)
        few_mb = run(model.folder, few, here / "few.parquet")
        start = time.perf_counter()
        many_mb = run(model.folder, many, here / "many.parquet")
        batch_s = time.perf_counter() - start
        kills = run_with_kills(model.folder, many, here / "killed.parquet", batch_s)
        is_same = (here / "many.parquet").read_bytes() == (here / "killed.parquet").read_bytes()
        model.predict(files[:64])
        start = time.perf_counter()
        model.predict(few)
        one_by_one = FEWER / (time.perf_counter() - start)
    rate = FILES / batch_s
    keep(
        "predict_files",
        {
            "files": FILES,
            "pictures_per_s": round(rate),
            "pictures_per_s_one_by_one": round(one_by_one),
            "mb_for_10_000": few_mb,
            "mb_for_100_000": many_mb,
            "kills": kills,
        },
        {
            f"90,000 further files take at most {MOST_MORE_MB} MB": many_mb - few_mb <= MOST_MORE_MB,
            f"the same bytes after {KILLS} kills": is_same and kills == KILLS,
            f"{LEAST_FASTER} x the pictures a second of asking one by one": rate >= LEAST_FASTER * one_by_one,
        },
    )


if __name__ == "__main__":
    main()
