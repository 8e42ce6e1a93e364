"""A course: how one kind of network is taught to tell classes; taken with a lesson's pictures, it gives a graph.

What a network of pictures needs besides the loop stands here once: its fresh weights by the seed, its batches, its
losses by the examples' weights, its graph, and the check that graph and network answer alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from winnow.events import EpochDone, Tell, tell_nobody
from winnow.graph.pictures import run_on_pictures
from winnow.graph.runtime import open_graph
from winnow.machine import cores
from winnow.nets.export import Normalise, as_graph, from_pixels
from winnow.nets.net import Net
from winnow.seeds import seed_for
from winnow.train.augment.colour import Normalisation
from winnow.train.augment.recipe import Augmentation
from winnow.train.batch import Batch, Batches
from winnow.train.batches import PictureBatches
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.measure import Pace, measure
from winnow.train.optimisers import Weights
from winnow.train.pictures import LabelledPictures
from winnow.train.plan import Plan

MOST_DIFFERENCE = 1e-4
"""Between the logits of network and graph, where logits are up to 10; in proportion where they are larger, since
single precision holds seven digits."""
_TIMED = 64


class TimeUpError(Exception):
    """No time was left before the network had learned."""


class ParityError(Exception):
    """The graph does not answer as the network does; its text says by how much."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one network learns from."""

    pictures: LabelledPictures
    """With `n_classes`; its keys are content hashes."""
    seed: int
    folder: Path | None = None
    """For checkpoints; None: a kill loses all."""
    left_s: Callable[[], float] = lambda: float("inf")
    tell: Tell = tell_nobody

    @property
    def device(self) -> torch.device:
        """Where networks learn: an accelerator if there is one."""
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def folder_of(self, name: str) -> Path | None:
        """For the checkpoints of one of several trainings."""
        return None if self.folder is None else self.folder / name


def _nothing(net: Net, lesson: Lesson) -> None:
    pass


def all_that_learn(net: Net) -> tuple[Weights, ...]:
    """Every weight that is not frozen, at one rate."""
    return (Weights(tuple(weight for _, weights in net.groups() for weight in weights)),)


def cross_entropy(smoothing: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss (N,) of logits (N, C) and labels (N,) or (N, C), with smoothed labels."""
    return lambda logits, labels: F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)


@dataclass(frozen=True, slots=True)
class Course:
    """How one kind of network is taught."""

    net: Callable[[], Net]
    """Gives it fresh, by torch's global seed."""
    plan: Plan
    batch_size: int
    normalisation: Normalisation
    network: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Which net it is, to build it again from a file of its weights: "name", "side_px" and the like, as
    `winnow.nets.kept_net` writes them; empty: it is not to be kept."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    sides_px: tuple[int, ...] = ()
    """Of the pictures in each epoch; none: as stored."""
    pad_px: int = 0
    """Black around each picture."""
    is_mirrored: bool = False
    """Its features are the mean over a picture and its mirror image."""
    keeps_norms: bool = False
    """Batch norms keep the statistics they came with: few pictures would give worse ones."""
    prepare: Callable[[Net, Lesson], None] = _nothing
    """What is done to the net before its first step; may raise `TimeUpError`."""
    weights: Callable[[Net], tuple[Weights, ...]] = all_that_learn
    loss: Callable[[Tensor, Tensor], Tensor] = field(default_factory=cross_entropy)
    """From logits (N, C) and labels to (N,)."""
    feed: Callable[[Course, Net, Lesson], Batches] | None = None
    """Other batches than pictures: what enters behind the stage `enters_behind`."""
    enters_behind: str | None = None

    def batches(self, net: Net, lesson: Lesson) -> Batches:
        """Where the lesson's batches come from."""
        if self.feed is not None:
            return self.feed(self, net, lesson)
        return PictureBatches(
            lesson.pictures,
            min(self.batch_size, len(lesson.pictures)),
            seed=lesson.seed,
            augmentation=self.augmentation,
            normalisation=self.normalisation,
            sides_px=self.sides_px,
            device=lesson.device,
        )

    def learner(self, net: Net) -> Learner:
        """The net as the loop takes it."""
        black = [-mean / std for mean, std in zip(self.normalisation.mean, self.normalisation.std, strict=True)]
        network: nn.Module = net if self.enters_behind is None else net.upper(self.enters_behind)

        def losses(batch: Batch) -> dict[str, Tensor]:
            x = padded(batch["image"], self.pad_px, black)
            each = self.loss(network(x).float(), batch["label"])
            weight = batch.tensors.get("weight")
            return {"loss": each.mean() if weight is None else (each * weight).sum() / weight.sum()}

        norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)] if self.keeps_norms else []
        return Learner(net, (Player("net", self.weights(net), losses),), frozen=tuple(norms))

    def from_pixels(self, net: Net) -> nn.Module:
        """The features of the taught net, from pixels on: uint8 (N, side, side, 3) -> (N, dim)."""
        normalise = Normalise(self.normalisation.mean, self.normalisation.std, pad_px=self.pad_px)
        one_side = from_pixels(net, normalise, "features")
        return (BothSides(one_side) if self.is_mirrored else one_side).eval()


class BothSides(nn.Module):
    """The mean over a picture and its mirror image; under a linear head, the mean of both logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, side, side, 3) -> (N, dim)."""
        return (self.network(pixels) + self.network(pixels.flip(2))) / 2


def padded(x: Tensor, pad_px: int, black: list[float]) -> Tensor:
    """Normalised pictures (N, C, H, W) with `pad_px` of black around."""
    if not pad_px:
        return x
    border = torch.tensor(black, device=x.device, dtype=x.dtype)[:, None, None]
    return F.pad(x - border, (pad_px,) * 4) + border


@dataclass(frozen=True, slots=True)
class Taught:
    """A network that has learned, as what is left of it: a graph and a linear head."""

    graph: bytes
    """uint8 pixels (N, side, side, 3) to features (N, dim)."""
    weights: NDArray[np.float32]
    """(dim, C): logits are features @ weights + bias."""
    bias: NDArray[np.float32]
    """(C,)"""
    epochs: tuple[EpochDone, ...]
    """How it learned, those before a resume included; what `prepare` did is not among them."""
    net: Net | None = None
    """The network itself, on the processor and in evaluation mode; None once nobody needs it any more."""


def teach(course: Course, lesson: Lesson, *, side_px: int, check: NDArray[np.uint8]) -> Taught:
    """Teach one network and hand over its graph; goes on from the lesson's folder.

    Args:
        course: how.
        lesson: from what.
        side_px: of the graph's pictures.
        check: (N, side, side, 3) pictures that graph and network must answer alike.

    Raises:
        TimeUpError: no time was left before it was done.
        ParityError: the graph answers otherwise.
        UserError: it cannot learn from these pictures; see `winnow.train.loop.train`.
    """
    net = fresh(course, lesson)
    with _on_our_cores():
        course.prepare(net, lesson)
        trained = train(
            course.learner(net),
            course.batches(net, lesson),
            course.plan,
            seed=lesson.seed,
            checkpoint=lesson.folder_of("network"),
            left_s=lesson.left_s,
            tell=lesson.tell,
        )
    if trained.stopped == "budget":
        raise TimeUpError
    net.cpu().eval()
    features = course.from_pixels(net)
    graph = as_graph(features, side_px)
    weights, bias = linear_head(net)
    taught = Taught(graph, weights, bias, trained.epochs, net)
    _check_parity(features, net.head, taught, check)
    return taught


def fresh(course: Course, lesson: Lesson) -> Net:
    """The course's net with weights by the lesson's seed, where it shall learn."""
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(seed_for(lesson.seed, "weights"))
        return course.net().to(lesson.device)


@contextmanager
def _on_our_cores() -> Generator[None]:
    """Torch takes as many threads as Winnow may use cores, and afterwards what it took before."""
    before = torch.get_num_threads()
    torch.set_num_threads(cores())
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pace(course: Course, lesson: Lesson) -> Pace:
    """The precision that is fastest here, and seconds of one step of the plan's batch; takes about 16 small steps."""
    net = fresh(course, lesson)
    batch = course.batches(net, lesson).at(0)
    n = min(len(batch), _TIMED)
    with _on_our_cores():
        found = measure(course.learner(net), course.plan, batch.part(0, n))
    return replace(found, step_s=found.step_s * course.batch_size / n)


def linear_head(net: Net) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The net's head as (dim, C) weights and (C,) bias, up to what is added to all classes alike.

    That covers LeNet-5's distances too: of |x - c|^2, only the part that is linear in x differs by class.

    Raises:
        ParityError: the head is not linear.
    """
    with torch.inference_mode():
        bias = net.head(torch.zeros(1, net.dim))[0]
        weights = net.head(torch.eye(net.dim)) - bias
        x = torch.randn(8, net.dim, generator=torch.Generator().manual_seed(0))
        difference = _centred(net.head(x)) - _centred(x @ weights + bias)
    if difference.abs().max() > 1e-3 * max(1.0, float(weights.abs().max())):
        raise ParityError("its head is not linear and cannot be written into the graph")
    return weights.numpy().copy(), bias.numpy().copy()


@torch.inference_mode()
def map_shape(net: Net, at: str, side_px: int, n_channels: int = 3) -> tuple[int, ...]:
    """The shape of what the stage `at` gives of one picture."""
    was_training = net.training
    net.eval()
    blank = torch.zeros(1, n_channels, side_px, side_px, device=net.device)
    shape = tuple(net.lower(at)(blank).shape[1:])
    net.train(was_training)
    return shape


def lower_graph(course: Course, net: Net, at: str, side_px: int) -> bytes:
    """The stages up to `at` from pixels on, as a graph that gives their maps as rows (N, C * H * W)."""
    normalise = Normalise(course.normalisation.mean, course.normalisation.std, pad_px=course.pad_px)
    return as_graph(nn.Sequential(normalise, net.lower(at), nn.Flatten(1)).eval(), side_px)


@torch.no_grad()
def set_linear_head(net: Net, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    """Give a linear head its weights (C, dim) and bias (C,)."""
    head = net.head
    assert isinstance(head, nn.Linear)
    head.weight.copy_(torch.from_numpy(weights))
    assert head.bias is not None
    head.bias.copy_(torch.from_numpy(bias))


@torch.inference_mode()
def _check_parity(features: nn.Module, head: nn.Module, taught: Taught, pixels: NDArray[np.uint8]) -> None:
    opened = open_graph(taught.graph, "fp32", one_at_a_time=True)
    rows = np.stack(list(run_on_pictures(opened, lambda index: pixels[index], len(pixels))))
    given = _centred(torch.from_numpy(rows @ taught.weights + taught.bias))
    wanted = _centred(torch.cat([head(features(part)) for part in torch.from_numpy(pixels).split(_TIMED)]))
    difference = float((given - wanted).abs().max())
    top = wanted.topk(min(2, wanted.shape[1])).values
    # Two classes that are equal to the last digits have no order that could be kept.
    is_clear = (top[:, 0] - top[:, -1]) > 2 * MOST_DIFFERENCE
    flips = int(((given.argmax(1) != wanted.argmax(1)) & is_clear).sum())
    if not (difference <= MOST_DIFFERENCE * max(1.0, float(wanted.abs().max()) / 10)) or flips:
        raise ParityError(
            f"its graph does not answer as its network does: logits differ by {difference:.2g}, "
            f"{flips} of {len(pixels)} answers are others"
        )


def _centred(logits: Tensor) -> Tensor:
    """Logits less their mean over classes: what softmax sees."""
    return logits - logits.mean(1, keepdim=True)
