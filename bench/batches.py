"""Promise: a core feeds at least 5 x as many pictures as with torchvision's pipeline at 32 px (flip, shift, cutout) and
1.2 x at 224 px (random-resized crop, flip, colours); feeding takes at most 3 % of the CPU time of a small network's
step; and the memory that feeding needs of its own does not grow with the number of pictures.

The other pipeline is the usual one: a `Dataset` over the same memory-mapped file, `torchvision.transforms.v2` one by
one, a `DataLoader` with a worker process a core. Both run in turn, workers warm, several rounds; compared is the CPU
time of all their processes, which what else runs on the machine hardly touches. The small network is `fast-small`
(Jordan 2024) at 32 px, forward and backward.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from harness import keep
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from winnow.machine import cores
from winnow.nets.registry import build
from winnow.train.augment.colour import Normalisation
from winnow.train.augment.recipe import Augmentation
from winnow.train.batches import PictureBatches
from winnow.train.pictures import LabelledPictures

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
NORMAL = Normalisation(MEAN, STD)
ROUNDS = 5
LEAST_32, LEAST_224, MOST_SHARE, MOST_GROWTH_MB = 5.0, 1.2, 0.03, 16.0

SMALL = Augmentation(flip="random", shift_px=4, cutout_px=12)
PHOTOS = Augmentation(flip="random", crop_area=(0.35, 1.0), brightness=0.2, contrast=0.2, saturation=0.2)
BYTES_TO_FLOATS = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
THEIR_SMALL = v2.Compose(
    [
        v2.RandomHorizontalFlip(),
        v2.RandomCrop(32, padding=4, padding_mode="reflect"),
        *BYTES_TO_FLOATS,
        v2.RandomErasing(p=1.0, scale=(0.14, 0.141), ratio=(1.0, 1.0)),  # 12 x 12 of 32 x 32
    ]
)
THEIR_PHOTOS = v2.Compose(
    [
        v2.RandomResizedCrop(224, scale=(0.35, 1.0), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.2, 0.2, 0.2),
        *BYTES_TO_FLOATS,
    ]
)


class Mapped(Dataset):
    """A picture of a memory-mapped file, changed."""

    def __init__(self, path: Path, change: v2.Compose) -> None:
        self.pixels, self.change = np.load(path, mmap_mode="r"), change

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = torch.from_numpy(np.array(self.pixels[index])).permute(2, 0, 1)
        return self.change(tv_tensors.Image(picture)), index % 10


def pictures(folder: Path, n: int, side_px: int) -> Path:
    """A file of n pictures of noise."""
    path = folder / f"{n}-{side_px}.npy"
    shape = (n, side_px, side_px, 3)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    chance = np.random.default_rng(0)
    for start in range(0, n, 256):
        file[start : start + 256] = chance.integers(0, 256, (min(256, n - start), *shape[1:]), dtype=np.uint8)
    file.flush()
    return path


def ours(path: Path, batch_size: int, augmentation: Augmentation) -> PictureBatches:
    """Batches of a file of pictures."""
    pixels = np.load(path, mmap_mode="r")
    labelled = LabelledPictures(pixels, np.arange(len(pixels)) % 10)
    workers = cores()
    return PictureBatches(
        labelled, batch_size, seed=0, augmentation=augmentation, normalisation=NORMAL, workers=workers
    )


def theirs(path: Path, batch_size: int, change: v2.Compose) -> DataLoader:
    """The usual loader."""
    return DataLoader(
        Mapped(path, change),
        batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=cores(),
        persistent_workers=True,
        multiprocessing_context="fork",
    )


def cpu_s(pids: list[int]) -> float:
    """Processor seconds of this process and others that still run."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def cpu_s_of(batches: Iterator[object], count: int, pids: list[int]) -> float:
    """What `count` further batches take once the first few are there."""
    for _ in range(2):
        next(batches)
    start = cpu_s(pids)
    for _ in range(count):
        next(batches)
    return cpu_s(pids) - start


def speeds(path: Path, batch_size: int, count: int, mine: Augmentation, other: v2.Compose) -> dict[str, float]:
    """Pictures that a core feeds in a second, both ways, and the median ratio."""
    loader, batches = theirs(path, batch_size, other), ours(path, batch_size, mine)
    rounds: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        stream = batches.from_step(number * count)
        own = cpu_s_of(stream, count, [])
        stream.close()
        iterator = iter(loader)
        pids = [worker.pid for worker in iterator._workers]
        rounds.append((count * batch_size / own, count * batch_size / cpu_s_of(iterator, count, pids)))
    return {
        "ours_per_cpu_s": round(statistics.median(own for own, _ in rounds)),
        "torchvision_per_cpu_s": round(statistics.median(other for _, other in rounds)),
        "ratio": round(statistics.median(own / other for own, other in rounds), 1),
        "lowest_ratio": round(min(own / other for own, other in rounds), 1),
    }


def share_of_a_step(path: Path) -> dict[str, float]:
    """CPU time of feeding against that of a step of the small network, in turn."""
    torch.manual_seed(0)
    net = build("fast-small", 10).train()
    batches = ours(path, 512, SMALL)
    shares: list[float] = []
    feeds: list[float] = []
    for step in range(2 + ROUNDS):
        began = time.process_time()
        batch = batches.at(step)
        fed = time.process_time()
        F.cross_entropy(net(batch["image"]), batch["label"]).backward()
        learned = time.process_time()
        if step >= 2:
            shares.append((fed - began) / (learned - began))
            feeds.append(1000 * (fed - began))
    return {"cpu_ms_of_512": round(statistics.median(feeds), 2), "share": round(statistics.median(shares), 4)}


def own_mb(path: Path) -> float:
    """The memory of its own (not the file's pages) that a process has gained after 60 batches, in MB."""
    script = f"""
import numpy as np
from bench_memory import own_mb
from winnow.train.batches import PictureBatches
from winnow.train.pictures import LabelledPictures
pixels = np.load({str(path)!r}, mmap_mode="r")
pictures = LabelledPictures(pixels, np.zeros(len(pixels), dtype=np.int64))
stream = PictureBatches(pictures, 256, seed=0).from_step(0)
next(stream)
before = own_mb()
for _ in range(60):
    next(stream)
print(own_mb() - before)
""".replace("from bench_memory import own_mb", _OWN_MB)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(done.stdout)


_OWN_MB = """
def own_mb():
    from pathlib import Path
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(told["RssAnon"].split()[0]) / 1024
"""


def main() -> None:
    """Measure and judge."""
    torch.set_num_threads(1)  # as in each of the other pipeline's workers
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, many, large = pictures(folder, 10_000, 32), pictures(folder, 150_000, 32), pictures(folder, 1024, 256)
        measured = {
            "side 32, flip shift cutout": speeds(small, 512, 10, SMALL, THEIR_SMALL),
            "side 224, crop flip colours": speeds(large, 64, 8, PHOTOS, THEIR_PHOTOS),
            "step of fast-small": share_of_a_step(small),
            "own_mb_of_10000_pictures": round(own_mb(small), 1),
            "own_mb_of_150000_pictures": round(own_mb(many), 1),
        }
    growth = measured["own_mb_of_150000_pictures"] - measured["own_mb_of_10000_pictures"]
    keep(
        "batches",
        measured,
        {
            f"at least {LEAST_32:g} x torchvision at 32 px": measured["side 32, flip shift cutout"]["ratio"]
            >= LEAST_32,
            f"at least {LEAST_224:g} x torchvision at 224 px": measured["side 224, crop flip colours"]["ratio"]
            >= LEAST_224,
            f"at most {MOST_SHARE:.0%} of a step": measured["step of fast-small"]["share"] <= MOST_SHARE,
            f"at most {MOST_GROWTH_MB:g} MB more for 140,000 more pictures": growth <= MOST_GROWTH_MB,
        },
    )


if __name__ == "__main__":
    main()
