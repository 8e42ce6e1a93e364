"""Promise: the training engine costs at most 3 % over a bare PyTorch loop; killed 20 times it ends with the same bits.

The bare loop takes the same steps (Nesterov, one cycle) of a small convolutional network on the same 32-px pictures,
128 at a time, and reads no loss. Both take their steps in turn, one by one, on one thread, and are compared in CPU
time, so that what else runs on the machine falls on both. They must end with the same weights.

The killed training has batch norm, dropout, AdamW and averaged weights, reads its pictures with two threads, and writes
a checkpoint after every step, so that kills fall into writes, too. `kill -9` comes at random moments of 20 lives.
"""

from __future__ import annotations

import hashlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from harness import keep
from torch import Tensor, nn
from torch.nn import functional as F

from winnow.events import Event, StepDone
from winnow.train.batch import Batch
from winnow.train.batches import PictureBatches
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import AdamW, Nesterov, Weights
from winnow.train.pictures import LabelledPictures
from winnow.train.plan import Plan
from winnow.train.schedule import Moment, OneCycle

BATCH, STEPS, EPOCH, WARM_UP = 128, 200, 50, 10
KILLS, MOST_A_LIFE = 20, 25
KILLED_STEPS, NEVER = KILLS * MOST_A_LIFE + 100, 10**9
AT_MOST = 0.03


def convnet(width: int, dropout: float = 0.0) -> nn.Sequential:
    """Three convolutions with batch norm, a linear head."""
    torch.manual_seed(0)
    blocks: list[nn.Module] = []
    for channels, filters in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
        conv = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
        blocks += [conv, nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Dropout(dropout), nn.Linear(4 * width * 16, 10))


def classifier(net: nn.Module) -> Learner:
    """Learns by cross-entropy."""

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"cross_entropy": F.cross_entropy(net(batch["image"]), batch["label"])}

    return Learner(net, (Player("net", (Weights.of(net),), losses),))


def fingerprint(net: nn.Module) -> str:
    """The sha256 of all weights and buffers."""
    digest = hashlib.sha256()
    for tensor in net.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


class TurnAndTurnAbout:
    """Gives the engine its batches; each time it comes for one, the bare loop takes its own step first."""

    def __init__(self, rival: nn.Module) -> None:
        generator = torch.Generator().manual_seed(0)
        image = torch.randn(BATCH, 3, 32, 32, generator=generator)
        self._batch = Batch({"image": image, "label": torch.randint(10, (BATCH,), generator=generator)})
        self._rival = rival
        self._optimiser = torch.optim.SGD(rival.parameters(), lr=0.05, momentum=0.9, nesterov=True)
        self.bare_s: list[float] = []
        self.engine_s: list[float] = []

    def __len__(self) -> int:
        return EPOCH

    def at(self, _: int) -> Batch:
        return self._batch

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        while True:
            start = time.process_time()
            self._bare_step(step)
            middle = time.process_time()
            yield self._batch
            self.bare_s.append(middle - start)
            self.engine_s.append(time.process_time() - middle)
            step += 1

    def _bare_step(self, step: int) -> None:
        """The loop everybody writes; without the engine's switch for repeatable algorithms."""
        torch.use_deterministic_algorithms(False)
        self._optimiser.param_groups[0]["lr"] = 0.05 * OneCycle().factor(Moment(step, STEPS, EPOCH))
        self._optimiser.zero_grad()
        F.cross_entropy(self._rival(self._batch["image"]), self._batch["label"]).backward()
        self._optimiser.step()
        torch.use_deterministic_algorithms(True, warn_only=True)


def overhead(width: int) -> dict[str, float | bool]:
    """CPU milliseconds of a step in both loops, step by step in turn."""
    ours, theirs = convnet(width), convnet(width)
    batches = TurnAndTurnAbout(theirs)
    train(classifier(ours), batches, Plan(n_steps=STEPS, optimiser=Nesterov(0.05)), seed=0)
    # A step's median says what it costs; what is done once an epoch shows in the mean, and the noise of others, too.
    bare_s, engine_s = (statistics.median(one[WARM_UP:]) for one in (batches.bare_s, batches.engine_s))
    means = [statistics.fmean(one[WARM_UP:]) for one in (batches.bare_s, batches.engine_s)]
    return {
        "bare_step_ms": round(1000 * bare_s, 2),
        "engine_step_ms": round(1000 * engine_s, 2),
        "overhead": round(engine_s / bare_s - 1, 4),
        "overhead_of_means": round(means[1] / means[0] - 1, 4),
        "is_same_weights": fingerprint(ours) == fingerprint(theirs),
    }


def aloud(event: Event) -> None:
    """Says every step, for whoever wants to kill."""
    if isinstance(event, StepDone):
        print(event.done, flush=True)


def killable(folder: Path) -> None:
    """One life of the training that is killed; says its steps and, if it lives so long, what came out."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (640, 16, 16, 3), dtype=np.uint8)
    pictures = LabelledPictures(pixels, rng.integers(0, 10, 640))
    net = nn.Sequential(nn.Upsample(32), convnet(4, dropout=0.2))
    plan = Plan(n_steps=KILLED_STEPS, optimiser=AdamW(0.01), ema_decay=0.99, patience=99, checkpoint_every_s=0)
    trained = train(
        classifier(net),
        PictureBatches(pictures, 32, seed=0, workers=2),
        plan,
        seed=0,
        checkpoint=folder,
        tell=aloud,
        validate=lambda net: {"score": float(next(net.parameters()).sum().sin())},
    )
    print(fingerprint(net), f"after {trained.steps} steps", flush=True)


def life(folder: Path, steps: int, wait_s: float) -> tuple[int, str]:
    """One life, killed so long after so many steps; the last step it told, and the fingerprint if it saw the end."""
    command = [sys.executable, __file__, "--killable", str(folder)]
    told, fingerprint = 0, ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, start=1):
            told, fingerprint = (int(line), "") if line.strip().isdigit() else (told, line.strip())
            if number == steps:
                time.sleep(wait_s)
                process.send_signal(signal.SIGKILL)
    return told, fingerprint


def kills(folder: Path) -> dict[str, Any]:
    """An undisturbed training against one that is killed again and again."""
    _, undisturbed = life(folder / "undisturbed", NEVER, 0)
    rng = random.Random(0)
    lives = [life(folder / "killed", rng.randint(1, MOST_A_LIFE), rng.uniform(0, 0.03)) for _ in range(KILLS)]
    _, killed = life(folder / "killed", NEVER, 0)
    return {
        "steps_at_kill": [told for told, fingerprint in lives if not fingerprint],
        "undisturbed": undisturbed,
        "killed": killed,
    }


def main() -> None:
    """Measure, keep, judge."""
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--killable"]:
        return killable(Path(sys.argv[2]))
    costs = {"small network": overhead(16), "tiny network": overhead(2)}
    with tempfile.TemporaryDirectory() as folder:
        killed = kills(Path(folder))
    promises = {
        f"at most {AT_MOST:.0%} over a bare loop": costs["small network"]["overhead"] <= AT_MOST,
        "the same weights as the bare loop": all(bool(cost["is_same_weights"]) for cost in costs.values()),
        f"killed {KILLS} times": len(killed["steps_at_kill"]) == KILLS,
        "the same sha256 after all kills": killed["undisturbed"] == killed["killed"] != "",
    }
    return keep("engine", {"overhead": costs, "kills": killed}, promises)


if __name__ == "__main__":
    main()
