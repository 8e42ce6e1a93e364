"""What the codes of imports and checks mean."""

from __future__ import annotations

from winnow.data.code_meanings import MEANINGS
from winnow.studio.page import Page, Visit
from winnow.studio.parts import box, heading, para, same_as, text


async def build(_: Visit) -> None:
    """A list for each subject; every code can be pointed at: /codes#E_EMPTY."""
    para(
        "Programs read these codes instead of sentences. E_ stands before what was left out, W_ before what was taken "
        "with a remark."
    )
    for subject, meanings in MEANINGS.items():
        with box("section", "card"):
            heading(subject)
            with box("dl"):
                for code, meaning in meanings.items():
                    with box("dt", id=code, tabindex=-1):
                        text("code", code)
                    text("dd", meaning)
    same_as("winnow check digits --json", 'import winnow\nwinnow.check("digits").to_json()')


PAGE = Page("/codes", lambda _: "Codes", build)
