"""The page: self-contained, complete, and harmless whatever the names in it say."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser

import pytest
from made_up import HOSTILE, made_up_picture

from winnow.report.html import as_html
from winnow.report.schema import Judgement, Report, TestOpenings


class Page(HTMLParser):
    """The page as a browser reads it: elements, visible text, and what the script and style elements hold."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.words = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.raw:
            self.raw[tag].append("")
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.raw:
            self.raw[self._open[-1]][-1] += data
        else:
            self.words += data

    def data(self, element_id: str) -> dict[str, object]:
        scripts = [attributes for tag, attributes in self.elements if tag == "script"]
        return json.loads(self.raw["script"][[s.get("id") for s in scripts].index(element_id)])

    def find(self, name: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for tag, a in self.elements if tag == name and all(a.get(k) == v for k, v in wanted.items())]


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(as_html(report, made_up_picture))


def test_the_page_asks_for_nothing_from_outside(page: Page):
    addresses = [
        a[key] for _, a in page.elements for key in ("src", "href", "srcset", "action", "poster", "data") if key in a
    ]
    assert all(address and address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"url\(|@import|https?://", page.raw["style"][0] + page.raw["script"][-1])


def test_its_policy_allows_this_style_and_this_script_and_no_other(page: Page):
    policy = page.find("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"] or ""
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for kind, body in (("style", page.raw["style"][0]), ("script", page.raw["script"][-1])):
        assert f"{kind}-src 'sha256-{b64encode(sha256(body.encode()).digest()).decode()}'" in policy


def test_nothing_in_it_needs_what_the_policy_forbids(page: Page):
    assert not [key for _, attributes in page.elements for key in attributes if key == "style" or key.startswith("on")]
    assert len(page.raw["style"]) == 1
    assert [a.get("type") for a in page.find("script")].count(None) == 1


def test_names_that_are_html_are_only_text(hostile: Report):
    html = as_html(hostile, made_up_picture)
    page = Page(html)
    assert not page.find("i")
    assert "alert(1)" not in page.raw["script"][-1]
    assert not [a for _, a in page.elements if any(key.startswith("on") for key in a)]
    for name in (*HOSTILE[:3], "<b>x</b>", "<i onclick=alert(1)>[red]|v|"):
        assert name in page.words
    assert len(page.find("img")) == len(hostile.judged.mistakes)


def test_data_for_the_script_cannot_end_its_element(hostile: Report):
    page = Page(as_html(hostile, made_up_picture))
    blocks = page.raw["script"][:-1]
    assert blocks
    assert not any(sign in block for block in blocks for sign in "<>&")
    assert page.data("judged-cells")["names"][:3] == list(HOSTILE[:3])  # type: ignore[index]


def test_signs_that_turn_or_command_are_made_visible(hostile: Report):
    html = as_html(hostile, made_up_picture)
    assert "\u202e" not in html
    assert "\x1b" not in html
    assert r"\u202e" not in html


def test_lone_surrogates_of_odd_file_names_can_be_written(unopened: Report):
    odd = (
        unopened.judged.mistakes[0].model_copy(update={"source": "caf\udce9.jpg"}) if unopened.judged.mistakes else None
    )
    assert odd is not None
    judged = unopened.judged.model_copy(update={"mistakes": (odd,)})
    as_html(unopened.model_copy(update={"judged": judged}), made_up_picture).encode("utf-8")


def test_everything_that_was_measured_is_on_the_page(report: Report, page: Page):
    for said in (
        report.verdict,
        *(rung.title for rung in report.ladder),
        "needs the extra 'deep'",
        "macro average precision",
        "expected calibration error",
        "Precision against recall",
        "ROC",
        "Worst mistakes",
        "Can its confidence be believed?",
        "402 J",
        report.climb.command,
        "AMD EPYC 9R14",
        report.dataset.notes[0],
    ):
        assert said in page.words, said


def test_a_second_look_at_the_test_split_is_called_optimistic(report: Report):
    assert "optimistic" in Page(as_html(report, made_up_picture)).words
    first = report.model_copy(update={"openings": TestOpenings(count=1, opening=1)})
    assert "optimistic" not in Page(as_html(first, made_up_picture)).words


def test_an_unopened_test_split_is_said_to_be_unopened(unopened: Report):
    page = Page(as_html(unopened, made_up_picture))
    assert "has not been opened" in page.words
    assert not page.find("div", id="test")


def test_a_cell_opens_its_pictures_and_each_picture_is_asked_for_once(unopened: Report):
    asked: list[str] = []

    def read(content: str) -> bytes:
        asked.append(content)
        return made_up_picture(content)

    page = Page(as_html(unopened, read))
    assert len(asked) == len(set(asked)) > 0
    cells, pictures = page.data("judged-cells")["cells"], page.data("pictures")
    assert isinstance(cells, dict)
    buttons = {a["data-cell"] for a in page.find("button") if "data-cell" in a}
    assert buttons == set(cells)
    for key, cell in cells.items():
        row, column = map(int, key.split(","))
        assert cell["n"] == unopened.judged.evaluation.confusion.counts[row][column]
        assert all(pictures[content].startswith("data:image/png;base64,") for content in cell["shown"])  # type: ignore[union-attr]


def test_without_pictures_the_page_still_stands(unopened: Report):
    page = Page(as_html(unopened, lambda _: None))
    assert not [a for a in page.find("button") if "data-cell" in a]
    assert not page.find("img")
    assert "no picture" in page.words


def test_bytes_that_are_no_picture_are_not_embedded(unopened: Report):
    assert "svg+xml" not in as_html(unopened, lambda _: b"<svg onload='alert(1)'/>")


def test_the_slider_moves_over_the_measured_thresholds(report: Report, page: Page):
    data = page.data("judged-curves-data")
    rows = data["rows"]
    assert isinstance(rows, list)
    for row, measured in zip(rows, report.judged.evaluation.thresholds, strict=True):
        expected = (measured.threshold, measured.coverage, measured.accuracy, measured.precision, measured.recall)
        assert row == [None if value is None else round(value, 5) for value in expected]
    assert [c["name"] for c in data["classes"]] == list(report.dataset.classes)  # type: ignore[union-attr, index]


def test_a_hundred_classes_stay_usable(many: Report):
    html = as_html(many, made_up_picture)
    assert len(html) < 1_500_000
    words = Page(html).words
    assert "Most confused" in words
    assert "The whole matrix (102 classes)" in words


def test_no_mistake_at_all_is_good_news_and_no_error(unopened: Report):
    confusion = unopened.judged.evaluation.confusion
    perfect = type(confusion)(confusion.classes, ((60, 0), (0, 60)))
    evaluation = unopened.judged.evaluation
    changed = type(evaluation)(
        **{name: getattr(evaluation, name) for name in evaluation.__slots__ if name != "confusion"}, confusion=perfect
    )
    judged = Judgement(evaluation=changed, mistakes=())
    words = Page(as_html(unopened.model_copy(update={"judged": judged}), made_up_picture)).words
    assert "Not one mistake" in words
    assert "Worst mistakes" not in words


def test_a_report_where_nothing_climbed_can_be_drawn(unopened: Report):
    bare = unopened.model_copy(update={"ladder": unopened.ladder[-1:]})
    assert "Not measured" in Page(as_html(bare, made_up_picture)).words


def test_the_same_report_gives_the_same_page(unopened: Report):
    assert as_html(unopened, made_up_picture) == as_html(unopened, made_up_picture)


def test_every_heading_id_that_is_referred_to_exists(page: Page):
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    referred = {
        a[key] for _, a in page.elements for key in ("aria-labelledby", "data-curves", "data-cells") if key in a
    }
    assert referred <= set(ids)
    assert {unescape(a["href"] or "") for a in page.find("a")} == {"#ladder"}
