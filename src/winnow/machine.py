"""What this computer is: its cores, its processor, the energy it needs, and the switches we set on it."""

from __future__ import annotations

import math
import os
import platform
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

# Libraries below us that would report usage or reach for the network read these; set before they are imported.
_SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
}

WATTS_PER_CORE = 8.0
"""Assumed draw of one busy server or laptop core where the machine has no energy counter; roughly a processor's
thermal design power over its cores (AMD EPYC 9004: 360 W / 96 cores with memory; laptops: 15-45 W / 4-8)."""

_RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")


def keep_quiet() -> None:
    """Set the switches that keep libraries from telemetry, and from the network unless the user allowed it."""
    os.environ.update(_SWITCHES)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


@cache
def cores() -> int:
    """How many processor cores this process may use (at least 1); WINNOW_CORES lowers or raises it."""
    asked = os.environ.get("WINNOW_CORES", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, _container_cores()))


def _container_cores() -> int:
    """Cores that a container's CPU quota grants, rounded up; without a quota, more than any machine has."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no control groups, or "max": no quota
        return 1 << 30


@cache
def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@cache
def instruction_sets() -> frozenset[str]:
    """Which of the instruction sets that decide a number format the processor has (empty if unknown)."""
    wanted = {"avx2", "avx512f", "avx512_bf16", "amx_bf16", "avx512_vnni", "avx_vnni", "amx_int8"}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("flags"):
                return frozenset(wanted & set(line.split(":", 1)[1].split()))
    except OSError:
        pass
    return frozenset()


def fingerprint() -> str:
    """What a measured choice belongs to: another processor or core count measures anew."""
    return "|".join([processor(), platform.machine(), str(cores()), ",".join(sorted(instruction_sets()))])


def facts() -> dict[str, str | int | float]:
    """What a report says of the machine; no name, no address, no user."""
    return {
        "processor": processor(),
        "cores": cores(),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _read_rapl() -> float | None:
    try:
        return int(_RAPL.read_text(encoding="ascii")) / 1e6
    except (OSError, ValueError):
        return None


ENERGY_BY_COUNTER = "measured by the processor's energy counter (RAPL), whole package"
ENERGY_BY_ASSUMPTION = f"estimated: processor seconds x {WATTS_PER_CORE:g} W a core (no energy counter here)"


def energy_method() -> str:
    """In words, where the joules come from on this machine."""
    return ENERGY_BY_COUNTER if _read_rapl() is not None else ENERGY_BY_ASSUMPTION


@dataclass
class Meter:
    """Seconds and joules of what happens between `with` and its end.

    Joules come from the processor's counter where there is one, else from processor seconds times
    `WATTS_PER_CORE`; `energy_method` says which.
    """

    seconds: float = 0.0
    joules: float = 0.0
    _start: tuple[float, float, float | None] = field(default=(0.0, 0.0, None), repr=False)

    def __enter__(self) -> Meter:
        self._start = (time.perf_counter(), time.process_time(), _read_rapl())
        return self

    def __exit__(self, *_: object) -> None:
        wall, processor_s, counter = self._start
        self.seconds = time.perf_counter() - wall
        now = _read_rapl()
        if counter is not None and now is not None and now >= counter:  # the counter wraps; then assume
            self.joules = now - counter
        else:
            self.joules = (time.process_time() - processor_s) * WATTS_PER_CORE
