"""What a worker says where things go wrong inside it; here without a process of its own."""

from __future__ import annotations

import io
import json
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.pictures import file_of, noise
from winnow.errors import BadDataError
from winnow.serve import worker
from winnow.serve.frames import ANSWER, BROKEN, QUESTION, REFUSED, pack_tensors, unpack_picture_answer, unpack_refusal
from winnow.serve.opening import open_served
from winnow.serve.served import values_of
from winnow.serve.worker_process import _COMMAND

from .foreign_models import endless, irises, logistic_regression
from .tiny_models import tiny_model


class Channel:
    """Gives what was asked, and keeps what is sent."""

    def __init__(self, asked: bytes) -> None:
        self.asked = io.BytesIO(asked)
        self.sent = b""

    def recv(self, n_bytes: int, flags: int) -> bytes:
        return self.asked.read(n_bytes)

    def sendall(self, data: bytes) -> None:
        self.sent += data


class Broken:
    def answer(self, data: bytes) -> bytes:
        raise ZeroDivisionError(data)


def said(frame: bytes) -> tuple[int, bytes]:
    length, sign, *_ = ANSWER.unpack_from(frame)
    assert len(frame) == ANSWER.size + length
    return sign, frame[ANSWER.size :]


def test_a_bug_costs_one_answer_and_leaves_its_trace():
    channel = Channel(2 * (QUESTION.pack(3, 0) + b"abc"))
    worker._answer_all(channel, [Broken()], None)
    sign, trace = said(channel.sent[: len(channel.sent) // 2])
    assert sign == BROKEN
    assert b"ZeroDivisionError: b'abc'" in trace


def test_half_a_question_is_the_end():
    channel = Channel(QUESTION.pack(3, 0) + b"ab")
    worker._answer_all(channel, [Broken()], None)
    assert channel.sent == b""


def test_a_picture_too_large_for_what_follows_its_decoding_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened = worker._Pictures(open_served(str(tiny_model(tmp_path / "clouds"))))

    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(worker, "decode", no_memory)
    sign, why = said(opened.answer(b"a picture"))
    error = unpack_refusal(why)
    assert (sign, error.status, error.code) == (REFUSED, 413, "E_BOMB_PIXELS")


def test_an_answer_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, _ = logistic_regression(tmp_path / "irises.onnx")
    opened = worker._Tensors(open_served(str(path)))
    monkeypatch.setattr(worker, "MOST_ANSWER_BYTES", 10)
    sign, why = said(opened.answer(pack_tensors({"measures": irises()})))
    assert (sign, unpack_refusal(why).sentence) == (
        REFUSED,
        "The answer takes too much memory; ask with smaller tensors.",
    )


@pytest.mark.parametrize("kind", ["pictures", "tensors"])
def test_a_model_that_changed_on_the_disk_is_not_served(kind: str, tmp_path: Path):
    path = tiny_model(tmp_path / "clouds") if kind == "pictures" else logistic_regression(tmp_path / "irises.onnx")[0]
    served = replace(open_served(str(path)), digest="another digest")
    with pytest.raises(BadDataError, match="has changed since the server began to serve it"):
        worker._Pictures(served) if kind == "pictures" else worker._Tensors(served)


def test_of_pictures_that_come_fast_a_sample_is_summarised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: now[0])
    opened = worker._Pictures(open_served(str(tiny_model(tmp_path / "clouds"))))
    lengths: list[int] = []
    for seconds in (1.0, 0.005, 0.005, 0.05):
        now[0] += seconds
        _, payload = said(opened.answer(file_of(noise(1))))
        lengths.append(len(unpack_picture_answer(payload, 3)[1]))
    assert lengths == [7, 0, 0, 7]


def test_a_worker_ends_with_its_front_even_in_a_graph_that_never_comes_back(tmp_path: Path):
    path = endless(tmp_path / "endless.onnx")
    asked = json.dumps({"models": [values_of(open_served(str(path)))]}).encode()
    question = pack_tensors({"x": np.zeros(1, np.float32)})
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen([*_COMMAND, str(theirs.fileno()), "-1", "-1", "-1"], pass_fds=[theirs.fileno()])
        theirs.close()
        ours.sendall(len(asked).to_bytes(4, "little") + asked)
        assert ours.recv(6) == b"\x02\0\0\0{}"
        ours.sendall(QUESTION.pack(len(question), 0) + question)
    try:
        process.wait(20)
    finally:
        process.kill()
