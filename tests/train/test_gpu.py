"""What only a GPU can show: networks learn there in half the bits, and their graphs answer as they do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from winnow.graph.runtime import open_graph, run_in_chunks
from winnow.nets.registry import build
from winnow.tasks.classify.rungs.small_net import fast_course
from winnow.train.batch import Batch
from winnow.train.course import Course, Lesson, teach
from winnow.train.learner import Learner, Player
from winnow.train.measure import measure
from winnow.train.optimisers import Momentum, Weights
from winnow.train.pictures import LabelledPictures
from winnow.train.plan import Plan

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU that torch can use"),
]

SIDE_PX, N = 32, 512


def colours() -> LabelledPictures:
    """Two classes that differ by their colour alone."""
    chance = np.random.default_rng(0)
    labels = np.arange(N) % 2
    pixels = chance.integers(0, 128, (N, SIDE_PX, SIDE_PX, 3))
    pixels[..., 0] += 100 * labels[:, None, None]
    return LabelledPictures(pixels.astype(np.uint8), labels, n_classes=2)


@pytest.fixture(scope="module")
def course() -> Course:
    return fast_course(2, SIDE_PX, N, 128, 3, flips=True)


def test_a_large_network_is_found_to_learn_faster_in_bf16():
    net = build("resnet-50", 10).cuda()
    batch = Batch({"image": torch.randn(64, 3, 224, 224).cuda(), "label": torch.arange(64).cuda() % 10})

    def losses(given: Batch) -> dict[str, torch.Tensor]:
        return {"cross_entropy": F.cross_entropy(net(given["image"]), given["label"])}

    learner = Learner(net, (Player("net", (Weights.of(net),), losses),))
    assert measure(learner, Plan(n_steps=1, optimiser=Momentum(0.1)), batch).precision.is_bf16


def test_what_learned_on_the_gpu_answers_as_a_graph_on_the_cpu(course: Course):
    pictures = colours()
    pixels = np.asarray(pictures.read(np.arange(N)))
    taught = teach(course, Lesson(pictures, seed=0), side_px=SIDE_PX, check=pixels[:64])
    answers = (run_in_chunks(open_graph(taught.graph), pixels) @ taught.weights + taught.bias).argmax(axis=1)
    assert (answers == pictures.targets).mean() > 0.95
