"""Pre-training without labels: a network's stages learn to rebuild damaged pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from winnow.nets.autoencoder import DenoisingAutoencoder, damage, reconstruction_loss
from winnow.nets.net import Net
from winnow.seeds import seed_for
from winnow.train.batch import Batch
from winnow.train.course import Course, Lesson, TimeUpError
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import AdamW, Weights
from winnow.train.plan import Plan
from winnow.train.schedule import OneCycle

DAMAGE = 0.25
"""The share of pixels that are lost; Vincent et al. 2008 found 10 to 40 % best."""


def pretrain(course: Course, net: Net, lesson: Lesson, *, n_epochs: int, lr: float = 2e-3) -> None:
    """Let the stages that give maps learn from the lesson's pictures; labels and the head play no part.

    Goes on from its own checkpoint in the lesson's folder.

    Raises:
        TimeUpError: no time was left before it was done.

    Source: see `winnow.nets.autoencoder`.
    """
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(seed_for(lesson.seed, "decoder"))
        side_px = course.sides_px[-1] if course.sides_px else lesson.pictures.side_px
        n_channels = len(course.normalisation.mean)
        autoencoder = DenoisingAutoencoder(net, n_channels=n_channels, side_px=side_px + 2 * course.pad_px)
        autoencoder.to(lesson.device)

    def losses(batch: Batch) -> dict[str, Tensor]:
        whole = batch["image"]
        return {"reconstruction": reconstruction_loss(autoencoder(damage(whole, DAMAGE)).float(), whole)}

    learning = tuple(weight for weight in autoencoder.parameters() if weight.requires_grad)
    plan = Plan(
        n_epochs=n_epochs,
        optimiser=AdamW(lr=lr),
        schedule=OneCycle(rise=0.2),
        clip_norm=1.0,
        precision=course.plan.precision,
    )
    trained = train(
        Learner(autoencoder, (Player("autoencoder", (Weights(learning),), losses),)),
        course.batches(net, lesson),
        plan,
        seed=seed_for(lesson.seed, "pretraining"),
        checkpoint=lesson.folder_of("pretraining"),
        left_s=lesson.left_s,
        tell=lesson.tell,
    )
    if trained.stopped == "budget":
        raise TimeUpError
