"""The long part: the pruned student learns to say what the teacher says, on maps and on features.

    python distil.py DATA RUN        (under torchrun: several processes share every batch)

RUN holds `answers.npy` (teacher.py) and `round-0.safetensors` (prune.py). A killed run goes on where it stopped. There
are two rounds, each with a learning rate that rises and falls (warm restarts: Loshchilov and Hutter, SGDR, ICLR
2017). Only the first one looks at a map half-way up (hints: Romero et al., FitNets, ICLR 2015): it gives the lower
layers, which pruning hurt most, something near to hold on to; later it would ask for more than a narrow network has.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pictures import N_HELD, Views
from prune import STUDENT
from safetensors.torch import load_file, save_file
from teacher import MIDDLE, N_CLASSES, N_LAST, N_MIDDLE, load_teacher
from torch import Tensor, nn

from winnow.events import EpochDone, Event, StepDone, tell_nobody
from winnow.nets.net import Net
from winnow.nets.winnow_backbone import ConvNorm, winnow_backbone
from winnow.train.batch import Batch
from winnow.train.group import Group
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import AdamW, Weights
from winnow.train.parallel import joined
from winnow.train.plan import Plan
from winnow.train.precision import Precision
from winnow.train.schedule import Cosine, WarmUp

SEED, BATCH, LR = 0, 64, 1e-3


@dataclass(frozen=True, slots=True)
class Round:
    """How long, and what the map half-way up counts."""

    n_steps: int
    middle: float


ROUNDS = (Round(n_steps=2400, middle=0.5), Round(n_steps=4200, middle=0.0))
_TOLD_EVERY = 50


class ViewBatches:
    """Views in a shuffled order an epoch, with what the teacher said of them."""

    def __init__(
        self, views: Views, answers: npt.NDArray[np.float16], batch_size: int, seed: int, group: Group | None
    ) -> None:
        self._views, self._answers, self._batch_size, self._seed = views, answers, batch_size, seed
        self._rank, self._n_ranks = (0, 1) if group is None else (group.rank, group.size)

    def __len__(self) -> int:
        return len(self._views) // self._batch_size

    def at(self, step: int) -> Batch:
        """This process's share of the batch of a global step: "image", and the teacher's "answer"."""
        epoch, place = divmod(step, len(self))
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._views))
        numbers = order[place * self._batch_size : (place + 1) * self._batch_size][self._rank :: self._n_ranks]
        answers = torch.from_numpy(np.stack([self._answers[number] for number in numbers]).astype(np.float32))
        return Batch({"image": as_input([self._views[int(number)] for number in numbers]), "answer": answers})

    def from_step(self, step: int) -> Generator[Batch, None, None]:
        """Batches from there on, one read ahead."""
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.at, step)
            while True:
                step, batch = step + 1, waiting.result()
                waiting = pool.submit(self.at, step)
                yield batch


def as_input(pictures: list[npt.NDArray[np.uint8]]) -> Tensor:
    """Pictures (128, 128, 3) -> (N, 3, 128, 128) in [-1, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


@dataclass(frozen=True)
class Agreement:
    """How far the student is from the teacher, in units of the teacher's own spread; 1 is as bad as a constant."""

    net: Net
    top: nn.Module
    """The teacher's last layer."""
    spreads: Mapping[str, Tensor]
    middle: float
    """What the map half-way up counts; the last map and the features count 1."""

    @classmethod
    def of(cls, net: Net, teacher: Net, answers: Tensor, middle_counts: float) -> Agreement:
        """With spreads measured on some answers of the teacher."""
        top = teacher.stages["top"]
        middle, last = _as_maps(answers)
        with torch.no_grad():
            features = top(last)
        spreads = {"middle": middle.std((0, 2, 3))[:, None, None], "last": last.std((0, 2, 3))[:, None, None]}
        # A feature that is almost always 0 has a tiny spread; it shall not outweigh the others.
        spreads["features"] = features.std(0) + 0.1 * features.std(0).mean()
        return cls(net, top, spreads, middle_counts)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Mean squared distances of the maps behind `stage4` and `stage6` and of the features, as they count."""
        middle, last = _as_maps(batch["answer"])
        with torch.no_grad():
            features = self.top(last)
        wanted = {"middle": middle, "last": last, "features": features}
        given = self._given(batch["image"])
        distances = {
            name: ((given[name].float() - wanted[name].float()) / self.spreads[name]).square().mean() for name in wanted
        }
        return distances | {"middle": distances["middle"] * self.middle}

    def _given(self, x: Tensor) -> dict[str, Tensor]:
        given: dict[str, Tensor] = {}
        for name, stage in self.net.stages.items():
            x = stage(x)
            if name in ("stage4", "stage6", "top"):
                given[{"stage4": "middle", "stage6": "last", "top": "features"}[name]] = x
        return given


def _as_maps(answers: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 9216) as kept -> (N, 96, 8, 8) and (N, 192, 4, 4)."""
    middle, last = answers.split([N_MIDDLE, N_LAST], 1)
    return middle.unflatten(1, MIDDLE), last.unflatten(1, (-1, 4, 4))


def held_loss(views: Views, agreement: Agreement, teacher: Net) -> Callable[[nn.Module], Mapping[str, float]]:
    """How near the student's features are to the teacher's on pictures that neither step nor norm has seen."""
    x = as_input([views.held(number) for number in range(N_HELD)])
    with torch.no_grad():
        wanted = torch.cat([teacher.features(chunk) for chunk in x.split(100)])

    def validate(_: nn.Module) -> Mapping[str, float]:
        given = torch.cat([agreement.net.features(chunk) for chunk in x.split(100)])
        return {"agreement": 1 - float(((given - wanted) / agreement.spreads["features"]).square().mean())}

    return validate


def main() -> None:
    """Train through all rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    asked = parser.parse_args()
    with joined() as group:
        distil(asked.data, asked.run, group)


def distil(data: Path, run: Path, group: Group | None) -> Path:
    """Train from `round-0.safetensors` in the folder `run` through all rounds; the file of the last one."""
    views, teacher = Views(data), load_teacher(data / "weights")
    answers = np.load(run / "answers.npy", mmap_mode="r")
    for number in range(1, len(ROUNDS) + 1):
        if not weights_of(run, number).exists():
            net = _distil_round(views, answers, teacher, run, number, group)
            if group is None or group.rank == 0:
                keep(net, weights_of(run, number))
            if group is not None:
                group.any(False)  # nobody goes on before the file is there
    return weights_of(run, len(ROUNDS))


def weights_of(run: Path, number: int) -> Path:
    """The student's weights after a round; 0: as it was pruned."""
    return run / f"round-{number}.safetensors"


def keep(net: Net, path: Path) -> None:
    """Write the stages' weights, whole or not at all."""
    partial = path.with_suffix(".partial")
    save_file({name: value.contiguous() for name, value in net.stages.state_dict().items()}, partial)
    partial.replace(path)


def _distil_round(
    views: Views, answers: npt.NDArray[np.float16], teacher: Net, run: Path, number: int, group: Group | None
) -> Net:
    this, seed = ROUNDS[number - 1], SEED + number - 1
    net = winnow_backbone(STUDENT, N_CLASSES)
    net.stages.load_state_dict(load_file(weights_of(run, number - 1)))
    for part in net.modules():
        if isinstance(part, ConvNorm):
            part.norm.momentum = 0.02  # batches are small, and those of the last steps should not decide
    some = np.sort(np.random.default_rng(SEED).choice(len(views), 512, replace=False))
    agreement = Agreement.of(net, teacher, torch.from_numpy(answers[some].astype(np.float32)), this.middle)
    plan = Plan(
        n_steps=this.n_steps,
        optimiser=AdamW(lr=LR),
        schedule=WarmUp(100, Cosine()),
        precision=Precision(is_bf16=True, is_channels_last=True),
    )
    train(
        Learner(net, (Player("student", (Weights.of(*net.stages.values()),), agreement.losses),)),
        ViewBatches(views, answers, BATCH, seed, group),
        plan,
        seed=seed,
        checkpoint=run / f"checkpoint-{number}",
        validate=held_loss(views, agreement, teacher),
        tell=_say if group is None or group.rank == 0 else tell_nobody,
        group=group,
    )
    return net


def _say(event: Event) -> None:
    if isinstance(event, StepDone) and event.done % _TOLD_EVERY == 0:
        losses = " ".join(f"{name} {loss:.3f}" for name, loss in event.losses.items())
        print(f"{time.strftime('%H:%M:%S')} step {event.done} of {event.total}: {losses}", flush=True)
    elif isinstance(event, EpochDone):
        print(f"epoch {event.epoch}: {dict(event.scores)}", flush=True)


if __name__ == "__main__":
    main()
