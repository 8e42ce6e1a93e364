"""Promise: on a GPU our loop trains ResNet-50 at least as fast as torchvision's reference loop in mixed precision.

Both in one run, on 224-px pictures that already lie on the GPU, so that loops are compared and not disks. Ours learns
in bf16 and channels_last, compiled; the rival takes the steps of torchvision's references/classification/train.py
(`train_one_epoch`: SGD with momentum; loss, top-1 and top-5 accuracy are read at every step), as it is (single
precision) and with `--amp` (fp16 under a gradient scaler). Kept without a promise, since GPUs differ: the pictures a
second that the same network answers; and CIFAR-10 by the course of the rung `small-net` in batches of 1,024: seconds
of its steps and of everything (timing of precisions, whitening, export, check), and the accuracy of the graph on
10,000 test pictures, three seeds. Where the data is not at hand it learns from noise, and the result says so.

    python bench/gpu.py [--epochs E] [--seeds K]
    python bench/gpu.py --tiny    every path on the CPU, nothing kept: a test of this script

The result goes into the folder $OUT if that is set, else into bench/results. bench/gpu.sh runs the tests that need a
GPU, and then this.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from cifar import A_SPRITE, SIDE_PX, Split, read
from cifar import CLASSES as CIFAR_CLASSES
from harness import DATA, RESULTS, keep
from torch import Tensor
from torch.nn import functional as F

from winnow.events import EpochDone, Event
from winnow.graph.runtime import open_graph, run_in_chunks
from winnow.nets.registry import build
from winnow.tasks.classify.rungs.small_net import fast_course
from winnow.train.batch import Batch
from winnow.train.course import Lesson, pace, teach
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import Momentum, Weights
from winnow.train.pictures import LabelledPictures
from winnow.train.plan import Plan
from winnow.train.precision import Precision

IMAGENET_CLASSES = 1000
EPOCHS, SEEDS = 10, 3


@dataclass(frozen=True)
class Sizes:
    """How much is done, by a ResNet of which depth; `compiler` is torch's ("eager" traces alone and needs none)."""

    learned: int = 50_000
    judged: int = 10_000
    cifar_batch: int = 1024
    side_px: int = 224
    batch: int = 256
    warm_up: int = 20
    steps: int = 100
    compiler: str = "inductor"
    depth: int = 50


TINY = Sizes(96, 32, 32, 32, 2, 1, 2, "eager", 18)


class Ready:
    """The same pictures at every step, on the device; says when the warming up is over."""

    def __init__(self, sizes: Sizes, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(0)
        image = torch.randn(sizes.batch, 3, sizes.side_px, sizes.side_px, generator=generator)
        label = torch.randint(IMAGENET_CLASSES, (sizes.batch,), generator=generator)
        self._sizes, self._device = sizes, device
        self.batch = Batch({"image": image.to(device), "label": label.to(device)})
        self._warm_at = 0.0

    def __len__(self) -> int:
        return 10**6  # no epoch ends within a measurement

    def at(self, _: int) -> Batch:
        """The batch."""
        return self.batch

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """The batch, without end."""
        while True:
            if step == self._sizes.warm_up:
                self._warm_at = self._now()
            yield self.batch
            step += 1

    def rate(self) -> float:
        """Pictures a second from the end of the warming up until now."""
        return round(self._sizes.steps * self._sizes.batch / (self._now() - self._warm_at), 1)

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


def resnet(sizes: Sizes, device: torch.device) -> torch.nn.Module:
    """The network, the same start for all."""
    torch.manual_seed(0)
    return build(f"resnet-{sizes.depth}", IMAGENET_CLASSES, side_px=sizes.side_px).to(device)


def ours(sizes: Sizes, device: torch.device, precision: Precision, *, is_compiled: bool) -> float:
    """Pictures a second that our loop learns from."""
    net = resnet(sizes, device)
    network: Callable[[Tensor], Tensor] = torch.compile(net, backend=sizes.compiler) if is_compiled else net

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"cross_entropy": F.cross_entropy(network(batch["image"]), batch["label"])}

    ready = Ready(sizes, device)
    plan = Plan(n_steps=sizes.warm_up + sizes.steps, optimiser=Momentum(0.1, 0.9, 1e-4), precision=precision)
    train(Learner(net, (Player("net", (Weights.of(net),), losses),)), ready, plan, seed=0)
    return ready.rate()


def reference(sizes: Sizes, device: torch.device, *, is_amp: bool) -> float:
    """Pictures a second that torchvision's `train_one_epoch` learns from."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(f"resnet{sizes.depth}").to(device).train()
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    scaler = torch.amp.GradScaler(device.type, enabled=is_amp and device.type == "cuda")
    dtype = torch.float16 if device.type == "cuda" else torch.bfloat16
    ready = Ready(sizes, device)
    for _, batch in zip(range(sizes.warm_up + sizes.steps), ready.from_step(0), strict=False):
        with torch.autocast(device.type, dtype=dtype, enabled=is_amp):
            output = model(batch["image"])
            loss = criterion(output, batch["label"])
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        is_among = output.topk(5).indices == batch["label"][:, None]
        for share in (loss, is_among[:, :1].sum() / len(batch), is_among.sum() / len(batch)):
            share.item()
    return ready.rate()


def answers(sizes: Sizes, device: torch.device, precision: Precision, *, is_compiled: bool) -> float:
    """Pictures a second that the network answers."""
    net = resnet(sizes, device).eval().to(memory_format=precision.memory_format)  # pyright: ignore[reportCallIssue]
    network: Callable[[Tensor], Tensor] = torch.compile(net, backend=sizes.compiler) if is_compiled else net
    ready = Ready(sizes, device)
    with torch.inference_mode(), precision.autocast(device):
        for _, batch in zip(range(sizes.warm_up + sizes.steps), ready.from_step(0), strict=False):
            network(batch["image"].contiguous(memory_format=precision.memory_format))
    return ready.rate()


def resnet_50(sizes: Sizes, device: torch.device) -> dict[str, dict[str, float]]:
    """Pictures a second, learning and answering."""
    plain, fast = Precision(), Precision(is_bf16=True, is_channels_last=True)
    return {
        "learning": {
            "ours": ours(sizes, device, plain, is_compiled=False),
            "ours, bf16, channels_last": ours(sizes, device, fast, is_compiled=False),
            "ours, bf16, channels_last, compiled": ours(sizes, device, fast, is_compiled=True),
            "torchvision's reference": reference(sizes, device, is_amp=False),
            "torchvision's reference, amp": reference(sizes, device, is_amp=True),
        },
        "answering": {
            "plain": answers(sizes, device, plain, is_compiled=False),
            "bf16, channels_last": answers(sizes, device, fast, is_compiled=False),
            "bf16, channels_last, compiled": answers(sizes, device, fast, is_compiled=True),
        },
    }


def cifar_10(sizes: Sizes, n_epochs: int, n_seeds: int) -> dict[str, Any]:
    """The fast recipe, several seeds."""
    folder = DATA / "cifar10"
    is_real = folder.is_dir()
    if is_real:
        learned, judged = at_most(folder, "train", sizes.learned), at_most(folder, "test", sizes.judged)
    else:
        learned, judged = noise(sizes.learned), noise(sizes.judged)
    runs = [fast_recipe(learned, judged, sizes, n_epochs, seed) for seed in range(n_seeds)]
    return {
        "pictures": len(learned.labels),
        "is_real": is_real,
        "epochs": n_epochs,
        "batch": sizes.cifar_batch,
        "accuracy": round(statistics.fmean(run["accuracy"] for run in runs), 4),
        "steps_s": round(statistics.median(run["steps_s"] for run in runs), 2),
        "runs": runs,
    }


def at_most(folder: Path, part: str, n: int) -> Split:
    """The first n pictures of a part, or as many as there are; they lie in files of 500."""
    n = min(n, len(np.load(folder / f"{part}_labels.npy")))
    split = read(folder, part, A_SPRITE * -(-n // A_SPRITE))
    return Split(split.pixels[:n], split.labels[:n])


def noise(n: int) -> Split:
    """Pictures of nothing."""
    chance = np.random.default_rng(0)
    return Split(chance.integers(0, 256, (n, SIDE_PX, SIDE_PX, 3), dtype=np.uint8), np.arange(n) % CIFAR_CLASSES)


def fast_recipe(learned: Split, judged: Split, sizes: Sizes, n_epochs: int, seed: int) -> dict[str, Any]:
    """One network, taught as the rung does it; scored by its graph."""
    epochs: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, EpochDone):
            epochs.append(event.seconds)

    start = time.perf_counter()
    course = fast_course(CIFAR_CLASSES, SIDE_PX, len(learned.labels), sizes.cifar_batch, n_epochs, flips=True)
    lesson = Lesson(LabelledPictures(learned.pixels, learned.labels, n_classes=CIFAR_CLASSES), seed, tell=hear)
    precision = pace(course, lesson).precision
    course = replace(course, plan=replace(course.plan, precision=precision))
    taught = teach(course, lesson, side_px=SIDE_PX, check=learned.pixels[:256])
    all_s = time.perf_counter() - start
    rows = run_in_chunks(open_graph(taught.graph), judged.pixels)
    is_right = (rows @ taught.weights + taught.bias).argmax(axis=1) == judged.labels
    return {
        "accuracy": round(float(is_right.mean()), 4),
        "steps_s": round(sum(epochs), 3),
        "epoch_s": [round(one, 3) for one in epochs],
        "all_s": round(all_s, 2),
        "precision": {"bf16": precision.is_bf16, "channels_last": precision.is_channels_last},
    }


def main() -> None:
    """Measure, keep, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="every path on the CPU, nothing kept")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of CIFAR-10")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of CIFAR-10")
    asked = parser.parse_args()
    if asked.tiny:
        device = torch.device("cpu")
        print(json.dumps({"resnet_50": resnet_50(TINY, device), "cifar_10": cifar_10(TINY, 1, 1)}, indent=1))
        return
    if not torch.cuda.is_available():
        sys.exit("No GPU that torch can use is here (torch.cuda.is_available() is false); try --tiny on the CPU.")
    device, sizes = torch.device("cuda"), Sizes()
    measured = {
        "gpu": torch.cuda.get_device_name(device),
        "cuda": torch.version.cuda,
        "resnet_50": {"batch": sizes.batch, **resnet_50(sizes, device)},
        "cifar_10": cifar_10(sizes, asked.epochs, asked.seeds),
    }
    learning = measured["resnet_50"]["learning"]
    promises = {
        "ResNet-50 learns at least as fast as by torchvision's reference in mixed precision": learning[
            "ours, bf16, channels_last, compiled"
        ]
        >= learning["torchvision's reference, amp"],
    }
    keep("gpu", measured, promises, Path(os.environ.get("OUT") or RESULTS))


if __name__ == "__main__":
    main()
