"""Promise: fine-tuning the backbone in the box takes at least 2 x the pictures a second of plain PyTorch's same step.

Both learn to tell cats from dogs, from the very same ready batches of 32 pictures, step by step in turn, on one thread;
they are compared in processor time, so that what else runs on the machine falls on both. Ours is the course of the rung
`fine-tune` in the precision that it chooses here, with clipping and averaged weights. The rival is the loop that
everybody writes: single precision, the usual memory layout, the same network with the same start, batch norms that keep
their statistics, AdamW at the same rates; it neither clips nor averages. The promise is for pictures of full size; the
course's first epochs see smaller ones, which is kept apart. That speed costs no accuracy is judged on the test split:
at most one point less than the rival's.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

os.environ["WINNOW_CORES"] = "1"  # threads that wait for each other would count as processor time

import numpy as np
import torch
from harness import keep, need_data
from torch.nn import functional as F

from winnow.data.inputs import InputSpec, read_input
from winnow.graph.backbone import EMBEDDED, Backbone, open_backbone
from winnow.graph.pictures import run_on_pictures
from winnow.nets.net import Net
from winnow.tasks.classify.head_start import logistic_head
from winnow.tasks.classify.rungs.fine_tune import fine_tune_course
from winnow.train.batch import Batch, Batches
from winnow.train.batches import one_pass
from winnow.train.course import Course, Lesson, fresh, pace, set_linear_head
from winnow.train.loop import train
from winnow.train.pictures import LabelledPictures
from winnow.train.schedule import Moment

CLASSES = ("cats", "dogs")
AT_LEAST, MOST_LOST = 2.0, 0.01
WARM_UP = 5
"""Steps after each change of the pictures' side that do not count: memory is laid out anew."""


def read(split: str, spec: InputSpec) -> LabelledPictures:
    """All pictures of a split, as the backbone sees them."""
    files = sorted((need_data() / "cats-dogs" / split).rglob("*.jpg"))
    with ThreadPoolExecutor(2) as pool:
        pixels = np.stack(list(pool.map(lambda file: read_input(file.read_bytes(), spec), files)))
    labels = np.array([CLASSES.index(file.parent.name) for file in files], dtype=np.int64)
    return LabelledPictures(pixels, labels, n_classes=len(CLASSES))


def start(backbone: Backbone, learned: LabelledPictures, net: Net) -> None:
    """The head starts at logistic regression on the backbone's features, as the rung has it."""
    pixels = np.asarray(learned.read(np.arange(len(learned))))
    rows = np.stack(list(run_on_pictures(backbone.open(), lambda i: pixels[i], len(pixels))))
    set_linear_head(net, *logistic_head(rows, learned.targets, len(CLASSES), None))


class Rival:
    """Plain PyTorch."""

    def __init__(self, net: Net, course: Course, n_steps: int, steps_per_epoch: int) -> None:
        self.net, self._course, self._n = net, course, (n_steps, steps_per_epoch)
        rate = course.plan.optimiser.lr
        groups = [{"params": one.parameters, "lr": rate * one.lr_factor} for one in course.weights(net)]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
        self._rates = [group["lr"] for group in self._optimiser.param_groups]
        net.train()
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()

    def step(self, number: int, batch: Batch) -> None:
        """The step that everybody writes; without the engine's switch for repeatable algorithms."""
        torch.use_deterministic_algorithms(False)
        factor = self._course.plan.schedule.factor(Moment(number, *self._n))
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        self._optimiser.zero_grad()
        F.cross_entropy(self.net(batch["image"]), batch["label"]).backward()
        self._optimiser.step()
        torch.use_deterministic_algorithms(True, warn_only=True)


@dataclass
class TurnAndTurnAbout:
    """Gives the engine its batches; each time it comes for one, the rival takes its own step with it first."""

    batches: Batches
    rival: Rival
    feed_s: dict[int, list[float]] = field(default_factory=dict)
    rival_s: dict[int, list[float]] = field(default_factory=dict)
    engine_s: dict[int, list[float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.batches)

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        return self.batches.at(step)

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """Batches for the engine; processor seconds are put down by the side of their pictures."""
        while True:
            clock = [time.process_time()]
            batch = self.batches.at(step)
            clock.append(time.process_time())
            self.rival.step(step, batch)
            clock.append(time.process_time())
            yield batch
            clock.append(time.process_time())
            taken = np.diff(clock)
            for one, kept in zip(taken, (self.feed_s, self.rival_s, self.engine_s), strict=True):
                kept.setdefault(batch["image"].shape[-1], []).append(float(one))
            step += 1


@torch.inference_mode()
def accuracy(net: Net, course: Course, pictures: LabelledPictures) -> float:
    """The share of right answers, in single precision."""
    net.eval()
    passes = one_pass(pictures, 64, normalisation=course.normalisation)
    right = [(net(batch["image"]).argmax(1) == batch["label"]).float() for batch in passes]
    return round(float(torch.cat(right).mean()), 4)


def speeds(turns: TurnAndTurnAbout, side_px: int, n: int) -> dict[str, float]:
    """Pictures a second of processor time, by the median step of each."""
    feed, rival, engine = (
        statistics.median(one[side_px][WARM_UP:]) for one in (turns.feed_s, turns.rival_s, turns.engine_s)
    )
    return {
        "side_px": side_px,
        "pictures_per_s": round(n / engine, 1),
        "plain_pictures_per_s": round(n / rival, 1),
        "ratio": round(rival / engine, 3),
        "ratio_with_feed": round((rival + feed) / (engine + feed), 3),
        "feed_ms": round(1000 * feed, 2),
    }


def main() -> None:
    """Learn, compare, judge."""
    torch.set_num_threads(1)
    backbone = open_backbone(EMBEDDED / "winnow-small")
    learned, judged = read("train", backbone.input_spec), read("test", backbone.input_spec)
    course = fine_tune_course(backbone, len(CLASSES), len(learned), flips=True)
    lesson = Lesson(learned, seed=0)
    precision = pace(course, lesson).precision
    plan = replace(course.plan, precision=precision)

    ours, theirs = fresh(course, lesson), fresh(course, lesson)
    start(backbone, learned, ours)
    theirs.load_state_dict(ours.state_dict())
    before = accuracy(ours, course, judged)
    batches = course.batches(ours, lesson)
    rival = Rival(theirs, course, plan.steps(len(batches)), len(batches))
    turns = TurnAndTurnAbout(batches, rival)
    trained = train(course.learner(ours), turns, plan, seed=0)

    side_px = backbone.input_spec.side_px
    by_side: list[dict[str, float]] = [speeds(turns, side, course.batch_size) for side in sorted(turns.engine_s)]
    whole_s = [sum(sum(several) for several in one.values()) for one in (turns.rival_s, turns.engine_s)]
    accuracies = {"before": before, "ours": accuracy(ours, course, judged), "plain": accuracy(theirs, course, judged)}
    measured = {
        "backbone": backbone.name,
        "steps": trained.steps,
        "batch_size": course.batch_size,
        "precision": {"bf16": precision.is_bf16, "channels_last": precision.is_channels_last},
        "speeds": by_side,
        "cpu_s_of_all_steps": {"plain": round(whole_s[0], 1), "ours": round(whole_s[1], 1)},
        "test_accuracy": accuracies,
    }
    ratio = next(float(one["ratio"]) for one in by_side if one["side_px"] == side_px)
    promises = {
        f"at least {AT_LEAST:g} x the pictures a second at {side_px} px": ratio >= AT_LEAST,
        "at most one point of accuracy less": accuracies["ours"] >= accuracies["plain"] - MOST_LOST,
    }
    keep("finetune", measured, promises)


if __name__ == "__main__":
    main()
