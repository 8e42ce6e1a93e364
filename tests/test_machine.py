"""What this computer is, and what an hour of it costs."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from winnow import machine
from winnow.machine import ENERGY_BY_ASSUMPTION, ENERGY_BY_COUNTER, WATTS_PER_CORE, Meter, cores, energy_method

count_cores = cores.__wrapped__  # as `cores`, but not remembered from one test to the next


@pytest.fixture
def no_counter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_RAPL", tmp_path / "nothing")


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An energy counter in microjoules that stands at 5 J."""
    monkeypatch.setattr(machine, "_RAPL", tmp_path / "energy_uj")
    machine._RAPL.write_text("5000000\n")
    return machine._RAPL


def test_winnow_cores_decides_how_many_cores_are_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WINNOW_CORES", "7")
    assert count_cores() == 7


@pytest.mark.parametrize("nonsense", ["", "0", "-2", "many", "1.5"])
def test_nonsense_in_winnow_cores_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch, nonsense: str):
    monkeypatch.setenv("WINNOW_CORES", nonsense)
    with_nonsense = count_cores()
    monkeypatch.delenv("WINNOW_CORES")
    assert with_nonsense == count_cores() >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_process_bound_to_one_core_counts_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WINNOW_CORES", raising=False)
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert count_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.usefixtures("no_counter")
def test_without_a_counter_energy_is_processor_seconds_times_assumed_watts():
    with Meter() as meter:
        before = time.process_time()
        while time.process_time() - before < 0.02:
            pass
    assert meter.seconds >= 0.02
    assert 0.02 <= meter.joules / WATTS_PER_CORE < 0.1
    assert energy_method() == ENERGY_BY_ASSUMPTION
    assert "estimated" in ENERGY_BY_ASSUMPTION
    assert "8 W a core" in ENERGY_BY_ASSUMPTION


@pytest.mark.usefixtures("no_counter")
def test_waiting_takes_time_but_hardly_any_energy():
    with Meter() as meter:
        time.sleep(0.03)
    assert meter.seconds >= 0.03
    assert meter.joules < 0.02 * WATTS_PER_CORE


def test_where_there_is_a_counter_its_difference_counts(counter: Path):
    with Meter() as meter:
        counter.write_text("7250000\n")
    assert meter.joules == pytest.approx(2.25)
    assert energy_method() == ENERGY_BY_COUNTER
    assert "measured" in ENERGY_BY_COUNTER


def test_a_counter_that_starts_anew_in_between_is_not_believed(counter: Path):
    with Meter() as meter:
        counter.write_text("1000\n")
    assert 0 <= meter.joules < 1


def test_a_meter_counts_even_where_the_work_fails(counter: Path):
    meter = Meter()
    with contextlib.suppress(ZeroDivisionError), meter:
        counter.write_text("6000000\n")
        _ = 1 / 0
    assert meter.joules == pytest.approx(1)
    assert meter.seconds > 0


def test_a_meter_can_be_used_again(counter: Path):
    meter = Meter()
    for joules in (1, 2):
        start = int(counter.read_text())
        with meter:
            counter.write_text(str(start + joules * 1_000_000))
        assert meter.joules == pytest.approx(joules)


def test_facts_name_the_machine_but_nobody():
    facts = machine.facts()
    assert facts.keys() == {"processor", "cores", "architecture", "system", "python"}
    assert facts["processor"]
    text = " ".join(str(value) for value in facts.values())
    assert os.uname().nodename not in text


def test_another_core_count_is_another_machine(monkeypatch: pytest.MonkeyPatch):
    here = machine.fingerprint()
    assert here == machine.fingerprint()
    monkeypatch.setattr(machine, "cores", lambda: 4321)
    assert machine.fingerprint() != here


def test_instruction_sets_are_those_that_decide_a_number_format():
    assert machine.instruction_sets() <= {
        "avx2",
        "avx512f",
        "avx512_bf16",
        "amx_bf16",
        "avx512_vnni",
        "avx_vnni",
        "amx_int8",
    }


def test_libraries_are_kept_from_reporting_usage(monkeypatch: pytest.MonkeyPatch):
    for name in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "something else")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    machine.keep_quiet()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["HF_HUB_OFFLINE"] == "0", "the user may allow the network"
