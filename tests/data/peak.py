"""The most memory a process has held."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def peak_bytes() -> int:
    """Of this process since it began. Linux' `ru_maxrss` would also count what its parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
