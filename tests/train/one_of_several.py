"""One process of a small training: `one_of_several.py FOLDER N_STEPS [PID that is asked to end after 3 steps]`."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from winnow.events import StepDone
from winnow.train.augment.recipe import Augmentation
from winnow.train.batches import PictureBatches
from winnow.train.group import Group
from winnow.train.learner import Learner, Player
from winnow.train.loop import Trained, train
from winnow.train.optimisers import Nesterov, Weights
from winnow.train.parallel import joined
from winnow.train.pictures import LabelledPictures
from winnow.train.plan import Plan
from winnow.train.schedule import Constant
from winnow.train.shared_norm import shared_batch_norms


def pictures() -> LabelledPictures:
    """Twenty pictures of noise, of two classes that differ in brightness and count differently."""
    chance = np.random.default_rng(0)
    labels = np.arange(20) % 2
    pixels = (chance.integers(0, 200, (20, 8, 8, 3)) + 50 * labels[:, None, None, None]).astype(np.uint8)
    return LabelledPictures(pixels, labels, weights=np.linspace(0.5, 2, 20), n_classes=2)


def small_net() -> nn.Sequential:
    """Convolution, batch norm, ReLU, mean, two classes."""
    torch.manual_seed(0)
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), pooled, nn.Linear(6, 2))


def run(net: nn.Module, group: Group | None, n_steps: int, folder: Path | None = None, tell=lambda _: None) -> Trained:
    """Train `net` with everything that could depend on who learns what: mixtures, weights, micro-batches, norms."""

    def losses(batch):
        each = F.cross_entropy(net(batch["image"]), batch["label"], reduction="none")
        return {"cross_entropy": (each * batch["weight"]).sum() / batch["weight"].sum()}

    recipe = Augmentation(flip="alternating", shift_px=1, cutmix_alpha=1.0)
    batches = PictureBatches(pictures(), 12, seed=0, augmentation=recipe, group=group, workers=1)
    micro = 6 // (group.size if group else 1)  # the same pictures go through at once, whoever has them
    plan = Plan(n_steps=n_steps, optimiser=Nesterov(lr=0.1), schedule=Constant(), micro_batch=micro)
    learner = Learner(net, (Player("net", (Weights.of(net),), losses),))
    with shared_batch_norms(net, group):
        return train(learner, batches, plan, seed=0, checkpoint=folder, tell=tell, group=group)


def end(pid: int) -> None:
    """Ask a process to end, and wait until it has passed that on to this one."""
    heard, listening = [], signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *told: (heard.append(told), listening(*told)))
    os.kill(pid, signal.SIGTERM)
    while not heard:
        time.sleep(0.01)


def main(folder: Path, n_steps: int, ends: int | None) -> None:
    """Train, say every step aloud, and leave the weights as `rank-R.safetensors`."""

    def tell(event) -> None:
        if isinstance(event, StepDone):
            print(event, flush=True)
            if ends is not None and event.done == 3:
                end(ends)

    with joined() as group:
        net = small_net()
        run(net, group, n_steps, folder / "checkpoint", group.speaking(tell))
        save_file(dict(net.state_dict()), folder / f"rank-{group.rank}.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
