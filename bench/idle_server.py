"""What HTTP alone costs: uvicorn reads the body, waits as long as an answer takes, and says yes; for bench/serve.py.

Started as `python bench/idle_server.py PORT SECONDS`.
"""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"4")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """One request."""
    while (await receive()).get("more_body"):
        pass
    if scope["method"] == "POST":
        await asyncio.sleep(float(sys.argv[2]))
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b"true"})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, lifespan="off")
