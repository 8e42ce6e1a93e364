"""Pictures that clients name by their address: only where the server allows it, and only from the public network.

The address that was checked is the one that is connected to, redirects included; see `winnow.data.sources.fetch`.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from winnow.data.sources.fetch import FetchError, fetch
from winnow.serve.questions import UnansweredError

MOST_BYTES = 32 << 20
_TIMEOUT_S = 10.0
_fetching = ThreadPoolExecutor(16, "fetch")


async def fetch_picture(url: str, deadline: float) -> bytes:
    """The picture file behind an http or https address.

    Args:
        deadline: on the clock of `time.monotonic`.

    Raises:
        UnansweredError: E_URL_BLOCKED, it may not be fetched; E_URL_FAILED, it cannot be.
    """
    timeout_s = min(_TIMEOUT_S, max(0.001, deadline - time.monotonic()))
    try:
        return await asyncio.get_running_loop().run_in_executor(_fetching, _fetch, url, timeout_s)
    except FetchError as error:
        # Where a name leads in the own network is nothing that clients need to know.
        blocked = "Only http and https addresses of the public network are fetched; send the picture itself."
        raise UnansweredError(422, error.code, blocked if error.code == "E_URL_BLOCKED" else error.reason) from None


def _fetch(url: str, timeout_s: float) -> bytes:
    # Nobody on the own network is asked, whatever a client writes.
    return b"".join(fetch(url, frozenset(), max_bytes=MOST_BYTES, timeout_s=timeout_s))
