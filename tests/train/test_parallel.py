"""Several processes learn what one would have learned, and only the first of them writes and speaks."""

from __future__ import annotations

import os

import pytest
import torch
from safetensors.torch import load_file

from winnow.errors import UserError
from winnow.train import parallel
from winnow.train.parallel import _buckets, joined, start

from . import one_of_several
from .one_of_several import run, small_net
from .threads import together

ROUNDING = {"rtol": 1e-4, "atol": 1e-5}
"""Sums in another order: float32's 6e-8 a step and number, through a few steps of a steep learner."""


def weights_of_one(n_steps: int) -> dict[str, torch.Tensor]:
    """What a single process learns."""
    net = small_net()
    run(net, None, n_steps)
    return net.state_dict()


@pytest.mark.parametrize("size", [2, 3])
def test_several_learn_the_weights_of_one(size):
    expected = weights_of_one(4)
    nets = [small_net() for _ in range(size)]
    together(size, lambda group: run(nets[group.rank], group, 4))
    for net in nets:
        for name, tensor in net.state_dict().items():
            assert torch.allclose(tensor, expected[name], **ROUNDING), name


def test_processes_started_together_end_together_go_on_and_learn_the_weights_of_one(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    script = [one_of_several.__file__, str(tmp_path), "6"]
    assert start([*script, str(os.getpid())], 2) == 143
    assert capfd.readouterr().out.count("StepDone") == 3
    assert len(list((tmp_path / "checkpoint").iterdir())) == 1
    assert start(script, 2) == 0
    assert capfd.readouterr().out.count("StepDone") == 3  # the other three, and only one of the processes speaks
    first, second = (load_file(tmp_path / f"rank-{rank}.safetensors") for rank in (0, 1))
    expected = weights_of_one(6)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name])
        assert torch.allclose(tensor, expected[name], **ROUNDING), name


def test_processes_that_start_from_different_weights_are_refused_with_advice():
    nets = [small_net(), small_net()]
    torch.nn.init.ones_(nets[1][4].weight)

    def refused(group):
        with pytest.raises(UserError, match="different weights: seed torch alike"):
            run(nets[group.rank], group, 4)
        return True

    assert together(2, refused) == [True, True]


def test_a_process_started_alone_has_no_group(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as group:
        assert group is None


def test_what_is_sent_at_once_is_alike_and_of_limited_size(monkeypatch):
    monkeypatch.setattr(parallel, "_BUCKET_NUMBERS", 10)
    tensors = [torch.zeros(6), torch.zeros(4), torch.zeros(1), torch.zeros(3, dtype=torch.float64), torch.zeros(99)]
    assert [[len(one) for one in bucket] for bucket in _buckets(tensors)] == [[6, 4], [1], [99], [3]]


def test_more_processes_than_gpus_are_refused_with_advice(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="hide the GPUs"), joined():
        pass
