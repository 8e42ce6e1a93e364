"""Photograph every page of the studio: at 400 and 1440 px, light and dark, on the digits that come along.

python docs/photograph.py FOLDER        (needs Debian's chromium)
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from winnow.api.jobs import train_here
from winnow.api.loading import load
from winnow.api.wish import Wish
from winnow.data.digits import write_digits
from winnow.studio.pages import PAGES

RUNGS = ["commonest-class", "pixels-logistic-regression", "pixels-svm"]
LOOKS = [(width, theme) for width in (1440, 400) for theme in ("light", "dark")]
SETTLED_MS = 2500
NAMES = {"name": "digits", "model": "digits", "job": "1", "number": "1"}


def main() -> None:
    """A workspace with a model, a studio, and a browser that visits every page."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("needs a browser: apt install chromium")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_digits(folder / "digits")
        digits = load(folder / "digits", workspace=folder / "workspace", tell=lambda _: None)
        train_here(digits, Wish.checked(rungs=RUNGS), tell=lambda _: None)
        digits.workspace.close()
        command = [sys.executable, "-u", "-m", "winnow", "studio", "--no-browser", "--port", "0"]
        command += ["-w", str(folder / "workspace")]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as studio,
            sync_playwright() as playwright,
        ):
            assert studio.stdout is not None
            link = re.search(r"http://\S+", studio.stdout.readline())
            assert link is not None
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for width, theme in LOOKS:
                photograph(browser, link.group(), out, width, theme)
            browser.close()
            studio.terminate()


def photograph(browser: Browser, link: str, out: Path, width: int, theme: str) -> None:
    """Every page in one window."""
    scheme = "dark" if theme == "dark" else "light"
    window = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = window.new_page()
    page.goto(link)
    page.wait_for_url(lambda url: "token" not in url)
    for one in PAGES:
        if "{number}" in one.path:  # an import that was never made
            continue
        page.goto(link.split("/?")[0] + one.path.format(**NAMES))
        page.wait_for_selector("h1")
        page.wait_for_timeout(SETTLED_MS)
        name = re.sub(r"\W+", "-", one.path.format(**NAMES)).strip("-") or "home"
        page.screenshot(path=out / f"{name}-{width}-{theme}.png", full_page=True)
    window.close()


if __name__ == "__main__":
    main()
