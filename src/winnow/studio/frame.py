"""What is around every page: where one is, where one can go, light or dark, and where news is told."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from nicegui import ui

from winnow.studio.answering import Notices
from winnow.studio.page import Page, Visit
from winnow.studio.parts import box, link, text

ROOMS = (
    ("Home", "/"),
    ("Import", "/import"),
    ("Label", "/label"),
    ("Train", "/train"),
    ("Evaluate", "/evaluate"),
    ("Predict", "/predict"),
    ("Playground", "/playground"),
)
"""The navigation: words and address."""
THEMES = {"auto": None, "light": False, "dark": True}
_THEME_COOKIE = "winnow-theme"


@contextmanager
def frame(page: Page, visit: Visit, theme: str) -> Generator[None]:
    """Around a page's main part."""
    dark = ui.dark_mode(THEMES.get(theme))
    title = page.title(visit)
    ui.page_title("Winnow" if page.path == "/" else f"{title} · Winnow")
    # NiceGUI's own main element holds the page; what is above stands before it.
    with ui.context.client.layout, box("div") as above:
        link("Skip to the page", "#page", "skip")
        with box("header", "top"):
            link("Winnow", "/", "name")
            with box("nav", aria_label="Rooms"), box("ul"):
                for words, address in ROOMS:
                    with box("li"):
                        link(words, address, aria_current="page" if words == page.room else None)
            _themes(dark, theme)
    above.move(target_index=0)
    with box("div", "page", id="page", tabindex=-1):
        text("h1", title)
        Notices()
        yield


def _themes(dark: ui.dark_mode, now: str) -> None:
    with box("div", "themes"):
        label = text("label", "Colours", "unseen")
        chooser = box("select", aria_label="Colours")
        label.props["for"] = chooser.html_id
        with chooser:
            for name in THEMES:
                text("option", name.capitalize(), value=name, selected=True if name == now else None)

    def choose(name: str) -> None:
        dark.value = THEMES.get(name)

    chooser.on("change", lambda event: choose(str(event.args)), js_handler=_REMEMBER)


_REMEMBER = f"""(event) => {{ const theme = event.target.value;
  document.cookie = `{_THEME_COOKIE}=${{theme}}; path=/; max-age=31536000; samesite=strict`;
  emit(theme);
}}"""


def theme_of(cookies: dict[str, str]) -> str:
    """What this browser's owner chose last."""
    theme = cookies.get(_THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"
