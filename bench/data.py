"""Promise: 100,000 small pictures are imported at no less than 0.7 x the rate of bare hashing and decoding on all
cores, with at most 1 KB of memory for each further one; MNIST's 70,000 come in within 60 s.

The peer, in the same run: a pool of processes, one a core, that reads each file, hashes it (SHA-256) and decodes it
with Pillow to RGB, and does nothing else. The pictures: 55,000 photographs of 64 px (tiny-imagenet, JPEG), 30,000 of
32 px (CIFAR-10, PNG) and 15,000 digits (MNIST, PNG).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from harness import keep, need_data
from PIL import Image

from winnow.machine import cores

REPEATS = 5

_IMPORT = """
import json, re, sys, time
import winnow
winnow.load  # what is imported when it is first used
start = time.perf_counter()
dataset = winnow.load(sys.argv[1], name="pictures", workspace=sys.argv[2], tell=lambda event: None)
seconds = time.perf_counter() - start
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps({"pictures": len(dataset), "seconds": seconds, "peak_bytes": peak}))
"""


def main() -> None:
    """Import a quarter and the whole, in fresh processes, beside the peer."""
    with tempfile.TemporaryDirectory() as folder:
        quarter, whole = Path(folder, "quarter"), Path(folder, "whole")
        _write_pictures(whole, quarter)
        paths = [str(path) for path in sorted(whole.rglob("*.*"))]
        small = _import(quarter, Path(folder, "workspace-quarter"))
        runs: list[dict[str, float]] = []
        for number in range(REPEATS):
            bare_s = _bare(paths)
            imported = _import(whole, Path(folder, f"workspace-{number}"))
            ratio = bare_s / imported["seconds"]
            runs.append(
                {"bare_s": bare_s, "import_s": imported["seconds"], "ratio": ratio, "peak": imported["peak_bytes"]}
            )
            print(runs[-1], file=sys.stderr)
        again_s = _import(whole, Path(folder, "workspace-0"))["seconds"]
        mnist = _import(need_data() / "mnist", Path(folder, "workspace-mnist"))
    grown = (runs[0]["peak"] - small["peak_bytes"]) / (len(paths) - small["pictures"])
    ratio = sorted(run["ratio"] for run in runs)[REPEATS // 2]
    keep(
        "data",
        {
            "pictures": len(paths),
            "runs": [{key: round(value, 3) for key, value in run.items()} for run in runs],
            "ratio (median)": round(ratio, 3),
            "bytes of memory for each further picture": round(grown),
            "peak_mb": round(runs[0]["peak"] / 2**20),
            "import again, nothing new, s": round(again_s, 2),
            "mnist_s": round(mnist["seconds"], 2),
        },
        {
            "import at least 0.7 x the rate of hashing and decoding": ratio >= 0.7,
            "at most 1 KB of memory for each further picture": grown <= 1024,
            "MNIST's 70,000 within 60 s": mnist["seconds"] <= 60,
        },
    )


def _import(source: Path, workspace: Path) -> dict[str, float]:
    os.sync()  # or the disk would still be at what was written before
    command = [sys.executable, "-c", _IMPORT, str(source), str(workspace)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _bare(paths: list[str]) -> float:
    os.sync()
    with multiprocessing.Pool(cores()) as pool:
        start = time.perf_counter()
        assert sum(pool.imap_unordered(_hash_and_decode, paths, chunksize=64)) == len(paths)
        return time.perf_counter() - start


def _hash_and_decode(path: str) -> int:
    data = Path(path).read_bytes()
    hashlib.sha256(data).hexdigest()
    np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return 1


def _write_pictures(whole: Path, quarter: Path) -> None:
    for number, (pixels, label, kind) in enumerate(_pictures(need_data())):
        for root in (whole, quarter) if number % 4 == 0 else (whole,):
            folder = root / label
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / f"{number:06}.{kind}", quality=90)


def _pictures(data: Path) -> Iterator[tuple[np.ndarray, str, str]]:
    tiny = data / "tiny-imagenet"
    for part, count in (("train", 50_000), ("val", 5_000)):
        labels = np.load(tiny / f"{part}_labels.npy")[:count]
        for number, label in enumerate(labels):
            if number % 500 == 0:
                sprite = np.asarray(Image.open(tiny / f"{part}_{number // 500:03}.webp").convert("RGB"))
            row, column = divmod(number % 500, 25)
            yield sprite[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64], f"tiny-{label}", "jpg"
    cifar = data / "cifar10"
    for part, count in (("train", 20_000), ("test", 10_000)):
        labels = np.load(cifar / f"{part}_labels.npy")[:count]
        for number, label in enumerate(labels):
            if number % 500 == 0:
                sprite = np.asarray(Image.open(cifar / f"{part}_{number // 500:03}.webp").convert("RGB"))
            yield sprite.reshape(500, 32, 32, 3)[number % 500], f"cifar-{label}", "png"
    with gzip.open(data / "mnist" / "train-images-idx3-ubyte.gz") as file:
        digits = np.frombuffer(file.read(16 + 15_000 * 784)[16:], dtype=np.uint8).reshape(-1, 28, 28)
    with gzip.open(data / "mnist" / "train-labels-idx1-ubyte.gz") as file:
        classes = np.frombuffer(file.read(8 + 15_000)[8:], dtype=np.uint8)
    yield from ((digit, f"digit-{label}", "png") for digit, label in zip(digits, classes, strict=True))


if __name__ == "__main__":
    main()
