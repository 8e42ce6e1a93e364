"""What cannot be done is answered with a sentence, never with a list of what the framework found."""

from __future__ import annotations

import pytest
from nicegui.testing import User

from winnow.errors import NotFoundError, UserError, WorkspaceError
from winnow.studio.refusals import OddRequestError, status_of


@pytest.mark.parametrize("address", ["/picture/ab?side=wide", "/label-data/clouds/state?since=yesterday"])
async def test_an_address_with_odd_values_is_refused_in_words(visitor: User, address: str):
    answer = await visitor.http_client.get(address)
    assert answer.status_code == 422
    assert "load the page again" in answer.json()["error"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(UserError("No."), 422), (OddRequestError(), 422), (NotFoundError("None."), 404), (WorkspaceError("Full."), 503)],
)
def test_the_status_says_whether_to_try_again(error: UserError, status: int):
    assert status_of(error) == status
