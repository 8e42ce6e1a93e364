"""One training by several processes: who they are, what they average, how they are started (torchrun)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed

from winnow.errors import UserError
from winnow.events import Tell, tell_nobody
from winnow.machine import cores

_BUCKET_NUMBERS = 8 * 1024 * 1024
"""Numbers that are sent at once: 32 MB, beyond which a message's own cost no longer shows."""


class Processes:
    """This process among those that torchrun started (`winnow.train.group.Group`); made by `joined`.

    Attributes:
        rank: this process's number; 0 writes and speaks.
        size: how many there are.
        device: the one that this process learns on: its own GPU, or the CPU.
    """

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        self.rank, self.size, self.device = rank, size, device

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by its mean over the processes; all get the same bits."""
        for bucket in _buckets(tensors):
            sent = torch.cat([tensor.reshape(-1) for tensor in bucket])
            distributed.all_reduce(sent)
            sent /= self.size
            start = 0
            for tensor in bucket:
                tensor.copy_(sent[start : start + tensor.numel()].view(tensor.shape))
                start += tensor.numel()

    def any(self, flag: bool) -> bool:
        """Whether the flag is true in any process; told by the CPUs, so that no GPU is waited for."""
        told = torch.tensor(int(flag))
        distributed.all_reduce(told, distributed.ReduceOp.MAX)
        return bool(told)

    def speaking(self, tell: Tell) -> Tell:
        """`tell` for rank 0, silence for the others."""
        return tell if self.rank == 0 else tell_nobody


def _buckets(tensors: Sequence[Tensor]) -> Generator[list[Tensor]]:
    """The tensors in lists of one type and device, up to a message's size each."""
    alike: defaultdict[tuple[torch.dtype, torch.device], list[Tensor]] = defaultdict(list)
    for tensor in tensors:
        alike[tensor.dtype, tensor.device].append(tensor)
    for several in alike.values():
        bucket: list[Tensor] = []
        numbers = 0
        for tensor in several:
            if bucket and numbers + tensor.numel() > _BUCKET_NUMBERS:
                yield bucket
                bucket, numbers = [], 0
            bucket.append(tensor)
            numbers += tensor.numel()
        yield bucket


@contextmanager
def joined() -> Generator[Processes | None]:
    """The processes that torchrun started together with this one; None where it was started alone.

    CPUs speak by gloo, GPUs by NCCL, each process with the GPU of its number.

    Raises:
        UserError: more processes on this machine than it has GPUs.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield None
        return
    rank, number = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    has_gpus = torch.cuda.is_available()
    if has_gpus and number >= torch.cuda.device_count():
        raise UserError(
            f"This machine has {torch.cuda.device_count()} GPUs and was asked for a process {number + 1}: "
            "start at most one process a GPU, or hide the GPUs (CUDA_VISIBLE_DEVICES='') to train on its cores."
        )
    device = torch.device("cuda", number) if has_gpus else torch.device("cpu")
    if has_gpus:
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if has_gpus else "gloo")
    try:
        yield Processes(rank, size, device)
    finally:
        distributed.destroy_process_group()


def start(command: Sequence[str], n_processes: int) -> int:
    """Run a script in several processes of this machine, which find each other with `joined`.

    Each gets its share of the cores. Ctrl-C and SIGTERM reach all of them, and we wait until they are gone. Several
    machines: start `torchrun` itself, on each, with its own options.

    Args:
        command: a Python script and its arguments.

    Returns:
        the exit status: 0 if all ended well; 143 after SIGTERM.
    """
    threads = max(1, cores() // n_processes)
    environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
    if sys.platform == "linux":
        environment.setdefault("GLOO_SOCKET_IFNAME", "lo")  # nobody outside of this machine need be able to listen
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
    with subprocess.Popen([*torchrun, *command], env=environment) as process, _passing_on(process) as passed:
        status = process.wait()
        return 128 + signal.SIGTERM if signal.SIGTERM in passed else status


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Generator[list[int]]:
    """Signals for this process go to another one meanwhile; which came."""
    passed: list[int] = []

    def hear(number: int, _: Any) -> None:
        passed.append(number)
        process.send_signal(number)

    if threading.current_thread() is not threading.main_thread():  # Python delivers no signals to other threads
        yield passed
        return
    before = {one: signal.signal(one, hear) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield passed
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
