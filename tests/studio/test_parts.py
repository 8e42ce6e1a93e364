"""What pages are made of: what goes wrong is told where it happened, and user text stays text."""

from __future__ import annotations

import logging

import pytest
from nicegui import ui
from nicegui.testing import User

from winnow.errors import UserError
from winnow.studio.answering import guarded
from winnow.studio.fields import field
from winnow.studio.frame import frame
from winnow.studio.page import Page, Visit
from winnow.studio.parts import button, table, text
from winnow.workspace.workspace import Workspace


async def _build(_: Visit) -> None:
    pass


PAGE = Page("/try", lambda _: "Try", _build)


@pytest.fixture
def visit(workspace: Workspace) -> Visit:
    return Visit(workspace, {}, {})


def _fails(error: Exception) -> None:
    raise error


async def test_what_a_visitor_can_mend_is_told_on_the_page(visitor: User, visit: Visit):
    @ui.page("/try")
    def _page() -> None:
        with frame(PAGE, visit, "auto"):
            button("Go", lambda: _fails(UserError("The folder is empty.")))

    await visitor.open("/try")
    visitor.find("Go").click()
    await visitor.should_see("The folder is empty.")


async def test_what_we_must_mend_is_told_without_its_details_and_goes_to_the_log(
    visitor: User, visit: Visit, caplog: pytest.LogCaptureFixture
):
    @ui.page("/try")
    def _page() -> None:
        with frame(PAGE, visit, "auto"):
            button("Go", lambda: _fails(ValueError("at 0x7f")))

    await visitor.open("/try")
    visitor.find("Go").click()
    await visitor.should_see("Something went wrong inside Winnow")
    await visitor.should_not_see("0x7f")
    assert "at 0x7f" in caplog.text
    caplog.clear()


async def test_a_page_that_was_left_raises_no_alarm(visitor: User, visit: Visit, caplog: pytest.LogCaptureFixture):
    async def leave() -> None:
        ui.context.client.layout.clear()
        _fails(RuntimeError("the parent element has been deleted"))

    @ui.page("/try")
    async def _page() -> None:
        with frame(PAGE, visit, "auto"):
            await guarded(leave)

    with caplog.at_level(logging.WARNING):
        await visitor.open("/try")
    assert "deleted" not in caplog.text


async def test_user_text_is_text_and_attributes_are_attributes(visitor: User):
    hostile = "<b onclick=x>\"' {{ 1 }} :click=y"
    made: list[ui.element] = []

    @ui.page("/try")
    def _page() -> None:
        made.append(text("p", hostile, title=hostile))
        made.append(field(hostile, value=hostile))

    await visitor.open("/try")
    paragraph, entry = made
    assert paragraph.props["title"] == hostile
    assert set(paragraph.props) <= {"title", "innerHTML", "children", "text"}
    assert entry.props["value"] == hostile
    await visitor.should_see(hostile)


async def test_the_first_cell_of_a_row_names_it_for_screen_readers(visitor: User):
    @ui.page("/try")
    def _page() -> None:
        table("Clouds", ("Name", "Pictures"), [("cirrus", "12")])

    await visitor.open("/try")
    assert visitor.client is not None
    cells = [one for one in visitor.client.elements.values() if one.tag in ("th", "td")]
    assert [(one.tag, one.props.get("scope")) for one in cells] == [("th", "col")] * 2 + [("th", "row"), ("td", None)]
