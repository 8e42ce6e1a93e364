"""Home says what there is, and what to do first."""

from __future__ import annotations

from nicegui.testing import User


async def test_an_empty_workspace_says_what_to_do_first(visitor: User):
    await visitor.open("/")
    await visitor.should_see("Nothing is here yet")
