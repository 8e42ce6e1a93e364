"""The fastest number format whose answers agree, measured once a graph and machine, and written down."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from winnow.graph import formats
from winnow.graph.build import GraphPen
from winnow.graph.formats import MIN_AGREEMENT, FormatChoice, choose_format, quantise

from .tiny import SIDE_PX, features_graph, pictures, plain_run

SAMPLES = pictures(8)
DIGEST = "d" * 64


class Bench:
    """A processor of our own: how fast each format is, and how far its answers are from fp32's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.speeds = {"fp32": 100.0, "bf16": 100.0, "int8": 100.0}
        self.errors = {"fp32": 0.0, "bf16": 0.001, "int8": 0.01}
        self.timed: list[str] = []
        self.can_quantise = True
        exact = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)

        def time(opened: Any, _: object) -> tuple[np.ndarray, float]:
            self.timed.append(opened)
            return exact + np.float32(self.errors[opened]) * exact[::-1], self.speeds[opened]

        def make_int8(*_: object) -> bytes:
            if not self.can_quantise:
                raise RuntimeError("no such op")
            return b"the int8 graph"

        monkeypatch.setattr(formats, "open_graph", lambda _, number_format, **__: number_format)
        monkeypatch.setattr(formats, "_time", time)
        monkeypatch.setattr(formats, "quantise", make_int8)
        monkeypatch.setattr(formats, "_formats_to_try", lambda: iter(("bf16", "int8")))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def _choose(notes: Path) -> FormatChoice:
    return choose_format(b"a graph", DIGEST, SAMPLES, notes)


def test_the_fastest_format_is_chosen_when_its_answers_agree(bench: Bench, tmp_path: Path):
    bench.speeds |= {"bf16": 200.0, "int8": 150.0}
    choice = _choose(tmp_path)
    assert choice.number_format == "bf16"
    assert choice.pictures_per_s == {"fp32": 100.0, "bf16": 200.0, "int8": 150.0}
    assert choice.agreement["fp32"] == 1
    assert choice.agreement["bf16"] > MIN_AGREEMENT
    assert choice.reason == "bf16 is the fastest format whose answers agree; int8 is not clearly faster"


@pytest.mark.parametrize("error", [0.5, np.nan, np.inf])
def test_a_fast_format_that_answers_differently_is_refused(bench: Bench, tmp_path: Path, error: float):
    bench.speeds["bf16"] = 1000.0
    bench.errors["bf16"] = error
    choice = _choose(tmp_path)
    assert choice.number_format == "fp32"
    assert choice.agreement["bf16"] < MIN_AGREEMENT
    assert "bf16 answers differently (similarity" in choice.reason


def test_a_narrow_win_is_no_win(bench: Bench, tmp_path: Path):
    bench.speeds["bf16"] = 124.0
    assert _choose(tmp_path).number_format == "fp32"


def test_the_choice_is_written_down_and_not_measured_again(bench: Bench, tmp_path: Path):
    bench.speeds["bf16"] = 200.0
    first = _choose(tmp_path / "notes")
    bench.speeds["bf16"] = 1.0
    assert _choose(tmp_path / "notes") == first
    assert bench.timed == ["fp32", "bf16", "int8"]


def test_int8_keeps_its_graph_beside_the_note_and_is_made_again_when_that_is_gone(bench: Bench, tmp_path: Path):
    bench.speeds["int8"] = 300.0
    choice = _choose(tmp_path)
    assert choice.number_format == "int8"
    assert choice.int8_graph is not None
    kept = tmp_path / choice.int8_graph
    assert kept.read_bytes() == b"the int8 graph"
    assert _choose(tmp_path) == choice
    kept.unlink()
    assert _choose(tmp_path) == choice
    assert kept.exists()
    assert len(bench.timed) == 6


def test_another_machine_measures_anew(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bench.speeds["bf16"] = 200.0
    assert _choose(tmp_path).number_format == "bf16"
    bench.speeds["bf16"] = 50.0
    monkeypatch.setattr(formats, "fingerprint", lambda: "another processor")
    assert _choose(tmp_path).number_format == "fp32"
    assert json.loads((tmp_path / f"{DIGEST[:16]}.json").read_text())["machine"] == "another processor"


@pytest.mark.parametrize("text", ["", "null", "[]", '"x"', "{}", '{"number_format": "fp16"', "\x00"])
def test_a_damaged_note_is_measured_anew(bench: Bench, tmp_path: Path, text: str):
    expected = _choose(tmp_path)
    (tmp_path / f"{DIGEST[:16]}.json").write_text(text)
    assert _choose(tmp_path) == expected
    assert len(bench.timed) == 6


def test_a_note_with_a_format_nobody_knows_is_measured_anew(bench: Bench, tmp_path: Path):
    expected = _choose(tmp_path)
    note = tmp_path / f"{DIGEST[:16]}.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "number_format": "fp4"}))
    assert _choose(tmp_path) == expected


def test_a_graph_that_cannot_be_quantised_runs_in_another_format(bench: Bench, tmp_path: Path):
    bench.can_quantise = False
    choice = _choose(tmp_path)
    assert choice.number_format == "fp32"
    assert "int8 could not be made (RuntimeError)" in choice.reason


def _only(number_format: str) -> Iterator[str]:
    yield number_format


def _graph_with_one_loud_channel() -> bytes:
    """Its answers come from quiet channels beside one that is a million times louder: 8 bits cannot hold both."""
    pen = GraphPen("pixels", (None, SIDE_PX, SIDE_PX, 3), np.uint8)
    x = pen.op("Transpose", pen.op("Mul", pen.op("Cast", pen.input, to=1), pen.constant(1 / 255)), perm=[0, 3, 1, 2])
    first = np.random.default_rng(0).normal(size=(6, 3, 3, 3))
    first[0] *= 1e6
    second = np.random.default_rng(1).normal(size=(6, 6, 3, 3))
    second[:, 0] = 0
    x = pen.op("Relu", pen.op("Conv", x, pen.constant(first), kernel_shape=[3, 3]))
    x = pen.op("Conv", x, pen.constant(second), kernel_shape=[3, 3])
    x = pen.op("Reshape", pen.op("GlobalAveragePool", x), pen.constant([-1, 6], np.int64))
    return pen.finish(x, "features", (None, 6))


def test_a_real_graph_that_breaks_in_int8_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formats, "_formats_to_try", lambda: _only("int8"))
    monkeypatch.setattr(formats, "_TIMED_S", 0.01)
    monkeypatch.setattr(formats, "MIN_GAIN", 0.0)
    choice = choose_format(_graph_with_one_loud_channel(), DIGEST, SAMPLES, tmp_path)
    assert choice.number_format == "fp32"
    assert "int8 answers differently" in choice.reason
    assert choice.int8_graph is None


def test_a_real_graph_in_int8_answers_nearly_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formats, "_formats_to_try", lambda: _only("int8"))
    monkeypatch.setattr(formats, "_TIMED_S", 0.01)
    monkeypatch.setattr(formats, "MIN_GAIN", 0.0)
    choice = choose_format(features_graph(), DIGEST, SAMPLES, tmp_path)
    assert choice.number_format == "int8"
    assert choice.int8_graph is not None
    seen = pictures(4, seed=9)
    exact = plain_run(features_graph(), seen)
    assert plain_run((tmp_path / choice.int8_graph).read_bytes(), seen) == pytest.approx(exact, abs=0.1)


def test_quantising_gives_the_same_bytes_and_leaves_the_log_as_it_was():
    level = logging.getLogger().level
    assert quantise(features_graph(), SAMPLES) == quantise(features_graph(), SAMPLES)
    assert logging.getLogger().level == level


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx2"}, []),
        ({"avx512_bf16"}, ["bf16"]),
        ({"avx_vnni"}, ["int8"]),
        ({"amx_bf16", "amx_int8"}, ["bf16", "int8"]),
    ],
)
def test_only_formats_that_the_processor_has_are_tried(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], expected: list[str]
):
    monkeypatch.setattr(formats, "has_openvino", lambda: True)
    monkeypatch.setattr(formats, "instruction_sets", lambda: frozenset(flags))
    assert list(formats._formats_to_try()) == expected
    monkeypatch.setattr(formats, "has_openvino", lambda: False)
    assert list(formats._formats_to_try()) == []
