"""What cannot be done is answered with a sentence, never with a list of what the framework found."""

from __future__ import annotations

import nicegui
import pytest
from nicegui.testing import User
from starlette.types import Message

from winnow.errors import NotFoundError, UserError, WorkspaceError
from winnow.studio.refusals import OddRequestError, status_of


@pytest.mark.parametrize("address", ["/picture/ab?side=wide", "/label-data/clouds/state?since=yesterday"])
async def test_an_address_with_odd_values_is_refused_in_words(visitor: User, address: str):
    answer = await visitor.http_client.get(address)
    assert answer.status_code == 422
    assert "load the page again" in answer.json()["error"]


async def test_a_browser_that_leaves_while_it_sends_is_no_fault(visitor: User):
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    path = "/label-data/clouds/act"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
    }
    await nicegui.app({**scope, "query_string": b"", "headers": [], "http_version": "1.1", "asgi": {}}, receive, send)
    assert [message["status"] for message in sent if "status" in message] == [499]


@pytest.mark.parametrize(
    ("error", "status"),
    [(UserError("No."), 422), (OddRequestError(), 422), (NotFoundError("None."), 404), (WorkspaceError("Full."), 503)],
)
def test_the_status_says_whether_to_try_again(error: UserError, status: int):
    assert status_of(error) == status
