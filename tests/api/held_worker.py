"""A worker whose climb stands still where its test wants it: `python held_worker.py WORKSPACE`.

While the file `hold` in the workspace names a kind of event, a climb that has told of something new of that kind goes
no further. So a test finds it half done on any machine, however late the test itself gets the processor.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from winnow.api import worker
from winnow.events import Event


def hold(folder: Path, kind: type[Event]) -> None:
    """Let climbs stop after the next event of this kind, until `let_go`."""
    (folder / "hold").write_text(kind.__name__)


def let_go(folder: Path) -> None:
    """Let climbs go on."""
    (folder / "hold").unlink()


def _stand_still(event: Event) -> None:
    file = Path(sys.argv[1]) / "hold"
    if getattr(event, "is_from_before", False) or not file.exists() or file.read_text() != type(event).__name__:
        return
    while file.exists():
        time.sleep(0.01)


if __name__ == "__main__":
    worker.tell_nobody = _stand_still
    worker._main()
