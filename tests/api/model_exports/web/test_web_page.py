"""The exported page in Chromium, as a visitor has it: served by a plain web server, with no network beyond that."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from winnow.api.model import Model
from winnow.api.model_exports.writing import export_model

from ..made_models import weighing_model
from .serving import PAGE, Read, Watched, blank, files_of
from .test_web_pixels import encoded, photograph

AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[4] / ".venv-dev/npm/node_modules/axe-core/axe.min.js"))
# Picture files, in base64, through the page's own worker: probabilities by class, or the sentence of refusal.
ASK = """async (files) => {
    const { Asking } = await import("/page/asking.js");
    const asking = new Asking();
    const facts = await (await fetch("/page.json")).json();
    await asking.open(facts);
    const found = {};
    for (const [name, data] of Object.entries(files)) {
        const file = new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name);
        try {
            const probs = await asking.file(file);
            found[name] = Object.fromEntries(facts.classes.map((label, i) => [label, probs[i]]));
        } catch (error) {
            found[name] = error.message;
        }
    }
    return found;
}"""
ODD = (
    *("exif-orientation/Landscape_2.jpg", "exif-orientation/Portrait_8.jpg"),
    *(f"generated/orient_{i}.jpg" for i in (2, 3, 4, 7, 8)),
    *(f"pillow/hopper_orientation_{i}.jpg" for i in (3, 4, 5, 7, 8)),
    *(f"pillow/hopper_orientation_{i}.webp" for i in (2, 6)),
    *(f"generated/{name}" for name in ("mode_1.png", "mode_L.jpg", "mode_LA.png", "mode_P.png", "mode_P_trns.png")),
    *(
        f"generated/{name}"
        for name in ("gray16.png", "rgb16.png", "rgba_fully_transparent.png", "cmyk.jpg", "ycbcr.jpg")
    ),
    *(f"generated/{name}" for name in ("anim.gif", "webp_named.jpeg", "bmp_named.jpg")),
)


def _picture(name: str = "photo.jpg", width: int = 60, height: int = 40) -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": encoded(photograph(width, height), "JPEG")}


def test_it_gives_winnows_probabilities_for_every_orientation_and_kind_of_colours(
    needs_onnxruntime_web: None, look_at: Callable[..., Watched], test_data: Path, photos: Path, tmp_path: Path
):
    weighing = Model.open(weighing_model(tmp_path / "weighing", fit="crop"))
    out = export_model(weighing, tmp_path / "out", to="web", pictures=photos)
    files = [test_data / "badinput/images" / name for name in ODD]
    files += sorted((test_data / "cats-dogs/test").rglob("*.jpg"))[::200]
    window = look_at(files_of(out.path))
    window.open()
    found = window.page.evaluate(ASK, {str(file): base64.b64encode(file.read_bytes()).decode() for file in files})
    for file, expected in zip(files, weighing.predict(files), strict=True):
        probs = found[str(file)]
        assert probs == pytest.approx(expected.probs, abs=1e-4), file
        assert max(probs, key=lambda label: probs[label]) == expected.label


def test_pictures_are_chosen_dropped_pasted_or_seen_and_each_is_answered_or_refused(
    exported_page: Path, look_at: Callable[..., Watched]
):
    window = look_at(files_of(exported_page))
    window.open()
    page = window.page
    expect(page).to_have_title("photos")
    expect(page.locator("#about")).to_have_text("Which one of 2 classes does a picture show?")
    choose = page.locator("#choose")
    choose.set_input_files([_picture(), {"name": "note.txt", "mimeType": "text/plain", "buffer": b"hello"}])
    answers = page.locator("article")
    expect(answers).to_have_count(2)
    expect(page.locator("article[aria-busy]")).to_have_count(0)
    expect(answers.nth(0)).to_contain_text("No answer: This is no picture that is read here")
    expect(answers.nth(1).locator("p.lead")).to_contain_text("%")
    expect(answers.nth(1).locator("tbody th")).to_have_count(2)
    expect(page.locator("#heard")).to_have_text("All 2 pictures are answered.")
    for event, kind in (("drop", "DragEvent"), ("paste", "ClipboardEvent")):
        page.evaluate(
            """([event, kind, data]) => {
                const held = new DataTransfer();
                const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
                held.items.add(new File([bytes], event + ".jpg"));
                const given = { bubbles: true, cancelable: true, dataTransfer: held, clipboardData: held };
                document.dispatchEvent(new globalThis[kind](event, given));
            }""",
            [event, kind, base64.b64encode(_picture()["buffer"]).decode()],
        )
        expect(answers.nth(0).locator("h3")).to_have_text(f"{event}.jpg")
        expect(answers.nth(0).locator("p.lead")).to_contain_text("%")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "choose"
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#live-answer table")).to_be_visible()
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.locator("#live")).to_be_hidden()
    expect(page.locator("#heard")).to_have_text("The camera is off.")


def test_it_shuts_nobody_out(exported_page: Path, look_at: Callable[..., Watched]):
    if not AXE.is_file():
        pytest.skip("needs a browser's axe-core: make test fetches it with npm")
    for width, theme in ((1200, "light"), (400, "dark")):
        window = look_at(files_of(exported_page), width=width, theme=theme)
        window.open()
        window.page.locator("#choose").set_input_files([_picture("a" * 120 + ".jpg"), _picture("note.txt")])
        expect(window.page.locator("article p.lead")).to_have_count(2)
        window.page.locator("summary").last.click()
        window.page.evaluate(AXE.read_text("utf-8"))
        outcome = window.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert not [f"{one['id']}: {one['nodes'][0]['html']}" for one in outcome["violations"]]
        assert window.page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_are_text_and_never_markup(changed: Callable[..., Read], look_at: Callable[..., Watched]):
    hostile = ["<img src=x onerror=alert(1)>", "\N{RIGHT-TO-LEFT OVERRIDE}</script><script>alert(2)</script>"]
    window = look_at(changed(classes=hostile, name="<b>bold</b>"))
    window.page.on("dialog", lambda dialog: window.complaints.append(dialog.message))
    window.open()
    expect(window.page.locator("h1")).to_have_text("<b>bold</b>")
    window.page.locator("#choose").set_input_files([_picture("<i>photo</i>.jpg")])
    expect(window.page.locator("article h3")).to_have_text("<i>photo</i>.jpg")
    shown = window.page.locator("article tbody th")
    expect(shown).to_have_count(len(hostile))
    assert sorted(shown.all_text_contents()) == sorted(hostile)
    assert window.page.locator("article :is(i, script), h1 b").count() == 0


def test_what_it_says_follows_winnows_rules(look_at: Callable[..., Watched]):
    one_class: dict[str, Any] = {"classes": ["cat", "dog", "hen"], "thresholds": None, "sure_from": 0.6}
    several = {"classes": ["cat", "dog", "hen"], "thresholds": [0.2, 0.5, 0.9], "sure_from": None}
    asked = [
        (one_class, [0.1, 0.7, 0.2]),
        (one_class, [0.4, 0.4, 0.2]),
        ({**one_class, "sure_from": None}, [0.0, 1.0, 0.0]),
        (several, [0.3, 0.5, 0.8]),
        (several, [0.1, 0.1, 0.1]),
    ]
    window = look_at(lambda path: blank() if path == "index.html" else files_of(PAGE)(path))
    window.page.goto(window.origin)
    said = window.page.evaluate(
        """async (asked) => {
            const { answerOf } = await import("/page/answers.js");
            const answers = asked.map(([facts, probs]) => answerOf(probs, facts));
            return answers.map(({ said, isSure, labels }) => [said, isSure, labels]);
        }""",
        asked,
    )
    assert said == [
        ["dog (70.0 %)", True, ["dog"]],
        ["I am not sure. The likeliest is cat (40.0 %).", False, ["cat"]],
        ["I am not sure. The likeliest is dog (100 %).", False, ["dog"]],
        ["dog (50.0 %), cat (30.0 %)", True, ["dog", "cat"]],
        ["None of the classes reaches its threshold.", False, []],
    ]


def test_a_browser_that_computes_something_else_gets_no_answer(
    changed: Callable[..., Read], look_at: Callable[..., Watched]
):
    window = look_at(changed(check=[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]))
    window.page.goto(window.origin)
    expect(window.page.locator("#state.wrong")).to_contain_text("This browser computes other probabilities")
    expect(window.page.locator("#choose")).to_be_disabled()
